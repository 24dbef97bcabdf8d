/** A configuration file: its path as the evidence has it, and its text. */
export interface ConfigFile {
  path: string;
  text: string;
}

export interface PostfixSetting {
  name: string;
  /** As written, continuation lines joined. */
  value: string;
  /** With `$name` replaced by what these files say; a parameter that they do not set stays as it stands. */
  expanded: string;
  path: string;
  line: number;
}

/** A line of master.cf. Flags and numbers are as written, `-` for the default. */
export interface PostfixService {
  name: string;
  type: string;
  chroot: string;
  wakeup: string;
  maxproc: string;
  command: string;
  /** The `-o name=value` that override main.cf in this service. */
  overrides: { name: string; value: string }[];
  /** Other words behind the command. */
  arguments: string[];
  path: string;
  line: number;
}

export interface PostfixConfiguration {
  /** In the order of the files; of a name that stands twice, the last counts. */
  settings: PostfixSetting[];
  services: PostfixService[];
  /** What Postfix would refuse or warn of. */
  problems: { path: string; line: number; says: string }[];
}

const WELL_KNOWN =
  /^(?:alias_maps|compatibility_level|daemon_directory|inet_interfaces|inet_protocols|mail_owner|mailbox_size_limit|maximal_backoff_time|message_size_limit|minimal_backoff_time|mydestination|mydomain|myhostname|mynetworks|myorigin|queue_directory|recipient_delimiter|relay_domains|relayhost|smtpd?_tls_\w+|smtpd_\w+_restrictions|smtpd_banner|transport_maps|virtual_\w+)[ \t]*=/gm;
const SERVICE =
  /^\S{1,200}[ \t]+(?:inet|unix|unix-dgram|fifo|pass)[ \t]+[-yn][ \t]+[-yn][ \t]+[-yn][ \t]+[-\d]\S{0,9}[ \t]+[-\d]\d{0,9}[ \t]+[\w.-]+/m;

/** Whether a text is main.cf (or `postconf -n`) or master.cf (or `postconf -M`). */
export function detectPostfixConfig(head: Uint8Array): 'main' | 'master' | null {
  if (head.includes(0)) return null;
  const text = Buffer.from(head).toString('latin1');
  if (SERVICE.test(text)) return 'master';
  const known = new Set([...text.matchAll(WELL_KNOWN)].map((m) => m[0].replace(/[ \t]*=$/, '')));
  return known.size >= 2 ? 'main' : null;
}

interface LogicalLine {
  text: string;
  line: number;
}

/**
 * Postfix's logical lines: a line that starts with white space goes on with the one before, comments and empty lines
 * between them notwithstanding.
 *
 * Source: postconf(5), "Parameter file format"; readllines in src/util/readlline.c.
 */
function logicalLines(text: string): LogicalLine[] {
  const out: LogicalLine[] = [];
  let pieces: string[] = [];
  let begun = 0;
  const end = () => {
    if (pieces.length > 0) out.push({ text: pieces.join(''), line: begun });
    pieces = [];
  };
  for (const [index, physical] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(physical)) continue;
    const isStart = !/^\s/.test(physical);
    if (isStart) {
      end();
      begun = index + 1;
    }
    // White space at the very beginning continues nothing; Postfix passes over the line with a warning.
    if (isStart || pieces.length > 0) pieces.push(physical.replace(/\r$/, ''));
  }
  end();
  return out;
}

/**
 * Reads Postfix's configuration.
 *
 * Shape:  main.cf or `postconf -n` become settings, master.cf or `postconf -M` services; several files may be given.
 *         Each keeps the file and line where it begins.
 * Units:  values stay text; times are as written (`4000s`, and some parameters take a bare number).
 * Errors: a line without `=` or with too few fields goes to `problems`; nothing is thrown. An expansion that would not
 *         end or would grow past 64 kB stays unexpanded.
 * Source: postconf(5), master(5), postconf(1); src/util/split_nameval.c, mac_parse.c, mac_expand.c and
 *         src/master/master_ent.c of Postfix 3.11. Held against postconf 3.7.
 */
