/** How findings about mail put numbers into words. */

export const count = (n: number): string => Math.round(n).toLocaleString('en-GB');

export const plural = (n: number, word: string): string =>
  `${count(n)} ${Math.round(n) === 1 ? word : `${word}s`}`;

export function share(part: number): string {
  const p = Math.max(0, part) * 100;
  return `${p >= 99.95 || p === 0 ? p.toFixed(0) : p < 1 || p > 99 ? p.toFixed(1) : p.toFixed(0)} %`;
}

/** Below so many seconds: the unit in seconds, its name, and the unit of what is left. */
const UNITS: [below: number, big: number, bigUnit: string, small: number, smallUnit: string][] = [
  [3599.5, 60, 'min', 1, 's'],
  [86_370, 3600, 'h', 60, 'min'],
  [Number.POSITIVE_INFINITY, 86_400, 'd', 3600, 'h'],
];

/** `42 s`, `3 min 20 s`, `2 h 15 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'an unknown time';
  const s = Math.max(0, seconds);
  if (s < 0.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${s < 9.95 ? Number(s.toFixed(1)) : Math.round(s)} s`;
  const [, big, bigUnit, small, smallUnit] = UNITS.find(([below]) => s < below)!;
  // Rounded first: 1 h 59 min 50 s is 2 h, not 1 h 60 min.
  const whole = Math.round(s / small) * small;
  const rest = (whole % big) / small;
  return `${Math.floor(whole / big)} ${bigUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}
