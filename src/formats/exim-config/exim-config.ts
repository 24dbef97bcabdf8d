import { assembled } from './debian.js';
import { type ConfigFile, type LogicalLine, LogicalLines, linesOf, Refused, shown } from './logical-lines.js';
import type { EximConfiguration, EximDriver, EximSetting } from './model.js';
import { isPrinted, readPrinted } from './printed.js';
import { dequoted, retryRule } from './retry-rule.js';

export type { ConfigFile } from './logical-lines.js';

const BEGIN = /^[ \t]*begin[ \t]+(acl|routers?|transports?|retry|rewrite|authenticators?)[ \t]*\r?$/gim;
const DRIVER =
  /^[ \t]*driver[ \t]*=[ \t]*(?:accept|dnslookup|ipliteral|iplookup|manualroute|queryprogram|redirect|appendfile|autoreply|lmtp|pipe|smtp|cram_md5|cyrus_sasl|dovecot|external|gsasl|heimdal_gssapi|plaintext|spa|tls)\b/m;
const IN_CONF_D = /(?:^|\/)conf\.d\/(?:main|acl|router|transport|retry|rewrite|auth)\/[\w-]+(?:\.rul)?$/;
const FRAGMENT =
  /^[ \t]*(?:begin[ \t]+\w|\.(?:ifn?def|include)|[A-Za-z]\w*[ \t]*={1,2}|(?:domain|host|address|localpart)list[ \t]|[\w-]+:[ \t]*\r?$|\S{1,200}[ \t]+\S{1,60}[ \t]+[FGH],)/m;

/**
 * Whether this is Exim's configuration: sections with routers, transports or retry rules, a fragment under Debian's
 * `conf.d/`, Debian's `update-exim4.conf.conf`, or what `exim -bP` prints.
 */
