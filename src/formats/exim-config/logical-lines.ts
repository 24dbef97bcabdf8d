/** A piece of configuration: its path as the evidence has it, and its text. */
export interface ConfigFile {
  path: string;
  text: string;
}

/** Thrown for what Exim would refuse, with its wording. */
export class Refused extends Error {}

/** One line of a file, before macros, conditions and continuations. */
export interface PhysicalLine {
  text: string;
  path: string;
  line: number;
}

/** A logical line: where it begins, and where it ends (the line that Exim names in its messages). */
export interface LogicalLine extends PhysicalLine {
  endLine: number;
}

/** Something at a place: what Exim would refuse, or what the given files leave open. */
export interface Remark {
  path: string;
  line: number;
  says: string;
}

export interface Macro {
  name: string;
  value: string;
  path: string;
  line: number;
}

// A hostile configuration may define macros by the thousand, include itself, or double a value at every line.
const LONGEST_LINE = 65_536;
const MOST_LINES = 500_000;
const MOST_MACROS = 4_096;
const DEEPEST_INCLUDE = 20;
const MOST_SEARCHES = 5_000_000;
const DEEPEST_CONDITION = 8;

// The built-in macros of the running program are not in its files. A configuration asks for them to guard what older
// or smaller builds lack, so they are taken as there; Debian's Exim is built with GnuTLS.
const BUILT_IN = /(?<!\w)_(?:HAVE|OPT|DRIVER|LOG|EXP|DKIM)_[A-Za-z0-9_]+/;
const NOT_BUILT_IN = new Set(['_HAVE_OPENSSL']);

type Reading = 'reading' | 'waiting' | 'done';

/** The lines of a text, numbered from 1; CR before LF is white space to Exim and is trimmed later. */
export function linesOf({ path, text }: ConfigFile): PhysicalLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => ({ text: line, path, line: i + 1 }));
}

/**
 * Exim's reading of configuration lines: macros, `.ifdef` and its kin, `.include` among the given files, comments
 * between continuations, continuations.
 *
 * Shape:  `next()` gives logical lines in order, null at the end. The caller says which lines define macros (`define`),
 *         since that depends on the section.
 * Errors: what Exim would refuse goes to `problems`, what the files leave open (a missing include, an assumed built-in
 *         macro) to `open`; reading goes on after both. Limits on size and work keep a hostile file from blowing up.
 * Source: Exim specification, chapter 6 (sections on macros, conditional skips, included files); get_config_line,
 *         macros_expand and macro_read_assignment in src/src/readconf.c.
 */
export class LogicalLines {
  readonly problems: Remark[] = [];
  readonly open: Remark[] = [];
  readonly macros = new Map<string, Macro>();
  readonly files = new Set<string>();
  #stack: { lines: PhysicalLine[]; at: number }[];
  #given: ConfigFile[];
  #state: Reading = 'reading';
  #outer: Reading[] = [];
  #read = 0;
  #searches = 0;
  #last: PhysicalLine = { text: '', path: '', line: 0 };
  #said = new Set<string>();

  constructor(lines: PhysicalLine[], given: ConfigFile[]) {
    this.#stack = [{ lines, at: 0 }];
    this.#given = given;
  }

