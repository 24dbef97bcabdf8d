import { headLines, linesOf } from '../text-lines.js';

/**
 * `connect`: a connection is begun; `connected`, `connect-failed`; `fast-open-tried`, `fast-open-refused`: what
 * hosts_try_fastopen says of the host; `fast-open-mode`: how the system took the attempt; `fast-open-state`: segments
 * unacknowledged when connected; `smtp-sent`, `smtp-received`: verb or code, never content; `tls-write-failed`: the TLS
 * library could not send; `write-failed`: the system refused a write; `tls-error`; `timeout`; `closed`.
 */
export type DebugKind =
  | 'connect'
  | 'connected'
  | 'connect-failed'
  | 'fast-open-tried'
  | 'fast-open-refused'
  | 'fast-open-mode'
  | 'fast-open-state'
  | 'smtp-sent'
  | 'smtp-received'
  | 'tls-write-failed'
  | 'write-failed'
  | 'tls-error'
  | 'timeout'
  | 'closed';

export interface DebugEvent {
  pid: number | null;
  /** Seconds since midnight, host's wall time; debug output has no date, and often no time. */
  clock_s: number | null;
  kind: DebugKind;
  /** Of the connection that this process has open. */
  mail_host: string | null;
  ip: string | null;
  /** SMTP code, errno, `outbytes` of a failed TLS write, or unacknowledged segments. */
  code: number | null;
  text: string;
  line: number;
}

export interface EximDebug {
  /** `4.96`; null when the beginning is missing. */
  version: string | null;
  events: DebugEvent[];
  lines: number;
}

const BANNER = /^Exim version (\d[\w.]{0,20}) uid=\d+ gid=\d+ pid=\d+ D=[0-9a-f]+$/;
const PREFIX = /^(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))? )?(?: {0,4}(\d{1,10}) )?/;
const CONNECT =
  /^Connecting to (.{1,255}?) \[([0-9a-fA-F.:]{2,45})\](?::(\d{1,5}))?(?: from \S{1,60})? \.\.\. ?(.*)$/;
