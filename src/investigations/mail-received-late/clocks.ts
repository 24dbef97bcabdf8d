/** A moment on the way, in the order in which they must have come. */
export interface Stamp {
  /** Which hop wrote it, from 0; -1 is the author's Date. */
  hop: number;
  /** Milliseconds UTC. */
  at: number;
  /** Stamps of one clock are one witness. */
  clock: string;
  /** How much the clock is believed. */
  belief: number;
}

export interface Skewed extends Stamp {
  /** Seconds that the clock is ahead of the others, at least and at most; null where nothing bounds it. */
  least: number | null;
  most: number | null;
  /** Leaving out another stamp instead would do about as well: it cannot be told which clock is wrong. */
  isAmbiguous: boolean;
}

/** Clocks that are kept differ by less, and a mail may be stamped when its transfer begins or ends. */
const TOLERANCE_S = 5;
/**
 * A wait between two stamps makes them a little less believable than none: one clock that is ahead explains a step up
 * and the step down behind it, for which otherwise a wait and a wrong clock would have to come together.
 */
const WAIT_COSTS = 0.2;
const WAIT_S = 120;
/** No stamp counts for less, however many its clock has made: it must be worth more than a wait costs. */
const LEAST_WEIGHT = 0.25;
/** Two explanations closer than this are taken for equally good. */
const CLEAR_LEAD = 0.15;

/**
 * Tells wrong clocks from true ones. A mail cannot arrive before it left, so stamps must not fall; the most believable
 * set of stamps that does not fall is kept (weighted longest non-decreasing subsequence, waits at a price), and the others are of clocks
 * that are wrong. What a clock is off by is bounded by the kept stamps on both sides.
 *
 * Shape:  `kept` and `skewed` together are `stamps`. Quadratic in the number of stamps, of which there are at most
 *         1,001.
 */
export function truestOf(stamps: readonly Stamp[]): { kept: Stamp[]; skewed: Skewed[] } {
  const n = stamps.length;
  const perClock = new Map<string, number>();
  for (const s of stamps) perClock.set(s.clock, (perClock.get(s.clock) ?? 0) + 1);
  const weight = stamps.map((s) => Math.max(LEAST_WEIGHT, s.belief / perClock.get(s.clock)!));
  const mayFollow = (i: number, j: number) => stamps[j]!.at >= stamps[i]!.at - TOLERANCE_S * 1000;
  const cost = (i: number, j: number) => (stamps[j]!.at - stamps[i]!.at > WAIT_S * 1000 ? WAIT_COSTS : 0);
  const upTo = [...weight];
  const before = new Array<number>(n).fill(-1);
  for (let j = 0; j < n; j++)
    for (let i = 0; i < j; i++)
      if (mayFollow(i, j) && upTo[i]! + weight[j]! - cost(i, j) > upTo[j]!) {
        upTo[j] = upTo[i]! + weight[j]! - cost(i, j);
        before[j] = i;
      }
  const from = [...weight];
  for (let i = n - 1; i >= 0; i--)
    for (let j = i + 1; j < n; j++)
      if (mayFollow(i, j)) from[i] = Math.max(from[i]!, from[j]! + weight[i]! - cost(i, j));
  const best = Math.max(0, ...upTo);
  const isKept = new Array<boolean>(n).fill(false);
  for (let i = upTo.indexOf(best); i >= 0; i = before[i]!) isKept[i] = true;
  const kept = stamps.filter((_, i) => isKept[i]);
  const skewed = stamps.flatMap((stamp, i): Skewed[] => {
    if (isKept[i]) return [];
    const previous = stamps.findLast((_, k) => k < i && isKept[k]);
    const next = stamps.find((_, k) => k > i && isKept[k]);
    const through = upTo[i]! + from[i]! - weight[i]!;
    return [
      {
        ...stamp,
        least: next ? (stamp.at - next.at) / 1000 : null,
        most: previous ? (stamp.at - previous.at) / 1000 : null,
        isAmbiguous: best - through < CLEAR_LEAD,
      },
    ];
  });
  return { kept, skewed };
}

/** How far off, in seconds, for certain; the sign says ahead (+) or behind (−). */
export function offBy(s: Skewed): number {
  if (s.least !== null && s.least > 0) return s.least;
  return s.most !== null && s.most < 0 ? s.most : 0;
}
