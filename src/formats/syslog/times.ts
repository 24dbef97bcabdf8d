/**
 * Times as syslog writes them, read from bytes. Each call returns seconds since 1970, or NaN when the bytes are no
 * such time; `zone` and `end` tell the rest.
 *
 * Units:  seconds in UTC where the line has a zone, else the log's own wall time as if it were UTC.
 * Source: RFC 3164 section 4.1.2 (`Mmm dd hh:mm:ss`, no year), RFC 5424 section 6.2.3 and RFC 3339 (ISO 8601 with
 *         fraction and zone), rsyslog's RSYSLOG_FileFormat and RSYSLOG_TraditionalFileFormat, journalctl(1)
 *         `short-iso` (a zone without its colon), Postfix msg_logger.c (day of two digits).
 */
export const UNZONED = -32_768;

const MONTH_NAMES = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_BEFORE = MONTH_DAYS.map((_, m) => MONTH_DAYS.slice(0, m).reduce((sum, days) => sum + days, 0));
const DAY = 86_400;

const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** Seconds from 1970 to the beginning of a Gregorian day; NaN when there is no such day. */
function dayStart(year: number, month: number, day: number): number {
  if (!(year >= 1970 && year < 10_000 && month >= 1 && month <= 12)) return Number.NaN;
  const leap = isLeap(year) ? 1 : 0;
  if (!(day >= 1 && day <= MONTH_DAYS[month - 1]! + (month === 2 ? leap : 0))) return Number.NaN;
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  const days = (year - 1970) * 365 + leaps + DAYS_BEFORE[month - 1]! + (month > 2 ? leap : 0) + day - 1;
  return days * DAY;
}

