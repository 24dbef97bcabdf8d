import { MAIL_ZONES } from '../../knowledge/received-protocols.js';

/** A moment as a mail header has it. */
export interface MailDate {
  /** Milliseconds since 1970, UTC. */
  at: number;
  /** Why the moment cannot be relied on although it could be read. */
  problem: 'no zone' | 'unknown zone' | 'day and month may be swapped' | null;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ZONES = new Map(MAIL_ZONES.map((zone) => [zone.name, zone.minutes]));
const LONGEST = 200;

/**
 * Reads the date of a Received or Date field.
 *
 * Shape:  RFC 5322 3.3 and its obsolete forms in 4.3 (named zones, no seconds, two-digit years, comments anywhere),
 *         asctime, ISO 8601 as SendGrid writes it, and month-first figures as Windows does.
 * Units:  fractions of a second are kept to the millisecond. Without a zone the moment is taken as UTC and says so.
 * Errors: null for what is no date, does not exist (31 Apr), or has no time of day: a day says nothing about minutes.
 */
export function readMailDate(text: string): MailDate | null {
  if (text.length > LONGEST) return null;
  const { plain, comments } = withoutComments(text);
  const words = plain.replace(/,/g, ' ').trim().split(/\s+/);
  if (words[0] && /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?$/i.test(words[0])) words.shift();
  const day = dayOf(words);
  if (!day) return null;
  const clock = clockOf(day.rest);
  if (!clock) return null;
  // asctime has the year behind the time, and some programs the zone between the two.
  let rest = clock.rest;
  let year = day.year;
  if (year === null) {
    const at = rest.findIndex((word) => /^\d{4}$/.test(word));
    if (at < 0 || at > 1) return null;
    year = Number(rest[at]);
    rest = rest.filter((_, i) => i !== at);
  }
  const zone = zoneOf(rest, comments);
  const { month, date } = day;
  const ms = Date.UTC(year, month, date, clock.hour, clock.minute, clock.second, clock.ms);
  const made = new Date(Date.UTC(year, month, date));
  const isReal = made.getUTCFullYear() === year && made.getUTCMonth() === month && made.getUTCDate() === date;
  if (!isReal || year < 1970) return null;
  const problem = day.swapped ? 'day and month may be swapped' : zone.problem;
  return { at: ms - zone.minutes * 60_000, problem };
}

/** Text outside and inside parentheses (which nest, RFC 5322 3.2.2), in one pass. */
function withoutComments(text: string): { plain: string; comments: string } {
  let plain = '';
  let comments = '';
  let depth = 0;
  for (const c of text) {
    if (c === '(') {
      depth++;
      plain += ' ';
    } else if (c === ')') {
      depth = Math.max(0, depth - 1);
      comments += ' ';
    } else if (depth > 0) comments += c;
    else plain += c;
  }
  return { plain, comments };
}

interface Day {
  /** Null where it comes later. */
  year: number | null;
  month: number;
  date: number;
  swapped?: boolean;
  rest: string[];
}

function dayOf(words: string[]): Day | null {
  const [first = '', second = '', third = '', ...rest] = words;
  const month = monthOf(second);
  if (/^\d{1,2}$/.test(first) && month !== null && /^\d{2,4}$/.test(third))
    return { year: fullYear(third), month, date: Number(first), rest };
  const leading = monthOf(first);
  if (leading !== null && /^\d{1,2}$/.test(second)) {
    if (/^\d{4}$/.test(third)) return { year: Number(third), month: leading, date: Number(second), rest };
    return { year: null, month: leading, date: Number(second), rest: words.slice(2) };
  }
  const after = words.slice(1);
  const dashed = /^(\d{1,2})-([A-Za-z]{3,9})-(\d{2,4})$/.exec(first);
  if (dashed && monthOf(dashed[2]!) !== null)
    return { year: fullYear(dashed[3]!), month: monthOf(dashed[2]!)!, date: Number(dashed[1]), rest: after };
  const iso = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:T(.{5,40}))?$/.exec(first);
  if (iso)
    return {
      year: Number(iso[1]),
      month: Number(iso[2]) - 1,
      date: Number(iso[3]),
      rest: iso[4] === undefined ? after : [iso[4], ...after],
    };
  const figures = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$/.exec(first);
  if (!figures) return null;
  const [a, b] = [Number(figures[1]), Number(figures[2])];
  // 4/20 can only be April; 20/4 too. 4/5 is read as Windows in English writes it, and marked.
  const isDayFirst = a > 12;
  return {
    year: Number(figures[3]),
    month: (isDayFirst ? b : a) - 1,
    date: isDayFirst ? a : b,
    swapped: a <= 12 && b <= 12 && a !== b,
    rest: after,
  };
}

function monthOf(word: string): number | null {
  if (!/^[A-Za-z]{3,9}\.?$/.test(word)) return null;
  const at = MONTHS.indexOf(word.slice(0, 3).toLowerCase());
  return at < 0 ? null : at;
}

/** RFC 5322 4.3: two digits below 50 are of this century, others and three digits count from 1900. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return text.length === 3 ? 1900 + year : year;
}

interface Clock {
  hour: number;
  minute: number;
  second: number;
  ms: number;
  rest: string[];
}

function clockOf(words: string[]): Clock | null {
  const m = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/i.exec(words[0] ?? '');
  if (!m) return null;
  let hour = Number(m[1]);
  const half = /^([ap])\.?m\.?$/i.exec(words[1] ?? '');
  if (half) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half[1]!.toLowerCase() === 'p' ? 12 : 0);
  }
  const [minute, second] = [Number(m[2]), Number(m[3] ?? 0)];
  // 60 is a leap second.
  if (hour > 23 || minute > 59 || second > 60) return null;
  const ms = Number((m[4] ?? '').padEnd(3, '0').slice(0, 3));
  const rest = words.slice(half ? 2 : 1);
  return { hour, minute, second, ms, rest: m[5] ? [m[5], ...rest] : rest };
}

function zoneOf(words: string[], comments: string): { minutes: number; problem: MailDate['problem'] } {
  const [word = ''] = words;
  // "GMT+0200" and "UTC-7" mean what they look like; so does a bare "+02".
  const m = /^(?:GMT|UTC?)?([+-])(\d{1,2}):?(\d{2})?$/i.exec(word);
  if (m) {
    const [hours, minutes] = [Number(m[2]), Number(m[3] ?? 0)];
    if (hours <= 14 && minutes <= 59)
      return { minutes: (m[1] === '-' ? -1 : 1) * (hours * 60 + minutes), problem: null };
    return { minutes: 0, problem: 'unknown zone' };
  }
  const named = ZONES.get(word.toLowerCase());
  if (named !== undefined) return { minutes: named, problem: null };
  if (word === '') {
    const said = ZONES.get(comments.trim().toLowerCase());
    return said === undefined ? { minutes: 0, problem: 'no zone' } : { minutes: said, problem: null };
  }
  return { minutes: 0, problem: 'unknown zone' };
}
