import { Unread } from '../unread.js';

const FIELDS = {
  MESSAGE: 1,
  SYSLOG_IDENTIFIER: 2,
  _PID: 3,
  SYSLOG_PID: 4,
  __REALTIME_TIMESTAMP: 5,
} as const;

const NAMES = Object.entries(FIELDS).map(([name, field]) => ({ bytes: Buffer.from(name), field }));
const SLACK = 8;
/** Ends each text, as a line ends in a file. A value is at least two bytes longer with its quotes. */
const NEWLINE = 10;

const isSpace = (c: number | undefined) => c === 32 || c === 9 || c === 13;

/**
 * One entry of the journal as JSON: a program and its text, copied out of their escapes.
 *
 * Shape:  `buffer` holds the program's name in [tagStart, tagEnd) and its text in [body, end).
 * Units:  `seconds` since 1970 in UTC: the journal counts microseconds.
 * Errors: `badJson` for what is no object with a time, `noMatch` for an entry without a program or text.
 * Source: systemd "Journal Export Formats", section "Journal JSON Format": values are strings, arrays of bytes when
 *         they are no UTF-8, arrays of values when a field occurs several times, null when they are too large.
 */
export class JournalEntry {
  buffer = new Uint8Array(4096);
  view = new DataView(this.buffer.buffer);
  seconds = 0;
  pid = -1;
  tagStart = 0;
  tagEnd = 0;
  body = 0;
  end = 0;
  private used = 0;
  private valueStart = 0;
  private p = 0;
  private from: Uint8Array = new Uint8Array(0);
  private stop = 0;

  read(from: Uint8Array, start: number, stop: number): Unread {
    // No escape is shorter than what it stands for.
    if (this.buffer.length < stop - start + SLACK) {
      this.buffer = new Uint8Array((stop - start) * 2 + SLACK);
      this.view = new DataView(this.buffer.buffer);
    }
    this.from = from;
    this.stop = stop;
    this.p = start;
    this.used = 0;
    this.seconds = Number.NaN;
    this.pid = -1;
    this.tagStart = this.tagEnd = this.body = this.end = 0;
    if (!this.byte(123)) return Unread.badJson;
    for (let first = true; !this.byte(125); first = false) {
      if (!first && !this.byte(44)) return Unread.badJson;
      if (!this.text()) return Unread.badJson;
      const field = this.field();
      this.used = this.valueStart;
      if (!this.byte(58) || !this.value(0)) return Unread.badJson;
      const { buffer, valueStart, used } = this;
      if (field === FIELDS.MESSAGE) {
        this.body = valueStart;
        this.end = used;
        buffer[this.used++] = NEWLINE;
      } else if (field === FIELDS.SYSLOG_IDENTIFIER) {
        this.tagStart = valueStart;
        this.tagEnd = used;
        buffer[this.used++] = NEWLINE;
      } else {
        if (field === FIELDS.__REALTIME_TIMESTAMP) this.seconds = decimal(buffer, valueStart, used) / 1e6;
        else if (field === FIELDS._PID || (field === FIELDS.SYSLOG_PID && this.pid < 0)) {
          const pid = decimal(buffer, valueStart, used);
          this.pid = pid <= 0x7fff_ffff ? pid : -1;
        }
        this.used = valueStart;
      }
    }
    // Year 1970 to 9999; a comparison that NaN fails.
    if (!(this.seconds >= 0 && this.seconds < 253_402_300_800)) return Unread.badJson;
    return this.tagEnd > this.tagStart && this.end > this.body ? Unread.none : Unread.noMatch;
  }

  private byte(c: number): boolean {
    while (this.p < this.stop && isSpace(this.from[this.p])) this.p++;
    if (this.p >= this.stop || this.from[this.p] !== c) return false;
    this.p++;
    return true;
  }

  private field(): number {
    const { buffer, valueStart, used } = this;
    const length = used - valueStart;
    for (const { bytes, field } of NAMES) {
      if (bytes.length !== length) continue;
      let k = 0;
      while (k < length && buffer[valueStart + k] === bytes[k]) k++;
      if (k === length) return field;
    }
    return 0;
  }

  /** A value, copied to [valueStart, used): text, the bytes of an array, the first of several values. */
  private value(depth: number): boolean {
    while (this.p < this.stop && isSpace(this.from[this.p])) this.p++;
    this.valueStart = this.used;
    const c = this.from[this.p];
    if (this.p >= this.stop) return false;
    if (c === 34) return this.text();
    if (c === 91) return depth < 2 && this.list(depth);
    return this.bare();
  }