/** From 4.99 on the words are the same, with the interface behind the port. */
const TRIES = /\bin hosts_try_fastopen\? (yes|no)\b/;
const MODE = /^(?:TFO mode |non-TFO mode |Tried TCP Fast Open |Clearing TFO )/;
const UNACKED = /^TCP_FASTOPEN tcpi_unacked (\d{1,9})/;
const SENT = /^SMTP(?:\((\w[\w ]{0,20})\)>>|[|+>]>) ?(.*)$/;
const RECEIVED = /^SMTP<< (\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3})\b)?/;
const STRANGE = /^SMTP\((closed|drain \d{1,9} bytes|[\w ,.'-]{1,60})\)<</;
const OUTBYTES = /^outbytes=(-\d{1,9})(?: error=\d{1,6})?$/;
const WRITING = /^writing error (\d{1,6}): /;
const FAILED = /^(?:sock_connect )?failed: (.{1,100})$/;
const TLS_ERROR = /\b(?:TLS error on connection|TLS session: |SSL_write error|gnutls_record_send err)/;
const TIMEOUT = /\b(?:timeout after|Connection timed out|SMTP timeout)/;
const VERB =
  /^(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|QUIT|STARTTLS|AUTH|NOOP|VRFY|EXPN|ETRN|ATRN|XCLIENT)\b/i;
/** Lines that only debug output has. */
const TELLING =
  /^\s*(?:SMTP[|+>]> |SMTP<< \d{3}|SMTP\(close\)>>|cmd buf flush \d|read response data: size=\d|set_process_info: |writing data block fd=\d|Connecting to \S+ \[[\d.:a-fA-F]+\]|tls_write\(0x|LOG: (?:MAIN|PANIC|smtp_)|search_tidyup called|changed uid\/gid: |gnutls_record_send\(|Trying spool file )/;
/** Every line that is an event has one of these; most lines have none. */
const HINT =
  /Connecting to |in hosts_try_fastopen\?|TFO |TCP_FASTOPEN|TCP Fast Open|SMTP|outbytes=-|writing error |failed: |TLS |SSL_write|gnutls_record_send err|timeout after|timed out|connected$|Exim version /;
const LONGEST = 2_000;

/** Whether a text is what Exim prints with -d: its banner, or lines that nothing else prints. */
export function detectEximDebug(head: Uint8Array): boolean {
  const lines = headLines(head);
  if (!lines) return false;
  let telling = 0;
  for (const line of lines) {
    const text = line.slice(PREFIX.exec(line)?.[0].length ?? 0, LONGEST);
    if (BANNER.test(text)) return true;
    if (TELLING.test(text)) telling++;
  }
  return telling >= 3 && telling * 20 >= lines.length;
}

/**
 * exim-debug: what deliveries did, as `exim -d` shows it.
 *
 * Shape:  one event per line that tells of a connection, Fast Open, an SMTP exchange or a failed write, in file order.
 *         Of SMTP only verbs and codes are kept. All other lines are passed over: debug output is free text.
 * Units:  `clock_s` in seconds since midnight.
 * Errors: none; no line of debug output is wrong.
 * Source: debug_vprintf in Exim's src/debug.c; smtp_out.c (Connecting to, SMTP<<), ip.c (TFO mode), transport.c
 *         (writing error), tls-gnu.c and tls-openssl.c (outbytes), transports/smtp.c (SMTP>>). Tried on Exim 4.96.
 *         `fast-open-mode` proves an attempt, not that a cookie was used.
 */
export function readEximDebug(text: string): EximDebug {
  const out: EximDebug = { version: null, events: [], lines: 0 };
  const connections = new Map<number | null, { mail_host: string; ip: string }>();
  for (const [index, whole] of linesOf(text).entries()) {
    out.lines++;
    const line = whole.slice(0, LONGEST).trimEnd();
    if (!HINT.test(line)) continue;
    const [prefix, hours, minutes, seconds, millis, pidText] = PREFIX.exec(line)!;
    const said = line.slice(prefix.length).trimStart();
    const pid = pidText === undefined ? null : Number(pidText);
    const clock_s =
      hours === undefined
        ? null
        : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(millis ?? 0) / 1000;
    const banner = BANNER.exec(said);
    if (banner) out.version ??= banner[1]!;
    const connect = CONNECT.exec(said);
    if (connect) connections.set(pid, { mail_host: connect[1]!, ip: connect[2]! });
    const { mail_host = null, ip = null } = connections.get(pid) ?? {};
    const add = (kind: DebugKind, what: string, code: number | null = null) =>
      out.events.push({ pid, clock_s, kind, mail_host, ip, code, text: what, line: index + 1 });
    if (connect) add('connect', `port ${connect[3] ?? '25'}`);
    for (const [kind, what, code] of eventsOf(connect ? connect[4]! : said)) add(kind, what, code);
  }
  return out;
}

type Told = [kind: DebugKind, text: string, code: number | null];

function eventsOf(said: string): Told[] {
  const tries = TRIES.exec(said)?.[1];
  if (tries) return [[tries === 'yes' ? 'fast-open-tried' : 'fast-open-refused', said, null]];
  if (said === 'connected') return [['connected', said, null]];
  if (MODE.test(said)) return [['fast-open-mode', said, null]];
  const unacked = UNACKED.exec(said);
  if (unacked) return [['fast-open-state', said, Number(unacked[1])]];
  const sent = SENT.exec(said);
  if (sent) {
    if (sent[1] === 'close') return [['closed', 'close', null]];
    const verb = VERB.exec(sent[2]!)?.[0].toUpperCase();
    const what = sent[2]!.startsWith('(writing message)') ? '(writing message)' : verb;
    return what === undefined ? [] : [['smtp-sent', what, null]];
  }
  const received = RECEIVED.exec(said);
  if (received)
    return [['smtp-received', [received[1], received[2]].filter(Boolean).join(' '), Number(received[1])]];
  const strange = STRANGE.exec(said);
  if (strange) return [[/timed out/.test(strange[1]!) ? 'timeout' : 'closed', strange[1]!, null]];
  const outbytes = OUTBYTES.exec(said);
  if (outbytes) return [['tls-write-failed', said, Number(outbytes[1])]];
  const writing = WRITING.exec(said);
  if (writing) return [['write-failed', said, Number(writing[1])]];
  const failed = FAILED.exec(said);
  if (failed) return [['connect-failed', failed[1]!, null]];
  if (TLS_ERROR.test(said)) return [['tls-error', said.slice(0, 300), null]];
  return TIMEOUT.test(said) ? [['timeout', said.slice(0, 300), null]] : [];
}