  next(): LogicalLine | null {
    const pieces: string[] = [];
    let length = 0;
    let begun: { path: string; line: number } | null = null;
    const whole = (endLine: number): LogicalLine | null => {
      const text = pieces.join('').trimEnd();
      return begun && text !== '' ? { text, ...begun, endLine } : null;
    };
    for (;;) {
      const physical = this.#physical();
      if (!physical) {
        this.#atEnd();
        return whole(this.#last.line);
      }
      const { text, found } = this.#expanded(physical, begun === null);
      if (text.startsWith('#')) continue;
      if (text.startsWith('.') && this.#condition(text, found, physical)) continue;
      if (this.#state !== 'reading') continue;
      const include = /^\.include(_if_exists)?\s+(.*)$/s.exec(text);
      if (include) {
        this.#include(include[2]!.trim(), include[1] !== undefined, physical);
        continue;
      }
      // Lines without text are passed over, but one of them ends a continuation.
      const piece = text.trimEnd();
      begun ??= piece === '' ? null : { path: physical.path, line: physical.line };
      const goesOn = piece.endsWith('\\') && length <= LONGEST_LINE;
      pieces.push(goesOn ? piece.slice(0, -1) : piece);
      length += piece.length;
      if (length > LONGEST_LINE)
        this.#once(physical, `a line longer than ${LONGEST_LINE} characters; it is cut`);
      if (goesOn) continue;
      const line = whole(physical.line);
      if (line) return line;
      pieces.length = 0;
      begun = null;
    }
  }

  problem(at: { path: string; line: number; endLine?: number }, says: string): void {
    this.problems.push({ path: at.path, line: at.endLine ?? at.line, says });
  }

  /** Reads `NAME = value` or `NAME == value`, or throws `Refused`; the caller knows that the section allows it. */
  define(at: LogicalLine): void {
    const [, name = '', mark = '', value = ''] = /^(\w*)\s*(==?|)\s*(.*)$/s.exec(at.text) ?? [];
    if (mark === '') throw new Refused('malformed macro definition');
    const known = this.macros.get(name);
    if (mark === '==' && !known) throw new Refused(`can't redefine an undefined macro "${shown(name)}"`);
    if (mark === '=' && known)
      throw new Refused(`macro "${shown(name)}" is already defined (use "==" if you want to redefine it)`);
    if (!known) {
      for (const other of this.macros.keys())
        if (other.length < name.length && name.includes(other))
          throw new Refused(
            `"${shown(name)}" cannot be defined as a macro because previously defined macro "${shown(other)}" is a substring`,
          );
      if (this.macros.size >= MOST_MACROS) {
        this.#once(at, `more than ${MOST_MACROS} macros; the rest are left out`);
        return;
      }
    }
    this.macros.set(name, { name, value, path: at.path, line: at.line });
  }

  #atEnd(): void {
    if (this.#outer.length === 0) return;
    this.problem(this.#last, 'Unexpected end of configuration file: .endif missing');
    this.#outer = [];
  }

  #physical(): PhysicalLine | null {
    for (let top = this.#stack.at(-1); top; top = this.#stack.at(-1)) {
      const line = top.lines[top.at++];
      if (!line) {
        this.#stack.pop();
        continue;
      }
      if (++this.#read > MOST_LINES) {
        this.#once(line, `more than ${MOST_LINES} lines with all includes; the rest are left out`);
        return null;
      }
      this.#last = line;
      this.files.add(line.path);
      return line;
    }
    return null;
  }

  /** The line with its macros replaced; a definition's own name is left alone. */
  #expanded(physical: PhysicalLine, isStart: boolean): { text: string; found: boolean } {
    let text = physical.text.trimStart();
    const kept = isStart ? (/^[A-Z]\w*\s*(?==)/.exec(text)?.[0] ?? '') : '';
    let rest = text.slice(kept.length);
    let found = false;
    if (/[A-Z]/.test(rest))
      for (const { name, value } of this.macros.values()) {
        if (++this.#searches > MOST_SEARCHES) {
          this.#once(physical, 'too many macros for so many lines; the rest are not expanded');
          break;
        }
        if (!rest.includes(name)) continue;
        found = true;
        const pieces = rest.split(name);
        if (rest.length + (pieces.length - 1) * value.length > LONGEST_LINE) {
          this.problem(physical, `a line longer than ${LONGEST_LINE} characters after macro expansion`);
          break;
        }
        rest = pieces.join(value);
      }
    text = (kept + rest).trimStart();
    return { text, found };
  }

  /** Handles a conditional directive; false when the line is none. */
  #condition(text: string, found: boolean, at: PhysicalLine): boolean {
    const word = /^\.(ifdef|ifndef|elifdef|elifndef|else|endif)/.exec(text)?.[1];
    if (!word) return false;
    // Exim ignores a directive that runs on, like `.endif#`.
    if (!/^(?:\s|$)/.test(text.slice(word.length + 1))) return true;
    const builtIn = BUILT_IN.exec(text)?.[0];
    let holds = found;
    if (builtIn && !found) {
      holds = !NOT_BUILT_IN.has(builtIn);
      this.#assume(at, builtIn, holds);
    }
    if (word.endsWith('ndef')) holds = !holds;
    if (word === 'ifdef' || word === 'ifndef') {
      if (this.#outer.length >= DEEPEST_CONDITION) {
        this.problem(at, `.${word} nested too deeply`);
        return true;
      }
      this.#outer.push(this.#state);
      this.#state = this.#state === 'reading' ? (holds ? 'reading' : 'waiting') : 'done';
    } else if (this.#outer.length === 0) this.problem(at, `.${word} without matching .ifdef`);
    else if (word === 'endif') this.#state = this.#outer.pop()!;
    else if (this.#state !== 'waiting') this.#state = 'done';
    else if (word === 'else' || holds) this.#state = 'reading';
    return true;
  }

  #assume(at: PhysicalLine, name: string, holds: boolean): void {
    if (this.#state !== 'reading' || this.#said.has(name)) return;
    this.#said.add(name);
    this.open.push({
      path: at.path,
      line: at.line,
      says: `${shown(name)} is built into the program or not; taken as ${holds ? 'there' : 'absent'}`,
    });
  }

  #include(named: string, ifExists: boolean, at: PhysicalLine): void {
    const name = /^"(.*)"$/s.exec(named)?.[1] ?? named;
    if (ifExists && !name.startsWith('/')) {
      this.problem(at, `.include specifies a non-absolute path "${shown(name)}"`);
      return;
    }
    if (this.#stack.length > DEEPEST_INCLUDE) {
      this.#once(at, `includes nested more than ${DEEPEST_INCLUDE} deep; not followed further`);
      return;
    }
    const file = fileNamed(name, at.path, this.#given);
    if (file) this.#stack.push({ lines: linesOf(file), at: 0 });
    else
      this.open.push({
        path: at.path,
        line: at.line,
        says: `includes ${shown(name)}, which is not among the given files`,
      });
  }

  #once(at: { path: string; line: number }, says: string): void {
    if (this.#said.has(says)) return;
    this.#said.add(says);
    this.open.push({ path: at.path, line: at.line, says });
  }
}

/** At most a line's worth of a text from the configuration, to be quoted in a remark. */
export function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/**
 * The given file that an absolute or relative name means. Evidence lies under any folder, so an absolute name is met by
 * a path that ends like it; of several, the one with most of its beginning in common with the including file.
 */
function fileNamed(name: string, from: string, given: ConfigFile[]): ConfigFile | null {
  const wanted = name.startsWith('/') ? name : `${from.slice(0, from.lastIndexOf('/') + 1)}${name}`;
  let best: ConfigFile | null = null;
  let most = -1;
  for (const file of given) {
    const meets = name.startsWith('/')
      ? `/${file.path}`.endsWith(wanted) || file.path.endsWith(wanted)
      : file.path === wanted;
    if (!meets) continue;
    let common = 0;
    while (common < from.length && from[common] === file.path[common]) common++;
    if (common > most) {
      most = common;
      best = file;
    }
  }
  return best;
}
