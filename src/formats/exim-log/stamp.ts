/**
 * The stamp of an Exim log line: `2026-11-23 12:44:05`, `.555` with log_selector +millisec, ` +0100` with
 * log_timezone. Remembers the last minute, so that a calendar is asked once a minute and not once a line.
 *
 * Units:  `seconds` since 1970, in UTC where the line has a zone, else the log's own wall time.
 * Source: Exim's tod.c (tod_log); the specification, chapter "Log files".
 */
export class EximStamp {
  seconds = 0;
  /** Minutes east of UTC; -32768: not logged. */
  zone = UNZONED;
  private minute = Number.NaN;
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 0;

  /** Reads the stamp at `p`, with the space behind it; -1 when there is none. */
  read(bytes: Uint8Array, view: DataView, p: number, end: number): number {
    if (end - p < 20 || bytes[p + 16] !== 58) return -1;
    const a = view.getInt32(p, true);
    const b = view.getInt32(p + 4, true);
    const c = view.getInt32(p + 8, true);
    const d = view.getInt32(p + 12, true);
    if (d !== this.d || c !== this.c || b !== this.b || a !== this.a) {
      this.minute = minuteOf(bytes, p);
      this.a = a;
      this.b = b;
      this.c = c;
      this.d = d;
    }
    const tens = bytes[p + 17]! - 48;
    const ones = bytes[p + 18]! - 48;
    if (!(tens >= 0 && tens <= 6 && ones >= 0 && ones <= 9) || Number.isNaN(this.minute)) return -1;
    let at = p + 19;
    let seconds = this.minute + tens * 10 + ones;
    if (bytes[at] === 46) {
      let unit = 0.1;
      for (at++; isDigit(bytes[at]!); at++, unit /= 10) seconds += (bytes[at]! - 48) * unit;
    }
    if (at >= end || bytes[at] !== 32) return -1;
    at++;
    const sign = bytes[at];
    if ((sign === 43 || sign === 45) && bytes[at + 5] === 32 && at + 6 <= end) {
      const zone = digits2(bytes, at + 1) * 60 + digits2(bytes, at + 3);
      if (!(zone <= 900)) return -1;
      this.zone = sign === 43 ? zone : -zone;
      seconds -= this.zone * 60;
      at += 6;
    } else this.zone = UNZONED;
    this.seconds = seconds;
    return at;
  }
}

export const UNZONED = -32_768;

export const isDigit = (byte: number) => byte >= 48 && byte <= 57;

function digits2(b: Uint8Array, i: number): number {
  return isDigit(b[i]!) && isDigit(b[i + 1]!) ? (b[i]! - 48) * 10 + b[i + 1]! - 48 : Number.NaN;
}

/** `2026-11-23 12:44` in seconds since 1970; NaN for anything else. */
function minuteOf(b: Uint8Array, p: number): number {
  const year = digits2(b, p) * 100 + digits2(b, p + 2);
  const month = digits2(b, p + 5);
  const day = digits2(b, p + 8);
  const hour = digits2(b, p + 11);
  const minute = digits2(b, p + 14);
  const marks = b[p + 4] === 45 && b[p + 7] === 45 && b[p + 10] === 32 && b[p + 13] === 58;
  if (!(marks && year >= 1970 && month >= 1 && month <= 12 && hour < 24 && minute < 60)) return Number.NaN;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1) return Number.NaN;
  return date.getTime() / 1000 + hour * 3600 + minute * 60;
}
