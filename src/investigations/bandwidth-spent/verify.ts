import type { Finding } from '../../findings/finding.js';
import type { Blip, Side, Verification } from '../../findings/verification.js';
import type { Case } from '../../store/case.js';
import { mannWhitney, median } from '../statistics.js';
import { describeTexts } from '../web.js';
import { type Calendar, type Course, historyOf, type Site } from './course.js';
import { weighAll } from './hypotheses.js';
import { Scene, type Slice, sliceText } from './scene.js';

/** What a finding's harm is, so that it can be measured again. */
export interface Measure {
  site: Site;
  slice: Slice;
  unit: Calendar['unit'];
}

/** The two sides of the split differ by more than chance; Mann–Whitney with few days cannot reach much less. */
const SIGNIFICANT = 0.05;
/** After over before: what counts as gone, and as better. */
const FIXED_BELOW = 0.2;
const IMPROVED_BELOW = 0.7;
const LEAST_STEPS = 3;

/**
 * Before against after, by ranks: the bytes a day (or hour) of the culprit's own slice. The median of each side and
 * a rank test do not care for a single day that stands out; such days are told apart and explained by what the
 * site's other requests did.
 */
export async function verifyMeasure(
  store: Case,
  finding: Finding,
  measure: Measure,
  split: string,
): Promise<Verification> {
  const history = await historyOf(store);
  if (!history) throw new Error('the case holds no requests');
  const { calendar, courses } = history;
  await describeTexts(store);
  const course = courses.find(
    (c) => c.site.name === measure.site.name && c.site.bytesKind === measure.site.bytesKind,
  );
  if (!course) throw new Error('the case no longer holds this site');
  const scene = await Scene.of(store, calendar, course, null);
  const bytes = await scene.courseOf(measure.slice);
  const at = calendar.starts.findIndex((s) => s >= split);
  const cut = at < 0 ? calendar.starts.length : at;
  // The step in which the fix was made is on neither side.
  const beforeEnd = calendar.starts[cut] === split ? cut : cut - 1;
  const begins = finding.since ?? calendar.starts[0]!;
  const harm = calendar.starts.findIndex((_, i) => (calendar.starts[i + 1] ?? '9') > begins);
  const indices = (from: number, to: number) =>
    bytes.flatMap((_, i) => (i >= from && i < to && calendar.whole[i] ? [i] : []));
  const before = indices(Math.max(0, harm), beforeEnd);
  const after = indices(cut, calendar.starts.length);
  const of = (which: number[]) => which.map((i) => bytes[i]!);
  const { p } = mannWhitney(of(before), of(after));
  const change = median(of(after)) / Math.max(1, median(of(before)));
  const unit = calendar.unit === 'day' ? ('byte/day' as const) : ('byte' as const);
  const side = (which: number[]): Side => ({
    days: which.length / (calendar.unit === 'day' ? 1 : 24),
    median: { value: Math.round(median(of(which)) || 0), unit },
    from: calendar.starts[which[0] ?? cut] ?? split,
    to: calendar.starts[which.at(-1) ?? cut] ?? split,
  });
  const enough = before.length >= LEAST_STEPS && after.length >= LEAST_STEPS;
  const sure = p < SIGNIFICANT;
  const verdict: Verification['verdict'] = !enough
    ? 'cannot-tell'
    : sure && change < FIXED_BELOW
      ? 'fixed'
      : sure && change < IMPROVED_BELOW
        ? 'improved'
        : 'not-fixed';
  return {
    finding: finding.id,
    title: finding.title,
    measure: `${calendar.unit === 'day' ? 'bytes a day' : 'bytes an hour'} of ${sliceText(measure.slice)} on ${measure.site.name}`,
    split,
    before: side(before),
    after: side(after),
    change: Number.isFinite(change) ? Number(change.toFixed(3)) : 0,
    pValue: p,
    test: 'Mann–Whitney U, two-sided',
    verdict,
    because:
      because(verdict, before.length, after.length, calendar.unit) +
      tooEarly(verdict, of(before), of(after), calendar.unit),
    blips: await blipsOf(store, calendar, course, measure, bytes, after, indices(0, Math.max(0, harm))),
    series: {
      title: `${calendar.unit === 'day' ? 'bytes a day' : 'bytes an hour'}, ${measure.site.name}`,
      unit,
      points: calendar.starts.map((start, i) => ({ at: start, value: course.bytes[i]! })),
    },
  };
}

/** The harm went on after the moment that was given, and went away later: another change may be what cured it. */
function tooEarly(
  verdict: Verification['verdict'],
  before: number[],
  after: number[],
  unit: Calendar['unit'],
): string {
  const gone = after.findIndex((v) => v < median(before) * IMPROVED_BELOW);
  if (verdict !== 'fixed' || gone < 2) return '';
  return `; but only from ${gone} ${unit}s after the moment given: was it this fix, or another?`;
}

function because(
  verdict: Verification['verdict'],
  before: number,
  after: number,
  unit: Calendar['unit'],
): string {
  switch (verdict) {
    case 'cannot-tell':
      return `there are ${before} whole ${unit}s of the harm before and ${after} after; a verdict needs ${LEAST_STEPS} of each: bring later logs, or another --since`;
    case 'fixed':
      return 'the harm is gone, and stays gone on every typical day since';
    case 'improved':
      return 'there is less of it, but it is not gone';
    case 'not-fixed':
      return 'days after are not lower than days before by more than chance';
  }
}

/** Steps after the fix in which the site as a whole stands out, and what they were. */
async function blipsOf(
  store: Case,
  calendar: Calendar,
  course: Course,
  measure: Measure,
  slice: number[],
  after: number[],
  quiet: number[],
): Promise<Blip[]> {
  // What is usual also shows in the days before the harm began.
  const values = [...quiet, ...after].map((i) => course.bytes[i]!);
  if (values.length < 4) return [];
  const usual = median(values);
  const spread = 1.4826 * median(values.map((v) => Math.abs(v - usual)));
  const limit = Math.max(usual + 5 * spread, usual * 2);
  const runs: { from: number; to: number }[] = [];
  for (const i of after)
    if (course.bytes[i]! > limit) {
      const last = runs.at(-1);
      if (last && last.to === i) last.to = i + 1;
      else runs.push({ from: i, to: i + 1 });
    }
  const blips: Blip[] = [];
  for (const run of runs.slice(0, 3)) {
    const total = course.bytes.slice(run.from, run.to).reduce((a, b) => a + b, 0);
    const theirs = slice.slice(run.from, run.to).reduce((a, b) => a + b, 0);
    let explanation = 'it is the culprit again';
    if (theirs < total / 2) {
      const scene = await Scene.of(store, calendar, course, run, measure.slice);
      const [first] = await weighAll(scene);
      explanation =
        first && first.weight > 2 && first.explains > 0.35
          ? `not the culprit again: ${first.says} (${first.id})`
          : 'not the culprit again; what it was is not clear';
    }
    blips.push({
      from: calendar.starts[run.from]!,
      to: calendar.starts[run.to - 1]!,
      amount: { value: total, unit: 'byte' },
      explanation,
    });
  }
  return blips;
}
