/**
 * Times as access logs write them, read from bytes at fixed positions. Each returns seconds since 1970 in UTC
 * (with a fraction where the log has one), or NaN when the bytes are no such time; the zone goes to `zoneOf`.
 *
 * Source: httpd mod_log_config %t (CLF), strftime(3) for %{…}t; ISO 8601 as nginx and Caddy write it.
 */
const encoder = new TextEncoder();
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map(
  (name) => encoder.encode(name),
);

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Days of a year before each of its months. */
const DAYS_BEFORE = MONTH_DAYS.map((_, m) => MONTH_DAYS.slice(0, m).reduce((sum, days) => sum + days, 0));

/** Days from 1970-01-01 to the day of a Gregorian date; NaN when there is no such day. Makes no Date. */
function daysOf(year: number, month: number, day: number): number {
  if (!(year >= 1970 && year < 10_000 && month >= 1 && month <= 12)) return Number.NaN;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  if (!(day >= 1 && day <= MONTH_DAYS[month - 1]! + (month === 2 ? leap : 0))) return Number.NaN;
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  return (year - 1970) * 365 + leaps + DAYS_BEFORE[month - 1]! + (month > 2 ? leap : 0) + day - 1;
}

/** 1 to 12 for `Jan` to `Dec`, else NaN. */
function monthOf(b: Uint8Array, i: number): number {
  for (let m = 0; m < 12; m++) {
    const name = MONTHS[m]!;
    if (b[i] === name[0] && b[i + 1] === name[1] && b[i + 2] === name[2]) return m + 1;
  }
  return Number.NaN;
}

