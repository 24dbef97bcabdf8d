/**
 * Times as access logs write them, read from bytes at fixed positions. Each returns seconds since 1970 in UTC
 * (with a fraction where the log has one), or NaN when the bytes are no such time; the zone goes to `zoneOf`.
 *
 * Source: httpd mod_log_config %t (CLF), strftime(3) for %{…}t; ISO 8601 as nginx and Caddy write it.
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Days from 1970-01-01 to the day of a proleptic Gregorian date; NaN when there is no such day. */
function daysOf(year: number, month: number, day: number): number {
  const moment = Date.UTC(year, month - 1, day);
  const back = new Date(moment);
  return year >= 1970 && year < 10_000 && back.getUTCMonth() === month - 1 && back.getUTCDate() === day
    ? moment / 86_400_000
    : Number.NaN;
}

function digits2(b: Uint8Array, i: number): number {
  const tens = b[i]! - 48;
  const ones = b[i + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function digits4(b: Uint8Array, i: number): number {
  return digits2(b, i) * 100 + digits2(b, i + 2);
}

/** Hours, minutes, seconds as seconds of the day; a leap second (60) counts as the next minute's first. */
function clock(b: Uint8Array, i: number): number {
  const h = digits2(b, i);
  const m = digits2(b, i + 3);
  const s = digits2(b, i + 6);
  return h < 24 && m < 60 && s <= 60 && b[i + 2] === 58 && b[i + 5] === 58
    ? h * 3600 + m * 60 + s
    : Number.NaN;
}

/** Reads times, remembering the last day so that a calendar is asked once a day and not once a line. */
export class Clock {
  /** Minutes east of UTC of the time read last. */
  zone = 0;
  /** Where the time read last ended. */
  end = 0;
  private day = new Uint8Array(11);
  private dayStart = Number.NaN;

  /** `23/Nov/2015:02:24:18 +0000`, 26 bytes. */
  clf(b: Uint8Array, i: number): number {
    const day = this.day;
    let same = true;
    // The day of the month and the first letters of the month change most: any difference asks the calendar.
    for (let k = 0; k < 11; k++)
      if (b[i + k] !== day[k]) {
        same = false;
        break;
      }
    if (!same) this.newDay(b, i);
    const time = clock(b, i + 12);
    const zh = digits2(b, i + 22);
    const zm = digits2(b, i + 24);
    const sign = b[i + 21] === 43 ? 1 : b[i + 21] === 45 ? -1 : Number.NaN;
    const zone = sign * (zh * 60 + zm);
    // Real zones lie between -12:00 and +14:00.
    if (!(zone >= -900 && zone <= 900) || b[i + 11] !== 58 || b[i + 20] !== 32) return Number.NaN;
    this.zone = zone;
    this.end = i + 26;
    return this.dayStart + time - zone * 60;
  }

  private newDay(b: Uint8Array, i: number): void {
    const month = MONTHS.indexOf(String.fromCharCode(b[i + 3]!, b[i + 4]!, b[i + 5]!)) + 1;
    const fine = month > 0 && b[i + 2] === 47 && b[i + 6] === 47;
    this.dayStart = fine ? daysOf(digits4(b, i + 7), month, digits2(b, i)) * 86_400 : Number.NaN;
    this.day.set(b.subarray(i, i + 11));
  }

  /** `2015-11-23T02:24:18.123+01:00`, `…Z`, `2015-11-23 02:24:18` (no zone: UTC). */
  iso(b: Uint8Array, i: number, end: number): number {
    const days = daysOf(digits4(b, i), digits2(b, i + 5), digits2(b, i + 8));
    const time = clock(b, i + 11);
    if (b[i + 4] !== 45 || b[i + 7] !== 45 || (b[i + 10] !== 84 && b[i + 10] !== 32)) return Number.NaN;
    let at = i + 19;
    let fraction = 0;
    if (b[at] === 46 || b[at] === 44) {
      let scale = 0.1;
      for (at++; at < end && b[at]! >= 48 && b[at]! <= 57; at++, scale /= 10)
        fraction += (b[at]! - 48) * scale;
    }
    let zone = 0;
    if (b[at] === 90) at++;
    else if (at < end && (b[at] === 43 || b[at] === 45)) {
      const sign = b[at] === 43 ? 1 : -1;
      const colon = b[at + 3] === 58 ? 1 : 0;
      zone = sign * (digits2(b, at + 1) * 60 + digits2(b, at + 3 + colon));
      at += 5 + colon;
    }
    if (!(zone >= -900 && zone <= 900)) return Number.NaN;
    this.zone = zone;
    this.end = at;
    return days * 86_400 + time + fraction - zone * 60;
  }

  /** strftime(3) conversions that occur in logs; unknown ones make every line unread, out loud. */
  pattern(b: Uint8Array, i: number, end: number, pattern: string): number {
    let year = 1970;
    let month = 1;
    let day = 1;
    let seconds = 0;
    let zone = 0;
    let epoch = Number.NaN;
    let at = i;
    const full = pattern
      .replaceAll('%F', '%Y-%m-%d')
      .replaceAll('%T', '%H:%M:%S')
      .replaceAll('%D', '%m/%d/%y')
      .replaceAll('%R', '%H:%M');
    for (let k = 0; k < full.length; k++) {
      if (full[k] !== '%') {
        if (b[at] !== full.charCodeAt(k)) return Number.NaN;
        at++;
        continue;
      }
      switch (full[++k]) {
        case 'Y':
          year = digits4(b, at);
          at += 4;
          break;
        case 'y':
          year = 2000 + digits2(b, at);
          at += 2;
          break;
        case 'm':
          month = digits2(b, at);
          at += 2;
          break;
        case 'd':
          day = digits2(b, at);
          at += 2;
          break;
        case 'e':
          day = b[at] === 32 ? b[at + 1]! - 48 : digits2(b, at);
          at += 2;
          break;
        case 'b':
        case 'h':
          month = MONTHS.indexOf(String.fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!)) + 1 || Number.NaN;
          at += 3;
          break;
        case 'a':
          at += 3;
          break;
        case 'H':
          seconds += digits2(b, at) * 3600;
          at += 2;
          break;
        case 'M':
          seconds += digits2(b, at) * 60;
          at += 2;
          break;
        case 'S':
          seconds += digits2(b, at);
          at += 2;
          break;
        case 'z':
          zone = (b[at] === 45 ? -1 : 1) * (digits2(b, at + 1) * 60 + digits2(b, at + 3));
          at += 5;
          break;
        case 's':
          epoch = 0;
          for (; at < end && b[at]! >= 48 && b[at]! <= 57; at++) epoch = epoch * 10 + b[at]! - 48;
          break;
        case '%':
          if (b[at++] !== 37) return Number.NaN;
          break;
        default:
          return Number.NaN;
      }
    }
    this.zone = zone;
    this.end = at;
    return Number.isNaN(epoch) ? daysOf(year, month, day) * 86_400 + seconds - zone * 60 : epoch;
  }
}