  /** null, true, false and numbers; null is nothing. */
  private bare(): boolean {
    const { from, buffer, stop } = this;
    const start = this.p;
    for (; this.p < stop; this.p++) {
      const c = from[this.p]!;
      if (c === 44 || c === 125 || c === 93 || isSpace(c)) break;
      if (c === 123 || c === 91 || c === 34) return false;
      buffer[this.used++] = c;
    }
    if (from[start] === 110) this.used = this.valueStart;
    return this.p > start;
  }

  private list(depth: number): boolean {
    this.p++;
    const begin = this.used;
    let kept = begin;
    for (let first = true; !this.byte(93); first = false) {
      if (!first && !this.byte(44)) return false;
      while (this.p < this.stop && isSpace(this.from[this.p])) this.p++;
      const c = this.from[this.p];
      if (c !== undefined && c >= 48 && c <= 57) {
        this.valueStart = this.used = kept;
        if (!this.bare()) return false;
        const byte = decimal(this.buffer, kept, this.used);
        if (!(byte <= 255)) return false;
        this.buffer[kept++] = byte;
      } else {
        this.used = kept;
        if (!this.value(depth + 1)) return false;
        // Of several values the first one counts.
        if (first) kept = this.used;
      }
      this.used = kept;
    }
    this.valueStart = begin;
    this.used = kept;
    return true;
  }

  private text(): boolean {
    if (!this.byte(34)) return false;
    const { from, buffer, stop } = this;
    this.valueStart = this.used;
    let n = this.used;
    for (let p = this.p; p < stop; p++) {
      const c = from[p]!;
      if (c === 34) {
        this.p = p + 1;
        this.used = n;
        return true;
      }
      if (c !== 0x5c) {
        buffer[n++] = c;
        continue;
      }
      const next = from[++p];
      if (next === 117) {
        let unit = hex4(from, p + 1, stop);
        if (!(unit >= 0)) return false;
        p += 4;
        if (unit >= 0xd800 && unit < 0xdc00 && from[p + 1] === 0x5c && from[p + 2] === 117) {
          const low = hex4(from, p + 3, stop);
          if (low >= 0xdc00 && low < 0xe000) {
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
          }
        }
        n = utf8(buffer, n, unit);
      } else {
        const plain = next === undefined ? undefined : ESCAPES[next];
        if (plain === undefined) return false;
        buffer[n++] = plain;
      }
    }
    return false;
  }
}

/** RFC 8259, section 7. */
const ESCAPES: Record<number, number> = {
  34: 34,
  92: 92,
  47: 47,
  98: 8,
  102: 12,
  110: 10,
  114: 13,
  116: 9,
};

function hex4(b: Uint8Array, i: number, stop: number): number {
  if (i + 4 > stop) return Number.NaN;
  let value = 0;
  for (let k = i; k < i + 4; k++) {
    const c = b[k]!;
    const letter = c | 32;
    const digit = c >= 48 && c <= 57 ? c - 48 : letter >= 97 && letter <= 102 ? letter - 87 : Number.NaN;
    value = value * 16 + digit;
  }
  return value;
}

/** Writes a code point; a lone surrogate becomes U+FFFD. */
function utf8(b: Uint8Array, at: number, point: number): number {
  const c = point >= 0xd800 && point < 0xe000 ? 0xfffd : point;
  let n = at;
  if (c < 0x80) b[n++] = c;
  else if (c < 0x800) {
    b[n++] = 0xc0 | (c >> 6);
    b[n++] = 0x80 | (c & 63);
  } else if (c < 0x10000) {
    b[n++] = 0xe0 | (c >> 12);
    b[n++] = 0x80 | ((c >> 6) & 63);
    b[n++] = 0x80 | (c & 63);
  } else {
    b[n++] = 0xf0 | (c >> 18);
    b[n++] = 0x80 | ((c >> 12) & 63);
    b[n++] = 0x80 | ((c >> 6) & 63);
    b[n++] = 0x80 | (c & 63);
  }
  return n;
}

/** A whole number of at most 17 digits, else NaN. */
function decimal(b: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > 17) return Number.NaN;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = b[i]! - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
