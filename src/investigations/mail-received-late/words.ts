/** How moments and waits are written in sentences. */

/** Two units at most: `3 h 12 min`, `41 s`, `2 days 4 h`. Below ten seconds to a tenth. */
export function wait(seconds: number): string {
  const s = Math.abs(seconds);
  if (s < 9.95) return `${Number(s.toFixed(1))} s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return two(minutes, 'min', whole % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(hours, 'h', minutes % 60, 'min');
  return two(Math.floor(hours / 24), 'days', hours % 24, 'h');
}

const two = (a: number, unit: string, b: number, below: string) =>
  b === 0 ? `${a} ${unit}` : `${a} ${unit} ${b} ${below}`;

/** `2022-04-11 21:42:03 UTC`. */
export const utc = (ms: number): string => `${iso(ms).replace('T', ' ')} UTC`;

/** ISO 8601 in UTC, without its zone: the time that findings have. */
export const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

/** One line of printable text, for what is there to be copied into a letter or a shell. */
export const oneLine = (text: string): string =>
  text.replace(/[^\x20-\x7e\u00a1-\u024f]+/g, '?').slice(0, 200);