export function readPostfixConfig(files: ConfigFile[]): PostfixConfiguration {
  const out: PostfixConfiguration = { settings: [], services: [], problems: [] };
  for (const { path, text } of files) {
    const isMaster = detectPostfixConfig(Buffer.from(text.slice(0, 65_536), 'latin1')) === 'master';
    for (const line of logicalLines(text))
      if (isMaster) service(out, path, line);
      else setting(out, path, line);
  }
  const values = new Map(out.settings.map((s) => [s.name, s.value]));
  for (const s of out.settings) s.expanded = expanded(s.value, values);
  return out;
}

function setting(out: PostfixConfiguration, path: string, { text, line }: LogicalLine): void {
  const [, name, value] = /^([^\s=]+)\s*=\s*(.*)$/s.exec(text) ?? [];
  if (!name) {
    const says = text.startsWith('=') ? 'missing attribute name' : "missing '=' after attribute name";
    out.problems.push({ path, line, says });
    return;
  }
  out.settings.push({ name, value: value!.trimEnd(), expanded: value!, path, line });
}

const FIELDS = 8;

function service(out: PostfixConfiguration, path: string, { text, line }: LogicalLine): void {
  const words = wordsOf(text);
  if (words.length < FIELDS) {
    out.problems.push({ path, line, says: `${words.length} fields where master.cf has ${FIELDS}` });
    return;
  }
  const [name, type, , , chroot, wakeup, maxproc, command, ...rest] = words as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    ...string[],
  ];
  const overrides: PostfixService['overrides'] = [];
  const others: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    // `-o name=value`, `-oname=value`, and since 3.0 `-o { name = value }`.
    const option = word === '-o' ? (rest[++i] ?? '') : word.startsWith('-o') ? word.slice(2) : null;
    const bare = option?.startsWith('{') ? option.slice(1, -1).trim() : option;
    const [, key, value] = /^([^\s=]+)\s*=\s*(.*)$/s.exec(bare ?? '') ?? [];
    if (option !== null && key) overrides.push({ name: key, value: value! });
    else others.push(option === null ? word : `-o ${option}`);
  }
  out.services.push({
    name,
    type,
    chroot,
    wakeup,
    maxproc,
    command,
    overrides,
    arguments: others,
    path,
    line,
  });
}

/** Words of a master.cf line; what stands in braces is one. */
function wordsOf(text: string): string[] {
  return text.match(/\{[^{}]*\}|\S+/g) ?? [];
}

const DEEPEST = 32;
const LONGEST = 65_536;

/** A value with `$name`, `${name}`, `$(name)`, `${name?text}` and `${name:text}` replaced, as far as known. */
export function expanded(value: string, values: ReadonlyMap<string, string>): string {
  let budget = LONGEST;
  const expand = (text: string, depth: number): string => {
    if (depth > DEEPEST || budget < 0) return text;
    return text.replace(
      /\$\$|\$(?:(\w+)|\{([^{}()]+)\}|\(([^{}()]+)\))/g,
      (whole, plain?: string, braced?: string, round?: string) => {
        if (whole === '$$') return '$';
        const [, name, mark, text = ''] =
          /^\s*(\w+)\s*(?:([?:])(.*))?$/s.exec(plain ?? braced ?? round ?? '') ?? [];
        if (!name) return whole;
        const known = values.get(name);
        // `?` needs a value that is there, `:` one that is not; a parameter not given here has a default unknown to us.
        if (known === undefined) return whole;
        const chosen = mark === undefined ? known : mark === '?' ? (known ? text : '') : known ? '' : text;
        budget -= chosen.length;
        return budget < 0 ? whole : expand(chosen, depth + 1);
      },
    );
  };
  const result = expand(value, 0);
  return budget < 0 ? value : result;
}