function digits2(b: Uint8Array, i: number): number {
  const tens = b[i]! - 48;
  const ones = b[i + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function digits4(b: Uint8Array, i: number): number {
  return digits2(b, i) * 100 + digits2(b, i + 2);
}

/** 1 to 12 for `Jan` to `Dec`, else NaN. */
function monthOf(b: Uint8Array, i: number): number {
  for (let m = 0; m < 12; m++) {
    const at = m * 3;
    if (
      b[i] === MONTH_NAMES.charCodeAt(at) &&
      b[i + 1] === MONTH_NAMES.charCodeAt(at + 1) &&
      b[i + 2] === MONTH_NAMES.charCodeAt(at + 2)
    )
      return m + 1;
  }
  return Number.NaN;
}

/** `hh:mm:ss` as seconds of the day; a leap second (60) counts as the next minute's first. */
function timeOfDay(b: Uint8Array, i: number): number {
  const h = digits2(b, i);
  const m = digits2(b, i + 3);
  const s = digits2(b, i + 6);
  return h < 24 && m < 60 && s <= 60 && b[i + 2] === 58 && b[i + 5] === 58
    ? h * 3600 + m * 60 + s
    : Number.NaN;
}

const isDigit = (c: number | undefined) => c !== undefined && c >= 48 && c <= 57;

/** Remembers the last day, so that the calendar is asked once a day and not once a line. */
export class SyslogClock {
  /** Minutes east of UTC of the time read last, or UNZONED. */
  zone = UNZONED;
  /** Where the time read last ended. */
  end = 0;
  private day = new Uint8Array(10);
  private dayLength = 0;
  private latest = Number.NaN;
  private yearBefore = Number.NaN;
  private readonly limit: number;
  private readonly limitYear: number;

  /** @param lastAt  see `withYear`; null: lines without a year have no time */
  constructor(lastAt: number | null) {
    this.limit = lastAt === null ? Number.NaN : lastAt + DAY;
    this.limitYear = lastAt === null ? Number.NaN : new Date(this.limit * 1000).getUTCFullYear();
  }

  /** `Nov 23 12:44:05`, `Nov  3 …`, `Nov 3 …`, `Nov 23 2026 12:44:05`, and a fraction behind any of them. */
  bsd(b: Uint8Array, i: number, end: number): number {
    this.zone = UNZONED;
    if (i + 14 > end) return Number.NaN;
    let at = i + 6;
    // "Nov 3 " has its space one byte earlier than "Nov  3 " and "Nov 23 ".
    if (b[i + 5] === 32 && b[i + 4] !== 32) at--;
    if (b[at] !== 32 || b[i + 3] !== 32) return Number.NaN;
    if (isDigit(b[at + 4]) && b[at + 5] === 32 && at + 14 <= end) {
      const day = b[i + 4] === 32 || at === i + 5 ? b[at - 1]! - 48 : digits2(b, i + 4);
      const start = dayStart(digits4(b, at + 1), monthOf(b, i), day);
      return start + this.clock(b, at + 6, end);
    }
    if (!this.sameDay(b, i, at - i)) this.newDay(b, i, at);
    const time = this.clock(b, at + 1, end);
    const moment = this.latest + time;
    return moment > this.limit ? this.yearBefore + time : moment;
  }

  private clock(b: Uint8Array, i: number, end: number): number {
    if (i + 8 > end) return Number.NaN;
    this.end = i + 8;
    return timeOfDay(b, i) + (b[i + 8] === 46 && i + 8 < end ? this.fraction(b, i + 9, end) : 0);
  }

  private fraction(b: Uint8Array, i: number, end: number): number {
    let value = 0;
    let scale = 1;
    let at = i;
    for (; at < end && isDigit(b[at]); at++) {
      // Nine digits are more than a clock knows.
      if (at - i >= 9) continue;
      value = value * 10 + b[at]! - 48;
      scale *= 10;
    }
    this.end = at;
    return value / scale;
  }

  private sameDay(b: Uint8Array, i: number, length: number): boolean {
    if (length !== this.dayLength) return false;
    for (let k = 0; k < length; k++) if (b[i + k] !== this.day[k]) return false;
    return true;
  }

  private remember(b: Uint8Array, i: number, length: number): void {
    this.dayLength = length;
    for (let k = 0; k < length; k++) this.day[k] = b[i + k]!;
  }

  /** The latest two years that have this day and do not begin it after the limit. */
  private newDay(b: Uint8Array, i: number, at: number): void {
    const day = b[i + 4] === 32 || at === i + 5 ? b[at - 1]! - 48 : digits2(b, i + 4);
    const month = monthOf(b, i);
    this.latest = Number.NaN;
    this.yearBefore = Number.NaN;
    // Two leap years are at most eight years apart, over 2100 too.
    for (let year = this.limitYear; year > this.limitYear - 17; year--) {
      const start = dayStart(year, month, day);
      if (!(start <= this.limit)) continue;
      if (Number.isNaN(this.latest)) this.latest = start;
      else {
        this.yearBefore = start;
        break;
      }
    }
    this.remember(b, i, at - i);
  }

  /** `2026-11-23T12:44:05.123456+01:00`, `…Z`, `…+0100`, `2026-11-23 12:44:05` (no zone: wall time). */
  iso(b: Uint8Array, i: number, end: number): number {
    this.zone = UNZONED;
    if (i + 19 > end || (b[i + 10] !== 84 && b[i + 10] !== 32)) return Number.NaN;
    if (!this.sameDay(b, i, 10)) {
      const fine = b[i + 4] === 45 && b[i + 7] === 45;
      this.latest = fine ? dayStart(digits4(b, i), digits2(b, i + 5), digits2(b, i + 8)) : Number.NaN;
      this.remember(b, i, 10);
    }
    const moment = this.latest + this.clock(b, i + 11, end);
    const at = this.end;
    const c = at < end ? b[at] : 32;
    if (c === 90) {
      this.zone = 0;
      this.end = at + 1;
      return moment;
    }
    if (c !== 43 && c !== 45) return moment;
    const colon = b[at + 3] === 58 ? 1 : 0;
    this.end = at + 5 + colon;
    const minutes = digits2(b, at + 1) * 60 + digits2(b, at + 3 + colon);
    // Real zones lie between -12:00 and +14:00.
    if (!(minutes <= 900) || this.end > end) return Number.NaN;
    this.zone = c === 43 ? minutes : -minutes;
    return moment - this.zone * 60;
  }
}

/**
 * `how` with the moment that lines without a year are reckoned from. Each such line gets the latest year for which
 * its moment is not later than `lastAt` and one day. So December before January is the year before, wherever in the
 * file New Year is; the 29th of February falls on the last leap year; and a line that a wrong clock dated later than
 * that is taken for one of the year before. No line depends upon another: a file may be read in ranges.
 *
 * The day more lets zones differ, and a clock that was ahead. What it costs: in a file that is longer than 364 days
 * its first day is taken for the day after its last.
 *
 * Who calls this chooses `lastAt`:
 *  1. the file's modification time, as wall time in the log's zone (where that is unknown: in UTC; the day makes up
 *     for it);
 *  2. in a stream of rotated files, no later than the first moment of the file that follows, if that is earlier: a
 *     copy that lost its dates is newer than its lines, and a log cannot go on after its successor began;
 *  3. where the whole stream lost its dates, the moment of collection that some other source knows.
 * It belongs into what is said of the source, for all times in it hang upon it.
 *
 * @param lastAt  seconds since 1970 of the log's wall time
 */
export function withYear<H extends { lastAt: number | null }>(how: H, lastAt: number): H {
  return { ...how, lastAt };
}
