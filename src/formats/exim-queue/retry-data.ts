import { isIPv6 } from 'node:net';
import { linesOf, MESSAGE_ID } from './exim-queue.js';

/**
 * What Exim remembers of something that failed. A key is of a routing (`R`) or a transport (`T`), and speaks of a host
 * (all mail to it waits), of one message at a host, or of an address (with the sender, where the transport keeps it).
 */
export interface RetryRecord {
  kind: 'routing' | 'transport';
  about: 'host' | 'message' | 'address' | 'domain';
  host: string | null;
  ip: string | null;
  port: number | null;
  messageId: string | null;
  /** Recipient address or domain. */
  address: string | null;
  /** Sender that the address is delayed for, empty for bounces, null when for all. */
  sender: string | null;
  /** errno; negative ones are Exim's own (macros.h: -44 a 4xx to RCPT, -45 to MAIL, -46 to DATA). */
  errno: number;
  moreErrno: number | null;
  message: string;
  /** Local wall time of the host. */
  first_failed: string | null;
  last_tried: string | null;
  next_try: string | null;
  /** Past the final cutoff of its rule. */
  expired: boolean;
  line: number;
}

export interface RetryData {
  records: RetryRecord[];
  lines: number;
  unread: number[];
}

const DUMPED = /^ {1,4}([RT]):(\S{1,2000}) (-?\d{1,6}) (-?\d{1,9}) (.*)$/;
const TOLD = /^(Transport|Route): (.{1,2000}?) error (-?\d{1,6}): (.*)$/;
const STAMP = String.raw`\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d`;
const TIMES = new RegExp(String.raw`^(${STAMP})  (${STAMP})  (${STAMP}) ?(\*?)\s*$`);
const ONE_TIME = new RegExp(String.raw`^ {2}(first failed|last tried|next try at): +(${STAMP})\s*$`);
const NOTHING = /^(?:No retry data found for |No remote hosts found for |.* cannot be resolved)/;

/** Whether a text is what `exinext` prints or `exim_dumpdb SPOOL retry`. */
export function detectRetryData(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  const lines = Buffer.from(head).toString('latin1').split('\n', 40);
  return lines.some(
    (line, i) =>
      (DUMPED.test(line) && TIMES.test(lines[i + 1] ?? '')) ||
      (TOLD.test(line) && ONE_TIME.test(lines[i + 1] ?? '')) ||
      line.startsWith('No retry data found for '),
  );
}

/**
 * exim retry data: what failed last, why, and when it is tried next.
 *
 * Shape:  one record per key, in the order printed.
 * Units:  times are local wall time, ISO 8601 without a zone.
 * Errors: a line of no known form is counted in `unread` by its number; a record may lack its times when they are cut
 *         off. In exinext's lines an IPv6 host's port cannot be told from its address and is left in it.
 * Source: Exim specification, sections on exinext and exim_dumpdb; src/util/exinext and src/src/exim_dbutil.c; keys
 *         from src/src/retry.c (retry_host_key_build) and deliver.c. Tried on the output of Exim 4.96.
 */
export function readRetryData(text: string): RetryData {
  const out: RetryData = { records: [], lines: 0, unread: [] };
  let current: RetryRecord | null = null;
  for (const [index, line] of linesOf(text).entries()) {
    out.lines++;
    if (line.trim() === '') continue;
    const dumped = DUMPED.exec(line);
    const told = dumped ? null : TOLD.exec(line);
    const times = TIMES.exec(line);
    const one = ONE_TIME.exec(line);
    if (dumped || told) {
      const [, kind, key, errno] = (dumped ?? told)!;
      current = {
        kind: kind!.startsWith('R') ? 'routing' : 'transport',
        ...(dumped ? subjectOfKey(key!) : subjectTold(key!)),
        errno: Number(errno),
        moreErrno: dumped ? Number(dumped[4]) : null,
        message: dumped ? dumped[5]! : told![4]!,
        first_failed: null,
        last_tried: null,
        next_try: null,
        expired: false,
        line: index + 1,
      };
      out.records.push(current);
    } else if (current && times) {
      current.first_failed = wallTime(times[1]!);
      current.last_tried = wallTime(times[2]!);
      current.next_try = wallTime(times[3]!);
      current.expired = times[4] === '*';
      current = null;
    } else if (current && one) {
      if (one[1] === 'first failed') current.first_failed = wallTime(one[2]!);
      else if (one[1] === 'last tried') current.last_tried = wallTime(one[2]!);
      else current.next_try = wallTime(one[2]!);
    } else if (current && /^ {2}past final cutoff time\s*$/.test(line)) current.expired = true;
    else if (!NOTHING.test(line)) out.unread.push(index + 1);
  }
  return out;
}

type Subject = Pick<RetryRecord, 'about' | 'host' | 'ip' | 'port' | 'messageId' | 'address' | 'sender'>;

const NOBODY: Subject = {
  about: 'domain',
  host: null,
  ip: null,
  port: null,
  messageId: null,
  address: null,
  sender: null,
};
const WITH_MESSAGE = new RegExp(`^(.*):(${MESSAGE_ID})$`);

/** `host:ip[:port][:message]`, `local@domain[:<sender>]` or `domain`. */
function subjectOfKey(key: string): Subject {
  const withSender = /^(.*?@.*?):<(.*)>$/.exec(key);
  if (withSender) return { ...NOBODY, about: 'address', address: withSender[1]!, sender: withSender[2]! };
  if (key.includes('@')) return { ...NOBODY, about: 'address', address: key };
  const [, before, messageId = null] = WITH_MESSAGE.exec(key) ?? [null, key, null];
  // An address that stands for a host name is in brackets, as is an IPv6 address since 4.97.
  const [, bracketed, name, rest] = /^(?:\[(.*?)\]|([^:]*)):(.*)$/s.exec(before!) ?? [];
  if (rest === undefined) return { ...NOBODY, address: key };
  const { ip, port } = addressAndPort(rest);
  const host = bracketed ?? name ?? null;
  return { ...NOBODY, about: messageId ? 'message' : 'host', host, ip, port, messageId };
}

function addressAndPort(text: string): { ip: string; port: number | null } {
  const bracketed = /^\[(.*)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed) return { ip: bracketed[1]!, port: bracketed[2] ? Number(bracketed[2]) : null };
  if (isIPv6(text)) return { ip: text, port: null };
  const [, ip = text, port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  return { ip, port: port ? Number(port) : null };
}

/** exinext's `host [ip][:port][ message]`. */
function subjectTold(text: string): Subject {
  const told = new RegExp(String.raw`^(\S+) \[(\S*)\](?::(\d{1,5}))?(?: (${MESSAGE_ID}))?$`).exec(text);
  if (!told) return subjectOfKey(text);
  const [, host, ip, port, messageId = null] = told;
  return {
    ...NOBODY,
    about: messageId ? 'message' : 'host',
    host: host!,
    ip: ip!,
    port: port ? Number(port) : null,
    messageId,
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `23-Nov-2026 12:45:39` as ISO 8601; null for a month that is none. */
function wallTime(stamp: string): string | null {
  const month = MONTHS.indexOf(stamp.slice(3, 6)) + 1;
  return month === 0
    ? null
    : `${stamp.slice(7, 11)}-${String(month).padStart(2, '0')}-${stamp.slice(0, 2)}T${stamp.slice(12)}`;
}
