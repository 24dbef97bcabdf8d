import stringWidth from 'string-width';
import { type Escaped, escapeForPasting, escapeForTerminal } from './escape.js';
import type { Screen, Style } from './style.js';

/**
 * Layout by display width. Text goes through here on its way to a terminal and nowhere else: `span` (or
 * `verbatim`) escapes it, wrapping and cutting work on spans, and `print` colours them at the very end.
 */
export interface Span {
  readonly text: Escaped;
  readonly style: Style;
}
export type Line = readonly Span[];

export function span(text: string, style: Style = 'plain'): Span {
  return { text: escapeForTerminal(text), style };
}

/** Text that is escaped already, for instance because it was cut to size. */
export function styled(text: Escaped, style: Style = 'plain'): Span {
  return { text, style };
}

/** A line to be copied; see escapeForPasting. */
export function verbatim(text: string, style: Style = 'plain'): Span {
  return { text: escapeForPasting(text), style };
}

/** Several things in one line, with the same mark between them. */
export function joined(parts: Line[], between = ' · '): Line {
  return parts.flatMap((part, i) => (i === 0 ? [...part] : [span(between, 'dim'), ...part]));
}

const ASCII = /^[ -~]*$/;

export function displayWidth(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, s) => sum + displayWidth(s.text), 0);
}

const graphemes = new Intl.Segmenter();

