import type { Finding } from '../../findings/finding.js';
import type { Side, Verification } from '../../findings/verification.js';
import type { Case } from '../../store/case.js';
import { share as percent } from '../mail/words.js';
import { fisherExact } from '../rates.js';
import { bytes } from './hypotheses.js';
import { StallScene, type Try } from './scene.js';

/** What a finding's harm is: tries at this provider with messages of this size and more that break off. */
export interface Measure {
  provider: string;
  least: number;
}

const SIGNIFICANT = 0.05;
const LEAST_TRIES = 3;

/** The rate of broken tries among large messages before and after, by Fisher's exact test. */
export async function verifyStalls(
  store: Case,
  finding: Finding,
  measure: Measure,
  split: string,
): Promise<Verification> {
  const scene = await StallScene.of(store);
  const course = scene.courses.find((c) => c.id === measure.provider);
  const tries = (course?.tries ?? [])
    .filter((t) => t.bytes === null || t.bytes >= measure.least)
    .map((t) => ({ ...t, wall: scene.wall(t.at) }));
  const before = tries.filter((t) => t.wall < split && t.wall >= (finding.since ?? ''));
  const after = tries.filter((t) => t.wall >= split);
  const broken = (list: Try[]) => list.filter((t) => t.stalled).length;
  const rate = (list: Try[]) => broken(list) / Math.max(1, list.length);
  const p = fisherExact(
    broken(before),
    before.length - broken(before),
    broken(after),
    after.length - broken(after),
  );
  const enough = before.length >= LEAST_TRIES && after.length >= LEAST_TRIES;
  const sure = p < SIGNIFICANT;
  const verdict: Verification['verdict'] = !enough
    ? 'cannot-tell'
    : sure && rate(after) <= 0.1 * rate(before)
      ? 'fixed'
      : sure && rate(after) < 0.7 * rate(before)
        ? 'improved'
        : 'not-fixed';
  const side = (list: typeof tries): Side => ({
    days: list.length === 0 ? 0 : (list.at(-1)!.at - list[0]!.at) / 86_400,
    median: { value: Math.round(rate(list) * 1000) / 10, unit: 'percent' },
    from: list[0]?.wall ?? split,
    to: list.at(-1)?.wall ?? split,
  });
  const told = `${broken(before)} of ${before.length} broke off before (${percent(rate(before))}), ${broken(after)} of ${after.length} after (${percent(rate(after))})`;
  return {
    finding: finding.id,
    title: finding.title,
    measure: `tries with messages of ${bytes(measure.least)} and more to ${finding.subject.name ?? measure.provider} that break off`,
    split,
    before: side(before),
    after: side(after),
    change: rate(before) > 0 ? Number((rate(after) / rate(before)).toFixed(3)) : 0,
    pValue: p,
    test: 'Fisher’s exact test, two-sided',
    verdict,
    because:
      verdict === 'cannot-tell'
        ? `there are ${before.length} tries with large messages before and ${after.length} after; a verdict needs ${LEAST_TRIES} of each: bring later logs, or another --since`
        : verdict === 'not-fixed'
          ? `${told}: no fewer than chance allows`
          : told,
    blips: [],
    series: { title: 'broken tries', unit: 'percent', points: steps(tries) },
  };
}

/** Rates of forty steps of equal length. */
function steps(tries: (Try & { wall: string })[]): { at: string; value: number }[] {
  if (tries.length === 0) return [];
  const first = tries[0]!.at;
  const width = Math.max(1, (tries.at(-1)!.at - first + 1) / 40);
  const bins = new Map<number, { wall: string; broken: number; n: number }>();
  for (const t of tries) {
    const bin = Math.floor((t.at - first) / width);
    const b = bins.get(bin) ?? { wall: t.wall, broken: 0, n: 0 };
    b.n++;
    if (t.stalled) b.broken++;
    bins.set(bin, b);
  }
  return [...bins.values()].map((b) => ({ at: b.wall, value: Math.round((1000 * b.broken) / b.n) / 10 }));
}