export function detectEximConfig(head: Uint8Array, path: string): boolean {
  if (head.includes(0)) return false;
  const text = Buffer.from(head).toString('latin1');
  if (/^# Exim Configuration \(\d/.test(text) || isPrinted(text)) return true;
  if (/^[ \t]*dc_eximconfig_configtype=/m.test(text)) return true;
  const sections = new Set([...text.matchAll(BEGIN)].map((m) => m[1]!.toLowerCase()));
  if (sections.size >= 2 || (sections.size === 1 && DRIVER.test(text))) return true;
  const isOurs = IN_CONF_D.test(path) || /(?:^|\/)exim4?\.conf(?:\.localmacros|\.template)?$/.test(path);
  // A fragment may hold comments and nothing else: Debian's headings do.
  return isOurs && (FRAGMENT.test(text) || /^(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:#.*)?$/.test(text));
}

/**
 * Reads Exim's configuration.
 *
 * Shape:  the files of one host, in any order: a whole configuration with its includes, or Debian's /etc/exim4 (which
 *         files count, and in which order, follows update-exim4.conf), or the output of `exim -bP`. Every directive
 *         keeps the file and line where it begins. Null when none of the files is a configuration by itself.
 * Units:  values stay text, after macro expansion; times are as written.
 * Errors: `problems` has what Exim would refuse, as far as it can be told without Exim's tables of options (an unknown
 *         option is not noticed); reading goes on. Nothing is thrown.
 * Source: Exim specification, chapters 6 ("The Exim runtime configuration file") and 32 ("Retry configuration");
 *         src/src/readconf.c of Exim 4.99; update-exim4.conf(8).
 */
export function readEximConfig(files: ConfigFile[]): EximConfiguration | null {
  const debian = assembled(files);
  const whole = debian
    ? null
    : (files.find((f) => isPrinted(f.text)) ?? files.find((f) => f.text.search(BEGIN) >= 0) ?? files[0]);
  if (!debian && !whole) return null;
  if (whole && isPrinted(whole.text)) return readPrinted(whole);
  const source = new LogicalLines(debian?.lines ?? linesOf(whole!), files);
  const out: EximConfiguration = {
    scheme: debian?.scheme ?? 'monolithic',
    files: [],
    main: [],
    macros: [],
    routers: [],
    transports: [],
    authenticators: [],
    retry: [],
    problems: source.problems,
    open: source.open,
  };
  const first = debian?.lines[0] ?? { path: whole?.path ?? '', line: 1 };
  if (debian?.says) out.open.push({ path: first.path, line: first.line, says: debian.says });
  readSections(source, out);
  out.macros = [...source.macros.values()];
  out.files = [...source.files];
  return out;
}

type Section = (line: LogicalLine) => void;

function readSections(source: LogicalLines, out: EximConfiguration): void {
  const skip: Section = () => {};
  const sections: Record<string, () => Section> = {
    acls: () => (line) => {
      if (/^[A-Z]\w*\s*=/.test(line.text)) source.define(line);
    },
    authenticators: () => driverSection(source, out.authenticators, 'authenticator'),
    local_scans: () => skip,
    retrys: () => (line) => {
      out.retry.push({ ...retryRule(line.text), path: line.path, line: line.line });
    },
    rewrites: () => skip,
    routers: () => driverSection(source, out.routers, 'router'),
    transports: () => driverSection(source, out.transports, 'transport'),
  };
  const had = new Set<string>();
  const set = new Set<string>();
  let section: Section = (line) => {
    if (/^[A-Z]/.test(line.text)) source.define(line);
    else mainLine(out.main, set, line);
  };
  for (let line = source.next(); line; line = source.next()) {
    const begun = /^begin (.*)$/is.exec(line.text)?.[1]?.trim();
    if (begun === undefined) {
      try {
        section(line);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        source.problem(line, error.message);
      }
      continue;
    }
    // The section may be called `router` or `routers`, and in any case.
    const name = begun.toLowerCase().replace(/s?$/, 's');
    section = skip;
    if (!Object.hasOwn(sections, name))
      source.problem(line, `"${shown(begun)}" is not a known configuration section name`);
    else if (had.has(name))
      source.problem(line, `"${shown(begun)}" section is repeated in the configuration file`);
    else section = sections[name]!();
    had.add(name);
  }
}

function mainLine(into: EximSetting[], set: Set<string>, line: LogicalLine): void {
  const list = /^(?:hide\s+)?((?:domain|host|address|localpart)list)(?:_cache)?\s+(\w+)\s*=\s*(.*)$/s.exec(
    line.text,
  );
  if (list) into.push({ name: `${list[1]} ${list[2]}`, value: list[3]!, path: line.path, line: line.line });
  else option(into, set, line);
}

// These may stand several times in a router or transport; Exim joins them (opt_rep_con, opt_rep_str in route.c, transport.c).
const REPEATABLE = new Set(['condition', 'headers_add', 'headers_remove', 'set']);

function option(into: EximSetting[], set: Set<string>, line: LogicalLine): void {
  const [, spelt, mark, rest = ''] = /^(?:hide\s+)?([A-Za-z]\w*)\s*(=?)\s*(.*)$/s.exec(line.text) ?? [];
  if (!spelt) throw new Refused(`option setting expected: ${shown(line.text)}`);
  if (!mark && rest !== '') throw new Refused(`missing "=" after ${shown(spelt)}`);
  const [, negated, name] = mark ? [null, '', spelt] : /^(not?_)?(\w+)$/.exec(spelt)!;
  if (set.has(name!) && !REPEATABLE.has(name!))
    throw new Refused(`"${shown(name!)}" option set for the second time`);
  set.add(name!);
  let value = mark ? rest : String(!negated);
  if (mark && value.startsWith('"')) {
    const read = dequoted(value);
    if (!read.closed) throw new Refused(`missing quote at end of string value for ${shown(name!)}`);
    if (read.rest.trim() !== '')
      throw new Refused(`extra characters follow string value for ${shown(name!)}`);
    value = read.value;
  }
  into.push({ name: name!, value, path: line.path, line: line.line });
}

function driverSection(source: LogicalLines, into: EximDriver[], kind: string): Section {
  let current: EximDriver | null = null;
  let set = new Set<string>();
  return (line) => {
    const [, name = '', mark = '', rest = ''] = /^([A-Za-z]\w*)\s*([:=]?)(.*)$/s.exec(line.text) ?? [];
    if (mark === '=' && /^[A-Z]/.test(name)) {
      // A macro ends the driver before it.
      current = null;
      source.define(line);
      return;
    }
    if (mark === ':') {
      if (into.some((d) => d.name === name))
        source.problem(line, `there are two ${kind}s called "${shown(name)}"`);
      if (rest.trim() !== '') source.problem(line, `extra characters follow driver name ${shown(name)}`);
      current = { name, driver: null, options: [], path: line.path, line: line.line };
      set = new Set();
      into.push(current);
      return;
    }
    if (!current) throw new Refused(`${kind} name missing`);
    option(current.options, set, line);
    if (name === 'driver') current.driver = current.options.at(-1)?.value ?? null;
  };
}
