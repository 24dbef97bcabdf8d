/**
 * A time axis on which a connection that did everything in half a second and then hung for two minutes can be read:
 * where pauses take most of the time they are shortened, the longer ones less than they are longer.
 */
export interface TimeScale {
  shortened: boolean;
  /** 0 to 1 along the axis. */
  at(seconds: number): number;
  /** Moments for labels, in order. */
  ticks(most: number): number[];
}

/** Longer without anything than this is a pause, seconds. */
const PAUSE_S = 0.2;
/** Pauses are shortened where they take so many times what the rest does. */
const WORTH_IT = 3;
/** Of what the rest gets, what all pauses get together. */
const PAUSES_SHARE = 0.7;

/** @param moments  seconds, ascending */
export function timeScale(moments: readonly number[], until: number): TimeScale {
  const knots: { at: number; place: number }[] = [{ at: 0, place: 0 }];
  const all = [...moments.filter((m, i) => i === 0 || m > moments[i - 1]!), until];
  let paused = 0;
  let logs = 0;
  let before = 0;
  for (const m of all) {
    if (m - before > PAUSE_S) {
      paused += m - before;
      logs += Math.log1p((m - before) / PAUSE_S);
    }
    before = Math.max(before, m);
  }
  const end = Math.max(before, 1e-6);
  const busy = Math.max(end - paused, end / 1000);
  const shortened = paused > WORTH_IT * busy;
  const each = shortened ? (busy * PAUSES_SHARE) / logs : 0;
  before = 0;
  let place = 0;
  for (const m of all) {
    if (m <= before) continue;
    const gap = m - before;
    place += shortened && gap > PAUSE_S ? Math.min(gap, each * Math.log1p(gap / PAUSE_S)) : gap;
    knots.push({ at: m, place });
    before = m;
  }
  if (knots.length === 1) knots.push({ at: end, place: end });
  const whole = knots.at(-1)!.place || 1;
  const at = (seconds: number): number => {
    let low = 0;
    let high = knots.length - 1;
    while (low < high - 1) {
      const mid = (low + high) >> 1;
      if (knots[mid]!.at <= seconds) low = mid;
      else high = mid;
    }
    const [a, b] = [knots[low]!, knots[high]!];
    const share = b.at === a.at ? 1 : (seconds - a.at) / (b.at - a.at);
    return Math.min(1, Math.max(0, (a.place + share * (b.place - a.place)) / whole));
  };
  const back = (share: number): number => {
    const i = Math.max(
      1,
      knots.findIndex((k) => k.place / whole >= share),
    );
    const [a, b] = [knots[i - 1]!, knots[i] ?? knots.at(-1)!];
    const part = b.place === a.place ? 0 : (share * whole - a.place) / (b.place - a.place);
    return a.at + part * (b.at - a.at);
  };
  return {
    shortened,
    at,
    ticks: (most) =>
      shortened ? Array.from({ length: most + 1 }, (_, i) => back(i / most)) : roundSteps(end, most),
  };
}

/** 0 and round steps of 1, 2 or 5 up to `end`, at most so many. */
export function roundSteps(end: number, most: number): number[] {
  const raw = end / Math.max(1, most);
  if (!(raw > 0) || !Number.isFinite(raw)) return [0];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= raw * 0.999) ?? 10 * power;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) =>
    Number((i * step).toPrecision(12)),
  );
}

/** `0`, `0.4 s`, `1:58` from a minute on; `step` is how near the next label is. */
export function clock(seconds: number, step: number): string {
  if (seconds === 0) return '0';
  const digits = step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9));
  if (seconds < 60) return `${Number(seconds.toFixed(digits))} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
