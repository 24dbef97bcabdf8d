/** How findings about mail put numbers into words. */

export const count = (n: number): string => Math.round(n).toLocaleString('en-GB');

export const plural = (n: number, word: string): string =>
  `${count(n)} ${Math.round(n) === 1 ? word : `${word}s`}`;

export function share(part: number): string {
  const p = Math.max(0, part) * 100;
  return `${p >= 99.95 || p === 0 ? p.toFixed(0) : p < 1 || p > 99 ? p.toFixed(1) : p.toFixed(0)} %`;
}

/** `42 s`, `3 min 20 s`, `2 h 15 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'an unknown time';
  const s = Math.max(0, seconds);
  if (s < 1) return `${s.toFixed(1)} s`;
  if (s < 60) return `${s < 10 ? Number(s.toFixed(1)) : Math.round(s)} s`;
  const whole = Math.round(s);
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) => {
    const all = Math.round(whole / small) * small;
    const a = Math.floor(all / big);
    const b = (all - a * big) / small;
    return b === 0 ? `${a} ${bigUnit}` : `${a} ${bigUnit} ${b} ${smallUnit}`;
  };
  if (whole < 3600) return pair(60, 'min', 1, 's');
  if (whole < 86_400) return pair(3600, 'h', 60, 'min');
  return pair(86_400, 'd', 3600, 'h');
}
