import type { ByteRows } from '../byte-rows.js';
import { Unread } from '../unread.js';
import { SyslogClock, UNZONED } from './times.js';

/** How a line's time is written; a file may change from one to another when the system was upgraded. */
export type Stamp = 'rfc3164' | 'iso' | 'rfc5424' | 'journal-json';

const SPACE = 32;
const isDigit = (c: number | undefined) => c !== undefined && c >= 48 && c <= 57;

/**
 * What stands before a program's own text in a line of syslog: time, host, program and process number.
 *
 * Shape:  positions in the line's bytes; the journal's JSON is read by journal.ts.
 * Units:  see times.ts.
 * Errors: a reason why the line is unread.
 * Source: RFC 3164 section 4.1, RFC 5424 section 6, rsyslog.conf(5), journalctl(1), Solaris syslogd(1M) message ids
 *         (`[ID 197553 mail.info]`), FreeBSD syslogd(8) -v (`<mail.info>`).
 */
export class SyslogPrefix {
  stamp: Stamp = 'rfc3164';
  seconds = 0;
  zone = UNZONED;
  /** -1: not logged. */
  pid = -1;
  tagStart = 0;
  tagEnd = 0;
  /** Where the program's own text begins. */
  body = 0;
  private readonly clock: SyslogClock;

  /** @param lastAt  see `withYear` */
  constructor(lastAt: number | null) {
    this.clock = new SyslogClock(lastAt);
  }

  read(bytes: Pick<ByteRows, 'buffer' | 'indexOfByte'>, start: number, end: number): Unread {
    const b = bytes.buffer;
    let p = start;
    if (b[p] === 60) {
      p = this.priority(b, p, end);
      if (p < 0) return Unread.noMatch;
      if (isDigit(b[p]) && b[p + 1] === SPACE) return this.rfc5424(bytes, p + 2, end);
    }
    const { clock } = this;
    // journalctl -o short-full: `Mon 2026-11-23 12:44:05 CET`.
    const full = b[p + 3] === SPACE && isDigit(b[p + 4]) && b[p + 8] === 45 && p + 8 < end;
    if (full) p += 4;
    const c = b[p]!;
    if (c >= 48 && c <= 57) {
      this.stamp = 'iso';
      this.seconds = clock.iso(b, p, end);
      if (full && this.seconds >= 0) this.zoneName(bytes, clock.end, end);
    } else {
      this.stamp = 'rfc3164';
      this.seconds = clock.bsd(b, p, end);
    }
    // Year 1970 to 9999; a comparison that NaN fails.
    if (!(this.seconds >= 0 && this.seconds < 253_402_300_800)) return Unread.badTime;
    this.zone = clock.zone;
    p = clock.end;
    if (p >= end || b[p] !== SPACE) return Unread.noMatch;
    p++;
    if (b[p] === 60) {
      const close = bytes.indexOfByte(62, p, Math.min(end, p + 40));
      if (b[close] === 62 && b[close + 1] === SPACE) p = close + 2;
    }
    const host = p;
    p = bytes.indexOfByte(SPACE, p, end);
    if (p >= end) return Unread.noMatch;
    // A line without a host has its program here: "postfix/smtp[12]:".
    return this.tag(b, b[p - 1] === 58 ? host : p + 1, end);
  }

  /** Only UTC is one zone everywhere; with any other name the time stays wall time. */
  private zoneName(bytes: Pick<ByteRows, 'buffer' | 'indexOfByte'>, at: number, end: number): void {
    const { clock } = this;
    const b = bytes.buffer;
    if (at >= end || b[at] !== SPACE) return;
    clock.end = bytes.indexOfByte(SPACE, at + 1, end);
    if (clock.end - at === 4 && b[at + 1] === 85 && b[at + 2] === 84 && b[at + 3] === 67) clock.zone = 0;
  }