function digits2(b: Uint8Array, i: number): number {
  const tens = b[i]! - 48;
  const ones = b[i + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function digits4(b: Uint8Array, i: number): number {
  return digits2(b, i) * 100 + digits2(b, i + 2);
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
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

/** A strftime pattern with its abbreviations spelt out, as `Clock.pattern` takes it. */
export function patternBytes(pattern: string): Uint8Array {
  return encoder.encode(
    pattern
      .replaceAll('%F', '%Y-%m-%d')
      .replaceAll('%T', '%H:%M:%S')
      .replaceAll('%D', '%m/%d/%y')
      .replaceAll('%R', '%H:%M'),
  );
}

/** Reads times, remembering the last day so that a calendar is asked once a day and not once a line. */
export class Clock {
  /** Minutes east of UTC of the time read last. */
  zone = 0;
  /** Where the time read last ended. */
  end = 0;
  private day = new Uint8Array(11);
  private dayStart = Number.NaN;
  /** What `clfNear` compares, and the start of those ten minutes. */
  private readonly near = new Int32Array(6);
  private nearStart = Number.NaN;
  private nearZone = 0;

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

  /** `clf` of times that mostly lie within ten minutes of the one before: then a few words tell it. */
  clfNear(view: DataView, b: Uint8Array, i: number): number {
    const { near } = this;
    const minutes = b[i + 16]! - 48;
    const tens = b[i + 18]! - 48;
    const ones = b[i + 19]! - 48;
    // Up to the minute's tens, then the zone; the seconds' tens of a minute are 0 to 5.
    const same =
      view.getInt32(i, true) === near[0] &&
      view.getInt32(i + 4, true) === near[1] &&
      view.getInt32(i + 8, true) === near[2] &&
      view.getInt32(i + 12, true) === near[3] &&
      view.getInt32(i + 20, true) === near[4] &&
      view.getInt32(i + 22, true) === near[5];
    const plain = b[i + 17] === 58 && isDigit(minutes) && tens >= 0 && tens < 6 && isDigit(ones);
    if (same && plain) {
      this.zone = this.nearZone;
      this.end = i + 26;
      return this.nearStart + minutes * 60 + tens * 10 + ones;
    }
    const seconds = this.clf(b, i);
    if (plain && seconds >= 0) {
      for (let k = 0; k < 4; k++) near[k] = view.getInt32(i + k * 4, true);
      near[4] = view.getInt32(i + 20, true);
      near[5] = view.getInt32(i + 22, true);
      this.nearZone = this.zone;
      this.nearStart = seconds - minutes * 60 - tens * 10 - ones;
    }
    return seconds;
  }

  private newDay(b: Uint8Array, i: number): void {
    const fine = b[i + 2] === 47 && b[i + 6] === 47;
    this.dayStart = fine ? daysOf(digits4(b, i + 7), monthOf(b, i + 3), digits2(b, i)) * 86_400 : Number.NaN;
    this.day.set(b.subarray(i, i + 11));
  }

  /** `2015-11-23T02:24:18.123+01:00`, `…Z`, `2015-11-23 02:24:18` (no zone: UTC). */
  iso(b: Uint8Array, i: number, end: number): number {
    const days = daysOf(digits4(b, i), digits2(b, i + 5), digits2(b, i + 8));
    const time = clock(b, i + 11);
    if (b[i + 4] !== 45 || b[i + 7] !== 45 || (b[i + 10] !== 84 && b[i + 10] !== 32)) return Number.NaN;
    let at = i + 19;
    let fraction = 0;
    if (at < end && (b[at] === 46 || b[at] === 44)) {
      let scale = 0.1;
      for (at++; at < end && b[at]! >= 48 && b[at]! <= 57; at++, scale /= 10)
        fraction += (b[at]! - 48) * scale;
    }
    let zone = 0;
    if (at < end && b[at] === 90) at++;
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

  /** `+0200` or `-0330` in minutes; NaN for anything else. */
  offset(b: Uint8Array, i: number, end: number): number {
    const sign = b[i] === 43 ? 1 : b[i] === 45 ? -1 : Number.NaN;
    const zone = i + 5 <= end ? sign * (digits2(b, i + 1) * 60 + digits2(b, i + 3)) : Number.NaN;
    return zone >= -900 && zone <= 900 ? zone : Number.NaN;
  }

  /** strftime(3) conversions that occur in logs; unknown ones make every line unread, out loud. */
  pattern(b: Uint8Array, i: number, end: number, pattern: Uint8Array): number {
    let year = 1970;
    let month = 1;
    let day = 1;
    let h = 0;
    let m = 0;
    let s = 0;
    let zone = 0;
    let epoch = Number.NaN;
    let at = i;
    for (let k = 0; k < pattern.length; k++) {
      if (pattern[k] !== 37) {
        if (b[at] !== pattern[k]) return Number.NaN;
        at++;
        continue;
      }
      switch (pattern[++k]) {
        case 89: // %Y
          year = digits4(b, at);
          at += 4;
          break;
        case 121: // %y
          year = 2000 + digits2(b, at);
          at += 2;
          break;
        case 109: // %m
          month = digits2(b, at);
          at += 2;
          break;
        case 100: // %d
          day = digits2(b, at);
          at += 2;
          break;
        case 101: // %e
          day = b[at] === 32 ? b[at + 1]! - 48 : digits2(b, at);
          at += 2;
          break;
        case 98: // %b
        case 104: // %h
          month = monthOf(b, at);
          at += 3;
          break;
        case 97: // %a
          at += 3;
          break;
        case 72: // %H
          h = digits2(b, at);
          at += 2;
          break;
        case 77: // %M
          m = digits2(b, at);
          at += 2;
          break;
        case 83: // %S
          s = digits2(b, at);
          at += 2;
          break;
        case 122: // %z
          zone = this.offset(b, at, end);
          at += 5;
          break;
        case 115: // %s
          epoch = 0;
          for (; at < end && b[at]! >= 48 && b[at]! <= 57; at++) epoch = epoch * 10 + b[at]! - 48;
          break;
        case 37:
          if (b[at++] !== 37) return Number.NaN;
          break;
        default:
          return Number.NaN;
      }
    }
    if (!(h < 24 && m < 60 && s <= 60) || Number.isNaN(zone)) return Number.NaN;
    this.zone = zone;
    this.end = at;
    if (!Number.isNaN(epoch)) return epoch;
    return daysOf(year, month, day) * 86_400 + h * 3600 + m * 60 + s - zone * 60;
  }
}