const ESCAPE = /^\\(?:x[0-9a-f]{2}|u\{[0-9a-f]{1,6}\})/;
const ESCAPE_BEGUN = /\\(?:x[0-9a-f]?|u(?:\{[0-9a-f]{0,6})?)?$/;

/** The longest start of a text that fits into a width; never half a character, never half an escape. */
function startOf(text: string, width: number): string {
  const start = charactersOf(text, width);
  const begun = start.length < text.length ? ESCAPE_BEGUN.exec(start) : null;
  return begun && ESCAPE.test(text.slice(begun.index)) ? start.slice(0, begun.index) : start;
}

function charactersOf(text: string, width: number): string {
  if (ASCII.test(text)) return text.slice(0, Math.max(0, width));
  let used = 0;
  let end = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

function endOf(text: string, width: number): string {
  if (ASCII.test(text)) return width <= 0 ? '' : text.slice(-width);
  let kept = '';
  for (const { segment } of [...graphemes.segment(text)].reverse()) {
    if (stringWidth(segment + kept) > width) break;
    kept = segment + kept;
  }
  return kept;
}

export function truncate(text: Escaped, width: number): Escaped {
  if (displayWidth(text) <= width) return text;
  return (width < 1 ? '' : `${startOf(text, width - 1).trimEnd()}…`) as Escaped;
}

/** For paths: the end says most, the beginning says where. */
export function truncateMiddle(text: Escaped, width: number): Escaped {
  if (displayWidth(text) <= width) return text;
  if (width < 8) return truncate(text, width);
  const start = startOf(text, Math.floor((width - 1) / 3));
  return `${start}…${endOf(text, width - 1 - displayWidth(start))}` as Escaped;
}

export function truncateLine(line: Line, width: number): Line {
  if (lineWidth(line) <= width) return line;
  const kept: Span[] = [];
  let room = width - 1;
  for (const s of line) {
    const text = startOf(s.text, room);
    room -= displayWidth(text);
    kept.push({ text: text as Escaped, style: s.style });
    if (text.length < s.text.length) break;
  }
  return [...kept, span('…', kept.at(-1)?.style)];
}

export function padEnd(line: Line, width: number): Line {
  const missing = width - lineWidth(line);
  return missing > 0 ? [...line, span(' '.repeat(missing))] : line;
}

export function padStart(line: Line, width: number): Line {
  const missing = width - lineWidth(line);
  return missing > 0 ? [span(' '.repeat(missing)), ...line] : line;
}

// "95 %" and "2.4 GB" are one word to the eye.
const NUMBER = /^[^\p{L}]*\d[\d.,]*$/u;
const UNIT = /^(%|×|[kMGT]?B|[kMGT]?B\/(day|s)|bytes|M|ms|s|min|h|days?)[).,;:]*$/;

interface Word {
  /** The blanks before it, dropped at the beginning of a line. */
  gap: Span | null;
  spans: Span[];
  width: number;
  text: string;
}

function words(line: Line): Word[] {
  const list: Word[] = [];
  let word: Word = { gap: null, spans: [], width: 0, text: '' };
  const close = (gap: Span | null) => {
    if (gap && word.gap && word.spans.length === 0) {
      // Blanks of two spans, as after padEnd: one gap.
      word.gap = styled((word.gap.text + gap.text) as Escaped, gap.style);
      return;
    }
    const before = list.at(-1);
    if (before && word.gap && NUMBER.test(before.text) && UNIT.test(word.text)) {
      before.spans.push(word.gap, ...word.spans);
      before.width += displayWidth(word.gap.text) + word.width;
      before.text += ` ${word.text}`;
    } else if (word.spans.length > 0) list.push(word);
    word = { gap, spans: [], width: 0, text: '' };
  };
  for (const s of line) {
    for (const part of s.text.split(/( +)/) as Escaped[]) {
      if (part === '') continue;
      if (part.startsWith(' ')) close({ text: part, style: s.style });
      else {
        word.spans.push({ text: part, style: s.style });
        word.width += displayWidth(part);
        word.text += part;
      }
    }
  }
  close(null);
  return list;
}

// A word that must be broken anyway, most often a path, begins on the line before when that has so much room.
const WORTH_BEGINNING = 12;

/** Breaks a line between words, and inside a word only when it is wider than a whole line. */
export function wrap(line: Line, width: number, later = width): Line[] {
  const rest = Math.max(1, later);
  const lines: Span[][] = [];
  let room = Math.max(1, width);
  let current: Span[] = [];
  let used = 0;
  const next = () => {
    lines.push(current);
    current = [];
    used = 0;
    room = rest;
  };
  for (const word of words(line)) {
    const gap = used > 0 && word.gap ? displayWidth(word.gap.text) : 0;
    const isTooLong = used + gap + word.width > room;
    const isBroken = word.width > rest && room - used - gap >= WORTH_BEGINNING;
    if (used > 0 && isTooLong && !isBroken) next();
    else if (gap > 0) {
      current.push(word.gap!);
      used += gap;
    }
    for (const s of word.spans) {
      let left: string = s.text;
      while (used + displayWidth(left) > room) {
        // At least one character a line, or a wide one in a narrow column would never end.
        const fits = startOf(left, room - used) || (used > 0 ? '' : [...left][0]!);
        // A path is rather broken after one of its slashes.
        const slash = fits.lastIndexOf('/') + 1;
        const piece = slash > fits.length / 3 ? fits.slice(0, slash) : fits;
        if (piece !== '') current.push({ text: piece as Escaped, style: s.style });
        next();
        left = left.slice(piece.length);
      }
      if (left !== '') current.push({ text: left as Escaped, style: s.style });
      used += displayWidth(left);
    }
  }
  if (current.length > 0 || lines.length === 0) lines.push(current);
  return lines;
}

/** At most so many lines; the last one shows that there was more. */
export function clamp(lines: Line[], most: number, width: number): Line[] {
  if (lines.length <= most) return lines;
  const last = truncateLine([...lines[most - 1]!, span(' ')], width - 1);
  const dots = last.at(-1)?.text === '…' ? [] : [span('…', 'dim')];
  return [...lines.slice(0, most - 1), [...last, ...dots]];
}

/** Wrapped text whose last line carries something at the right edge, or a line of its own when there is no room. */
export function withRight(left: Line, right: Line, width: number, most = Number.POSITIVE_INFINITY): Line[] {
  const lines = clamp(hanging(left, width), most, width);
  if (right.length === 0) return lines;
  const last = lines.at(-1)!;
  const room = width - lineWidth(last);
  if (room >= lineWidth(right) + 2) return [...lines.slice(0, -1), [...last, ...padStart(right, room)]];
  return [...lines, padStart(truncateLine(right, width), width)];
}

/** Wrapped, with every line after the first set in a little, so that the next item is seen to begin. */
export function hanging(line: Line, width: number, by = 2): Line[] {
  const [first = [], ...rest] = wrap(line, width, width - by);
  return [first, ...indent(rest, by)];
}

/** Several things with a mark between them; a new line begins between two of them rather than inside one. */
export function flow(parts: Line[], width: number, between = ' · '): Line[] {
  const lines: Line[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const both = last ? joined([last, part], between) : part;
    if (!last || lineWidth(both) > width) lines.push(...wrap(part, width));
    else lines[lines.length - 1] = both;
  }
  return lines;
}

export function indent(lines: Line[], by: number): Line[] {
  return lines.map((line) => (line.length === 0 ? line : [span(' '.repeat(by)), ...line]));
}

// Every one of ours has a stand-in of the same width; what evidence brings beyond ASCII becomes a question mark.
const STAND_INS: Record<string, string> = {
  '·': '-',
  '–': '-',
  '−': '-',
  '…': '~',
  '×': 'x',
  '≤': '<',
  '≥': '>',
  '✓': '+',
  '•': '*',
  '’': "'",
  '→': '>',
};

function inAscii(text: string): string {
  if (ASCII.test(text)) return text;
  // By grapheme, so that a letter and its accents are one question mark and the width stays.
  return [...graphemes.segment(text)]
    .map(({ segment: s }) => (ASCII.test(s) ? s : (STAND_INS[s] ?? '?'.repeat(displayWidth(s)))))
    .join('');
}

/** Lines to text: the only place where colour is added. */
export function print(lines: Line[], screen: Screen): string {
  return lines.map((line) => `${printLine(line, screen)}\n`).join('');
}

function printLine(line: Line, screen: Screen): string {
  const runs: { text: string; style: Style }[] = [];
  for (const s of line) {
    const last = runs.at(-1);
    if (last && (last.style === s.style || s.text.trim() === '')) last.text += s.text;
    else runs.push({ text: s.text, style: s.style });
  }
  const last = runs.at(-1);
  if (last) last.text = last.text.trimEnd();
  return runs.map((run) => screen.paint(run.style, screen.unicode ? run.text : inAscii(run.text))).join('');
}
