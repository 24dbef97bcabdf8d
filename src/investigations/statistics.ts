/** The statistics that investigations share. Pure functions over arrays of numbers. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear interpolation between order statistics (Hyndman & Fan 1996, type 7). */
function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (at - low);
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
export const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : sum(values) / values.length;

/** A stretch of a series that lies on another level than the rest. */
export interface Episode {
  /** First and one past the last index of the stretch. */
  from: number;
  to: number;
  /** Where the start could as well be: all starts whose profile likelihood is within 1.92 of the best (95 %). */
  fromEarliest: number;
  fromLatest: number;
  /** Medians inside and outside, in the unit of the series. */
  during: number;
  outside: number;
  /** Between-group over within-group deviation, of logarithms. */
  t: number;
}

/** Twice the median of nothing-special days is no episode. */
const LEAST_RATIO = 1.6;
/** Far beyond what the best of n²/2 stretches of noise reaches for any length of log. */
const LEAST_T = 6;

/**
 * The stretch that most likely lies on a higher level than the rest, or null when nothing stands out. One change
 * (a stretch that reaches the end) and two (it has ended) are both covered.
 *
 * Levels are compared as logarithms, since traffic varies in proportion to itself; the noise is estimated from
 * differences of neighbours by their median, so that the change itself and single odd days do not count as noise.
 *
 * Source: circular binary segmentation, Olshen, Venkatraman, Lucito & Wigler, Biostatistics 5 (2004); robust scale
 *         by median absolute differences; profile likelihood interval.
 */
export function episode(series: readonly number[]): Episode | null {
  const n = series.length;
  if (n < 4) return null;
  const offset = Math.max(1, 0.02 * mean(series), 0.1 * median(series));
  const x = series.map((v) => Math.log(v + offset));
  const noise = noiseOf(x);
  const prefix = [0];
  for (const v of x) prefix.push(prefix.at(-1)! + v);
  const total = prefix[n]!;
  let best = { score: 0, from: 0, to: 0 };
  const scores: number[] = [];
  for (let from = 0; from < n; from++) {
    let bestHere = 0;
    for (let to = from + 1; to <= n; to++) {
      const inside = to - from;
      const outside = n - inside;
      if (outside < 2 || (inside < 2 && n > 6 && to < n)) continue;
      const mi = (prefix[to]! - prefix[from]!) / inside;
      const mo = (total - prefix[to]! + prefix[from]!) / outside;
      const score = ((mi - mo) / noise) * Math.sqrt((inside * outside) / n);
      if (score > bestHere) bestHere = score;
      if (score > best.score) best = { score, from, to };
    }
    scores.push(bestHere);
  }
  if (best.to === 0) return null;
  const inside = series.slice(best.from, best.to);
  const rest = [...series.slice(0, best.from), ...series.slice(best.to)];
  const during = median(inside);
  const outside = median(rest);
  if (best.score < LEAST_T || during < outside * LEAST_RATIO) return null;
  // Half the squared score is the log-likelihood gained over "no change".
  const near = scores.flatMap((s, i) => ((best.score ** 2 - s ** 2) / 2 < 1.92 ? [i] : []));
  return {
    from: best.from,
    to: best.to,
    fromEarliest: Math.min(best.from, ...near),
    fromLatest: Math.max(best.from, ...near.filter((i) => i < best.to)),
    during,
    outside,
    t: best.score,
  };
}

/** Standard deviation of the noise from neighbours' differences; never under 10 %, which any traffic has. */
function noiseOf(x: readonly number[]): number {
  const differences = x.slice(1).map((v, i) => Math.abs(v - x[i]!));
  return Math.max(0.1, (1.4826 * median(differences)) / Math.SQRT2);
}

/** How much one element of a dimension has to do with a change. Sums over a dimension are 1 and the divergence. */
export interface Blame {
  /** Its share of the whole change. */
  explains: number;
  /** How unexpected its new share of the whole is (its part of the Jensen-Shannon divergence, natural log). */
  surprise: number;
}

/**
 * Explanatory power and surprise of each element.
 *
 * Source: Adtributor: Bhagwan, Kumar, Ramjee et al., "Adtributor: Revenue Debugging in Advertising Systems",
 *         NSDI 2014, sections 3.2 and 3.3.
 */
export function blame(elements: readonly { expected: number; actual: number }[]): Blame[] {
  const expected = sum(elements.map((e) => e.expected));
  const actual = sum(elements.map((e) => e.actual));
  const change = actual - expected;
  return elements.map((e) => {
    const p = expected > 0 ? e.expected / expected : 0;
    const q = actual > 0 ? e.actual / actual : 0;
    const m = p + q;
    const term = (v: number) => (v > 0 ? v * Math.log((2 * v) / m) : 0);
    return {
      explains: change === 0 ? 0 : (e.actual - e.expected) / change,
      surprise: 0.5 * (term(p) + term(q)),
    };
  });
}

/** Jensen-Shannon divergence is at most ln 2; within sampling noise of two alike mixtures it is near 0. */
export const MOST_SURPRISE = Math.LN2;

/**
 * Mann–Whitney U, two-sided, normal approximation with ties: whether two samples lie on different levels. Ranks
 * do not care how far out a single day lies, so one blip cannot decide it.
 *
 * Source: Mann & Whitney 1947; Lehmann, "Nonparametrics" (tie correction).
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): { u: number; p: number } {
  const all = [...a.map((v) => ({ v, first: true })), ...b.map((v) => ({ v, first: false }))].toSorted(
    (x, y) => x.v - y.v,
  );
  const n = all.length;
  let rankSum = 0;
  let ties = 0;
  for (let i = 0; i < n; ) {
    let j = i;
    while (j < n && all[j]!.v === all[i]!.v) j++;
    const rank = (i + 1 + j) / 2;
    ties += (j - i) ** 3 - (j - i);
    for (let k = i; k < j; k++) if (all[k]!.first) rankSum += rank;
    i = j;
  }
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const centre = (a.length * b.length) / 2;
  const variance = ((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  if (!(variance > 0)) return { u, p: 1 };
  const z = Math.max(0, Math.abs(u - centre) - 0.5) / Math.sqrt(variance);
  return { u, p: Math.min(1, 2 * upperTail(z)) };
}

/** P(Z > z). Source: Abramowitz & Stegun 7.1.26, absolute error below 1.5e-7; the bound keeps it above 0. */
function upperTail(z: number): number {
  const t = 1 / (1 + (0.3275911 * z) / Math.SQRT2);
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.max(1e-12, 0.5 * poly * Math.exp((-z * z) / 2));
}

/** Straight lines between given points, level beyond them: how a measure becomes a weight. */
export function between(value: number, points: readonly (readonly [at: number, weight: number])[]): number {
  const [first] = points;
  if (value <= first![0]) return first![1];
  for (let i = 1; i < points.length; i++) {
    const [x1, y1] = points[i]!;
    const [x0, y0] = points[i - 1]!;
    if (value <= x1) return y0 + ((y1 - y0) * (value - x0)) / (x1 - x0);
  }
  return points.at(-1)![1];
}
