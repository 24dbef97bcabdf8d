import type { Amount, Unit } from '../../findings/finding.js';

/** How numbers are written for people. Evidence may hold nonsense, so nothing here throws: no number is '–'. */
const NONE = '–';
const DECIMAL = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Three significant digits without idle zeros: 73.2, 6.01, 2.4, 100. */
function significant(value: number, digits = 3): string {
  return String(Number(value.toPrecision(digits)));
}

export function count(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  const rounded =
    Number.isInteger(value) || Math.abs(value) >= 100 ? Math.round(value) : Number(significant(value));
  const [whole, fraction] = String(rounded).split('.');
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** '12.1 M' where the exact count says no more. */
export function countShort(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (Math.abs(value) >= 999.5e6) return `${significant(value / 1e9)} G`;
  return Math.abs(value) >= 999_500 ? `${significant(value / 1e6)} M` : count(value);
}

/** Exact up to a megabyte, because the size of one object is how it is recognised: '500,600 bytes', '73.2 GB'. */
export function bytes(value: number): string {
  return Math.abs(value) < 1e6 ? plural(value, 'byte') : bytesShort(value);
}

/** For columns and rates: '501 kB'. */
export function bytesShort(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  let power = 0;
  let scaled = value;
  while (Math.abs(scaled) >= 999.5 && power < DECIMAL.length - 1) {
    scaled /= 1000;
    power++;
  }
  return power === 0 ? plural(Math.round(value), 'byte') : `${significant(scaled)} ${DECIMAL[power]}`;
}

/** Never rounded up to all or down to nothing: 99.97 stays 99.97, 0.004 stays 0.004. */
export function percent(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value > 0 && value < 0.001) return '< 0.001 %';
  let digits = 3;
  let text = significant(value, digits);
  while (Number(text) === 100 && value !== 100 && digits < 7) text = significant(value, ++digits);
  return `${text} %`;
}

export function seconds(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 0.9995) return `${significant(value * 1000, 2)} ms`;
  if (size < 59.5) return `${short(value)} s`;
  if (size < 59.5 * 60) return `${short(value / 60)} min`;
  if (size < 47.5 * 3600) return `${short(value / 3600)} h`;
  return plural(Number(short(value / 86_400)), 'day');
}

/** To the second and in two units, where amounts are to be added up: '2 h 15 min', '40 min 5 s', '3 days 4 h'. */
export function timeSpan(value: number): string {
  if (!Number.isFinite(value) || value < 59.5) return seconds(value);
  const pair = (small: number, ratio: number, smallUnit: string, bigUnit: (n: number) => string) => {
    const all = Math.round(value / small);
    const rest = all % ratio;
    return `${bigUnit((all - rest) / ratio)}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
  };
  if (value < 3599.5) return pair(1, 60, 's', (n) => `${n} min`);
  if (value < 86_370) return pair(60, 60, 'min', (n) => `${n} h`);
  return pair(3600, 24, 'h', (n) => plural(n, 'day'));
}

/** One decimal under ten, none above. */
function short(value: number): string {
  return Math.abs(value) < 9.95 ? String(Number(value.toFixed(1))) : value.toFixed(0);
}

function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function amount({ value, unit }: Amount): string {
  return WRITE[unit]?.(value) ?? `${count(value)} ${unit}`;
}

const WRITE: Record<Unit, (value: number) => string> = {
  byte: bytes,
  'byte/day': (v) => `${bytesShort(v)}/day`,
  second: seconds,
  message: (v) => plural(v, 'message'),
  recipient: (v) => plural(v, 'recipient'),
  refusal: (v) => plural(v, 'refusal'),
  attempt: (v) => plural(v, 'attempt'),
  request: (v) => plural(v, 'request'),
  'request/day': (v) => `${plural(v, 'request')}/day`,
  percent,
  object: (v) => plural(v, 'object'),
  address: (v) => plural(v, 'address', 'addresses'),
  day: (v) => plural(v, 'day'),
  ratio: (v) => `${count(v)}×`,
};

/** As a column of one unit: the short forms line up, and the unit stands in the title where it can. */
export function amountShort({ value, unit }: Amount): string {
  if (unit === 'byte' || unit === 'byte/day') return bytesShort(value);
  return unit === 'percent' || unit === 'second' || unit === 'ratio'
    ? amount({ value, unit })
    : countShort(value);
}

/** Whether a sentence has this figure already, as a number of its own: 4 is not in '41 of 41'. */
export function hasFigure(says: string, figure: Amount): boolean {
  const [number = ''] = amount(figure).split(' ');
  return new RegExp(`(?<![\\d.,])${number.replaceAll('.', '\\.')}(?![.,]?\\d)`).test(says);
}

/** A weight of evidence (natural log of the odds), with its sign. */
export function weight(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  return `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Moment {
  year: number;
  day: string;
  month: string;
  /** '' at midnight sharp, which is how a date without a time arrives. */
  time: string;
}

/** Read off the ISO text by position and not through Date: the hour is the evidence's own, never this machine's. */
function moment(iso: string): Moment | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d))?)?/.exec(iso);
  const month = m ? MONTHS[Number(m[2]) - 1] : undefined;
  if (!m || !month) return null;
  const time = m[4] === undefined || (m[4] === '00:00' && (m[5] ?? '00') === '00') ? '' : m[4];
  return { year: Number(m[1]), day: String(Number(m[3])), month, time };
}

/** The year that goes without saying: set when a whole report lies in one. */
export type TacitYear = number | null;

export function tacitYear(period: { first: string | null; last: string | null }): TacitYear {
  const first = period.first === null ? null : moment(period.first);
  const last = period.last === null ? null : moment(period.last);
  return first && last && first.year === last.year ? first.year : null;
}

/** '30 Nov 02:10'; with its year when that is not tacit: '11 Apr 2022 21:42'. */
export function date(iso: string | null, tacit: TacitYear = null): string {
  if (iso === null) return NONE;
  const m = moment(iso);
  if (!m) return iso;
  const parts = [m.day, m.month];
  if (m.year !== tacit) parts.push(String(m.year));
  if (m.time !== '') parts.push(m.time);
  return parts.join(' ');
}

/** Days only: '31 Oct – 19 Dec 2015', '1 – 28 Apr 2022', '3 Mar 2022 04:10 – 06:00'. */
export function dateRange(first: string | null, last: string | null, tacit: TacitYear = null): string {
  const a = first === null ? null : moment(first);
  const b = last === null ? null : moment(last);
  if (!a || !b) return date(first ?? last, tacit);
  const year = (m: Moment) => (m.year === tacit ? '' : ` ${m.year}`);
  if (a.year !== b.year) return `${a.day} ${a.month} ${a.year} – ${b.day} ${b.month} ${b.year}`;
  if (a.month !== b.month) return `${a.day} ${a.month} – ${b.day} ${b.month}${year(b)}`;
  if (a.day !== b.day) return `${a.day} – ${b.day} ${b.month}${year(b)}`;
  const day = `${a.day} ${a.month}${year(a)}`;
  if (a.time === b.time) return a.time === '' ? day : `${day} ${a.time}`;
  return `${day} ${a.time || '00:00'} – ${b.time || '00:00'}`;
}
