import type { Finding } from '../../findings/finding.js';
import type { Side, Verification } from '../../findings/verification.js';
import type { Case } from '../../store/case.js';
import { mannWhitney, median } from '../statistics.js';
import { MailScene } from './scene.js';

/** What a finding's harm is, so that it can be measured again: the delay of mail to these providers (none: to all). */
export interface Measure {
  providers: string[];
  lateFrom: number;
}

const SIGNIFICANT = 0.05;
const FIXED_BELOW = 0.2;
const IMPROVED_BELOW = 0.7;
const LEAST_MESSAGES = 5;
const SECONDS_A_DAY = 86_400;

/**
 * Before against after, by ranks: the delay of each recipient's mail, by when it arrived here. Mail that is still
 * waiting counts with the time that it has waited so far. Behind the moment that would praise what is only young: there
 * it counts as much as the longest delay of all when it is late already, and not at all when it is not yet.
 */
export async function verifyLateness(
  store: Case,
  finding: Finding,
  measure: Measure,
  split: string,
): Promise<Verification> {
  const scene = await MailScene.of(store);
  const among = measure.providers.map((_, i) => `$${i + 1}`).join(', ');
  const rows = await store.rows<{ at: number; delay: number; open: boolean }>(
    `SELECT epoch(arrived_at) AS at, delay, outcome = 'waiting' AS open FROM judged
     WHERE arrived_at IS NOT NULL AND delay IS NOT NULL ${measure.providers.length > 0 ? `AND provider IN (${among})` : ''}
     ORDER BY arrived_at`,
    measure.providers,
  );
  const since = finding.since ?? '';
  const at = rows.map((r) => ({ ...r, wall: scene.wall(r.at) }));
  const before = at.filter((r) => r.wall >= since && r.wall < split);
  const longest = at.reduce((most, r) => Math.max(most, r.delay), 0);
  const after = at
    .filter((r) => r.wall >= split && !(r.open && r.delay < measure.lateFrom))
    .map((r) => (r.open ? { ...r, delay: longest } : r));
  const delays = (list: typeof at) => list.map((r) => r.delay);
  const { p } = mannWhitney(delays(before), delays(after));
  const change = median(delays(after)) / Math.max(0.1, median(delays(before)));
  const lateShare = (list: typeof at) =>
    list.filter((r) => r.delay >= measure.lateFrom).length / Math.max(1, list.length);
  const enough = before.length >= LEAST_MESSAGES && after.length >= LEAST_MESSAGES;
  const sure = p < SIGNIFICANT;
  const verdict: Verification['verdict'] = !enough
    ? 'cannot-tell'
    : sure && change < FIXED_BELOW && lateShare(after) < 0.2 * Math.max(0.05, lateShare(before))
      ? 'fixed'
      : sure && change < IMPROVED_BELOW
        ? 'improved'
        : 'not-fixed';
  const side = (list: typeof at): Side => ({
    days: list.length === 0 ? 0 : (list.at(-1)!.at - list[0]!.at) / SECONDS_A_DAY,
    median: { value: list.length === 0 ? 0 : Number(median(delays(list)).toFixed(1)), unit: 'second' },
    from: list[0]?.wall ?? split,
    to: list.at(-1)?.wall ?? split,
  });
  return {
    finding: finding.id,
    title: finding.title,
    measure:
      measure.providers.length > 0
        ? `delay of mail to ${finding.subject.name ?? finding.subject.providers ?? measure.providers.join(', ')}`
        : 'delay of all mail',
    split,
    before: side(before),
    after: side(after),
    change: Number.isFinite(change) ? Number(change.toFixed(3)) : 0,
    pValue: p,
    test: 'Mann–Whitney U, two-sided',
    verdict,
    because: because(verdict, before.length, after.length, lateShare(before), lateShare(after)),
    blips: [],
    series: {
      title: `delay of mail, median`,
      unit: 'second',
      points: steps(at.map(({ wall, delay }) => ({ wall, delay }))),
    },
  };
}

function because(
  verdict: Verification['verdict'],
  before: number,
  after: number,
  lateBefore: number,
  lateAfter: number,
): string {
  const percent = (v: number) => `${(v * 100).toFixed(v < 0.1 ? 1 : 0)} %`;
  const late = `${percent(lateBefore)} were late before, ${percent(lateAfter)} after`;
  switch (verdict) {
    case 'cannot-tell':
      return `there are ${before} messages of the harm before and ${after} after; a verdict needs ${LEAST_MESSAGES} of each: bring later logs, or another --since`;
    case 'fixed':
      return `${late}`;
    case 'improved':
      return `there is less of it, but it is not gone: ${late}`;
    case 'not-fixed':
      return `mail after is not faster than mail before by more than chance: ${late}`;
  }
}

/** Medians of forty steps of equal length. */
function steps(at: { wall: string; delay: number }[]): { at: string; value: number }[] {
  if (at.length === 0) return [];
  const seconds = (wall: string) => Date.parse(`${wall}Z`) / 1000;
  const first = seconds(at[0]!.wall);
  const width = Math.max(1, (seconds(at.at(-1)!.wall) - first + 1) / 40);
  const bins = new Map<number, number[]>();
  for (const { wall, delay } of at) {
    const bin = Math.floor((seconds(wall) - first) / width);
    bins.set(bin, [...(bins.get(bin) ?? []), delay]);
  }
  return [...bins].map(([bin, delays]) => ({
    at: new Date((first + bin * width) * 1000).toISOString().slice(0, 19),
    value: Number(median(delays).toFixed(1)),
  }));
}