  /** Behind `<PRI>`, or -1. */
  private priority(b: Uint8Array, start: number, end: number): number {
    let p = start + 1;
    while (p < end && p < start + 4 && isDigit(b[p])) p++;
    return p > start + 1 && p < end && b[p] === 62 ? p + 1 : -1;
  }

  /** `postfix/smtp[123]: ` and `postfix/smtp: `. */
  private tag(b: Uint8Array, start: number, end: number): Unread {
    let p = start;
    let c = 0;
    for (; p < end; p++) {
      c = b[p]!;
      if (c === 91 || c === 58 || c === SPACE) break;
    }
    this.tagStart = start;
    this.tagEnd = p;
    this.pid = -1;
    if (p >= end || p === start) return Unread.noMatch;
    if (c === 91) {
      p = this.number(b, p + 1, end);
      if (b[p] === 93 && p < end) p++;
    }
    if (p < end && b[p] === 58) p++;
    if (p < end && b[p] === SPACE) p++;
    if (b[p] === 91 && b[p + 1] === 73 && b[p + 2] === 68 && b[p + 3] === SPACE)
      p = this.messageId(b, p, end);
    this.body = Math.min(p, end);
    return Unread.none;
  }

  private number(b: Uint8Array, start: number, end: number): number {
    let value = 0;
    let p = start;
    for (; p < end && isDigit(b[p]); p++) if (value < 1e10) value = value * 10 + b[p]! - 48;
    if (p > start && value <= 0x7fff_ffff) this.pid = value;
    return p;
  }

  /** Behind Solaris's `[ID 197553 mail.info] `. */
  private messageId(b: Uint8Array, start: number, end: number): number {
    for (let p = start; p < end && p < start + 40; p++)
      if (b[p] === 93) return b[p + 1] === SPACE ? p + 2 : p + 1;
    return start;
  }

  /** Behind the version: `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`. */
  private rfc5424(bytes: Pick<ByteRows, 'buffer' | 'indexOfByte'>, start: number, end: number): Unread {
    const b = bytes.buffer;
    const { clock } = this;
    this.stamp = 'rfc5424';
    this.seconds = clock.iso(b, start, end);
    if (!(this.seconds >= 0 && this.seconds < 253_402_300_800)) return Unread.badTime;
    this.zone = clock.zone;
    let p = clock.end;
    if (b[p] !== SPACE) return Unread.noMatch;
    p = bytes.indexOfByte(SPACE, p + 1, end) + 1;
    this.tagStart = p;
    this.tagEnd = bytes.indexOfByte(SPACE, p, end);
    p = this.tagEnd + 1;
    if (p >= end) return Unread.noMatch;
    this.pid = -1;
    this.number(b, p, end);
    p = bytes.indexOfByte(SPACE, p, end) + 1;
    p = bytes.indexOfByte(SPACE, p, end) + 1;
    if (p >= end) return Unread.noMatch;
    if (b[p] === 45) p++;
    else {
      while (p < end && b[p] === 91) {
        p = this.elementEnd(b, p, end);
        if (p < 0) return Unread.brokenOff;
      }
    }
    if (p < end && b[p] === SPACE) p++;
    // MSG may begin with a byte order mark (section 6.4).
    if (b[p] === 0xef && b[p + 1] === 0xbb && b[p + 2] === 0xbf) p += 3;
    // rsyslog hands the space behind a tag on; and of `postfix/smtp` its APP-NAME keeps `postfix`.
    if (p < end && b[p] === SPACE) p++;
    this.body = Math.min(p, end);
    return Unread.none;
  }

  /** Behind `[id name="value" …]`; in a value `"`, `\` and `]` are escaped. */
  private elementEnd(b: Uint8Array, start: number, end: number): number {
    let quoted = false;
    for (let p = start; p < end; p++) {
      const c = b[p];
      if (quoted && c === 0x5c) p++;
      else if (c === 34) quoted = !quoted;
      else if (c === 93 && !quoted) return p + 1;
    }
    return -1;
  }
}
