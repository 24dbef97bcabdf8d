import type { Side, Verification } from '../../findings/verification.js';
import { bar, sparkline } from './chart.js';
import { WIDEST } from './examine.js';
import { labelled, textWidth } from './labelled.js';
import {
  amount,
  amountShort,
  date,
  dateRange,
  percent,
  seconds,
  type TacitYear,
  tacitYear,
} from './numbers.js';
import type { Screen, Style } from './style.js';
import { table } from './table.js';
import { flow, hanging, joined, type Line, padEnd, print, span } from './text.js';

const VERDICTS: Record<Verification['verdict'], [string, Style]> = {
  fixed: ['fixed', 'fix'],
  improved: ['improved, not gone', 'warning'],
  'not-fixed': ['not fixed', 'culprit'],
  'cannot-tell': ['cannot tell', 'open'],
};

/** Did the fix work: the verdict first, then before and after with the test, then the course of it. */
export function renderVerify(result: Verification, opts: Screen): string {
  const width = Math.min(WIDEST, opts.width);
  const text = textWidth(width);
  const tacit = tacitYear({ first: result.before.from, last: result.after.to });
  const [says, style] = VERDICTS[result.verdict];
  const head: Line = [span(says, style), span('  '), span(result.title, 'strong')];
  const blocks: Line[][] = [
    [
      ...hanging(head, width),
      ...flow([[span(result.measure, 'dim')], [span(`split at ${date(result.split, tacit)}`, 'dim')]], width),
    ],
    [
      ...labelled('BEFORE', 'label', side(result.before, text, tacit), width),
      ...labelled('AFTER', 'label', side(result.after, text, tacit), width),
      ...labelled('CHANGE', 'label', change(result, text), width),
    ],
    labelled('BECAUSE', 'label', hanging([span(result.because)], text), width),
    labelled('BLIPS', 'open', blips(result, text, tacit), width),
    labelled('COURSE', 'label', course(result, text, opts.unicode, tacit), width),
  ];
  return print(
    blocks.filter((b) => b.length > 0).flatMap((b, i) => (i === 0 ? b : [[], ...b])),
    opts,
  );
}

function side(s: Side, width: number, tacit: TacitYear): Line[] {
  // A lab, or an outage, is over in minutes.
  const days = Number.isInteger(s.days)
    ? `${s.days} ${s.days === 1 ? 'day' : 'days'}`
    : s.days > 3
      ? `${s.days.toFixed(1)} days`
      : seconds(s.days * 86_400);
  if (s.days === 0) return [[span('no days to measure', 'warning')]];
  const typical = padEnd([span(amount(s.median), 'strong')], 14);
  return hanging([...typical, span(` median of ${days}, ${dateRange(s.from, s.to, tacit)}`, 'dim')], width);
}

function change({ change: ratio, pValue, test }: Verification, width: number): Line[] {
  const isKnown = Number.isFinite(ratio) && ratio >= 0;
  const by = !isKnown
    ? 'not known'
    : ratio === 1
      ? 'none'
      : ratio < 1
        ? `−${percent((1 - ratio) * 100)}`
        : `+${percent((ratio - 1) * 100)}`;
  const chance = Number.isFinite(pValue)
    ? `by chance: p ${pText(pValue)} (${test})`
    : `no test possible (${test})`;
  return hanging([...padEnd([span(by, 'strong')], 14), span(` ${chance}`, 'dim')], width);
}

function pText(p: number): string {
  if (p < 1e-12) return '< 1e-12';
  return `= ${p < 0.001 ? p.toExponential(1) : String(Number(p.toPrecision(2)))}`;
}

function blips(result: Verification, width: number, tacit: TacitYear): Line[] {
  return result.blips.flatMap((b) =>
    hanging(
      joined([
        [span(dateRange(b.from, b.to, tacit))],
        [span(amount(b.amount), 'strong')],
        [span(b.explanation)],
      ]),
      width,
    ),
  );
}

/** The points as rows, with a rule where the fix was; many points as a sparkline, each side its own. */
function course(result: Verification, width: number, unicode: boolean, tacit: TacitYear): Line[] {
  const { points, unit, title } = result.series;
  if (points.length === 0) return [];
  const isBefore = (at: string) => at < result.split;
  const values = (before: boolean) => points.filter((p) => isBefore(p.at) === before).map((p) => p.value);
  const line = sparkline([...values(true), ...values(false)], points.length, unicode);
  const cut = values(true).length;
  const fits = points.length + 3 <= width;
  const lines: Line[] = [
    ...hanging([span(title, 'strong')], width),
    fits
      ? [span(line.slice(0, cut), 'bar'), span(' | ', 'strong'), span(line.slice(cut), 'bar')]
      : [span(sparkline([...values(true), ...values(false)], width, unicode), 'bar')],
  ];
  if (points.length > 62) return lines;
  const top = points.reduce((max, p) => Math.max(max, p.value), 0);
  const rows = points.map((p) => [
    span(date(p.at, tacit), 'dim'),
    span(amountShort({ value: p.value, unit })),
    span(bar(top > 0 ? p.value / top : 0, Math.min(30, Math.max(4, width - 34)), unicode), 'bar'),
  ]);
  const made = table([{ title: '' }, { title: '', align: 'right' }, { title: '' }], rows, width).lines;
  const rule: Line = [span(`fix, ${date(result.split, tacit)}`, 'strong')];
  return [...lines, ...made.slice(0, cut), rule, ...made.slice(cut)];
}
