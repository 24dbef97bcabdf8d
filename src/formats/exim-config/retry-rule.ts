import { TIME_UNITS } from '../../knowledge/retry-defaults.js';
import { Refused, shown } from './logical-lines.js';

/** A retry rule as written, with its error condition in the spelling of the specification. */
export interface RetryRule {
  pattern: string;
  /** `*`, `timeout_connect_MX`, `rcpt_4xx`, `quota_345600s` … */
  error: string;
  /** The address list of `senders=`, or null. */
  senders: string | null;
  /** Parameter sets in order, `F,2h,15m`; none means that there are no retries. */
  parameters: string[];
  path: string;
  line: number;
}

/** Seconds of an Exim time such as `1h30m`, or null. Source: readconf_readtime in src/src/readconf.c. */
function eximTime(text: string): number | null {
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) return null;
  let seconds = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)([smhdw])/g)) seconds += Number(n) * TIME_UNITS[unit!]!;
  return seconds;
}

/** A word, or a quoted string with its escapes undone, and what follows. Source: string_dequote in src/src/string.c. */
export function dequoted(text: string): { value: string; rest: string; closed: boolean } {
  if (!text.startsWith('"')) {
    const word = /^\S*/.exec(text)![0];
    return { value: word, rest: text.slice(word.length), closed: true };
  }
  const quoted = /^"((?:[^"\\]|\\.)*)("?)/s.exec(text)!;
  return {
    value: unescaped(quoted[1]!),
    rest: text.slice(quoted[0].length),
    closed: quoted[2] === '"',
  };
}

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Source: string_interpret_escape in src/src/string.c. */
function unescaped(text: string): string {
  return text.replace(/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))/gs, (_, octal, hex, other) =>
    octal
      ? String.fromCharCode(Number.parseInt(octal, 8) & 255)
      : hex
        ? String.fromCharCode(Number.parseInt(hex, 16))
        : (ESCAPES[other] ?? other),
  );
}

/**
 * Reads one line of the retry section.
 *
 * Errors: throws `Refused` with Exim's own wording for what Exim would refuse.
 * Source: Exim specification, chapter "Retry configuration"; readconf_retries in src/src/readconf.c.
 */
export function retryRule(text: string): Omit<RetryRule, 'path' | 'line'> {
  const { value: pattern, rest: afterPattern } = dequoted(text);
  let rest = afterPattern.trimStart();
  const written = /^[\x21-\x7e]*/.exec(rest)![0];
  if (written === '') throw new Refused('missing error type in retry rule');
  const error = retryError(written);
  rest = rest.slice(written.length).trimStart();
  let senders: string | null = null;
  if (rest.startsWith('senders')) {
    rest = rest.slice('senders'.length).trimStart();
    if (!rest.startsWith('=')) throw new Refused('"=" expected after "senders" in retry rule');
    const read = dequoted(rest.slice(1).trimStart());
    senders = read.value;
    rest = read.rest.trimStart();
  }
  const parameters: string[] = [];
  while (rest !== '') {
    const letter = rest[0]!.toUpperCase();
    const args: string[] = [];
    rest = rest.slice(1);
    const wanted = letter === 'F' ? 2 : 3;
    while (args.length < wanted) {
      if (!rest.startsWith(',')) throw new Refused('comma expected');
      rest = rest.slice(1).trimStart();
      // The factor of G and H is the only argument with a point in it.
      const arg = (args.length === 2 ? /^[A-Za-z0-9.]*/ : /^[A-Za-z0-9]*/).exec(rest)![0];
      rest = rest.slice(arg.length);
      if (rest !== '' && !/^[\s,;]/.test(rest)) throw new Refused('comma or semicolon expected');
      args.push(arg);
      if (args.length === 1 && !/[FGH]/.test(letter)) throw new Refused('unknown retry rule letter');
    }
    const [cutoff, first, factor] = args;
    const isFactor = factor === undefined || (/^\d{1,6}(?:\.\d*)?$/.test(factor) && Number(factor) >= 1);
    if (!eximTime(cutoff!) || !eximTime(first!) || !isFactor)
      throw new Refused('bad parameters for retry rule');
    parameters.push([letter, ...args].join(','));
    rest = rest.trimStart();
    if (rest.startsWith(';')) rest = rest.slice(1).trimStart();
    else if (rest !== '') throw new Refused('semicolon expected');
  }
  return { pattern, error, senders, parameters };
}

/** Exim takes a beginning of these names for the whole, in any case. */
const isStartOf = (whole: string, text: string) => whole.toLowerCase().startsWith(text.toLowerCase());

/**
 * An error condition in the spelling of the specification.
 *
 * Errors: throws `Refused`. Source: readconf_retry_error in src/src/readconf.c.
 */
function retryError(text: string): string {
  const [, word = '', mark, detail = ''] = /^([^_]*)(_?)(.*)$/s.exec(text)!;
  const head = word.toLowerCase();
  if (head === 'quota') {
    if (!mark) return 'quota';
    const unread = eximTime(detail);
    if (unread === null) throw new Refused('bad time value');
    return `quota_${unread}s`;
  }
  if (head === 'refused') {
    if (!mark) return 'refused';
    const kind = ['MX', 'A'].find((k) => isStartOf(k, detail));
    if (!kind) throw new Refused('A or MX expected after "refused"');
    return `refused_${kind}`;
  }
  if (head === 'timeout') {
    if (!mark) return 'timeout';
    const kind = ['A', 'MX', 'connect', 'connect_A', 'connect_MX'].find((k) => isStartOf(k, detail));
    if (kind) return `timeout_${kind}`;
    if (isStartOf('DNS', detail)) return 'timeout';
    throw new Refused('"A", "MX", or "connect" expected after "timeout"');
  }
  if (/^(?:mail|rcpt|data)_4/i.test(text)) {
    if (!/^.{6}(?:xx|\dx|\d\d)$/s.test(text))
      throw new Refused(
        `${text.slice(0, 4)}_4 must be followed by xx, dx, or dd, where x is literal and d is any digit`,
      );
    return text.toLowerCase();
  }
  if (head === 'auth' && isStartOf('failed', detail)) return 'auth_failed';
  for (const name of ['lost_connection', 'tls_required', 'lookup']) if (isStartOf(name, text)) return name;
  if (text === '*') return '*';
  throw new Refused(`unknown or malformed retry error "${shown(text)}"`);
}
