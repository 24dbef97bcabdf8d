import type { Check, Fact, Finding, HypothesisVerdict, Remedy, Series } from '../../findings/finding.js';
import { bar, sparkline } from './chart.js';
import { accused, impactText, preferredFirst, titleLines, WIDEST } from './examine.js';
import { labelled, textWidth } from './labelled.js';
import {
  amount,
  amountShort,
  count,
  date,
  dateRange,
  hasFigure,
  type TacitYear,
  tacitYear,
  weight,
} from './numbers.js';
import { isSameFrom, placeText, searchedLines } from './place.js';
import type { Screen } from './style.js';
import { table } from './table.js';
import { flow, hanging, indent, type Line, print, span, verbatim, wrap } from './text.js';

/** One finding in full: nothing cut, every place ready to be copied, every alternative with what speaks of it. */
export interface ShowOptions extends Screen {
  /** The period of the report, so that a year all dates share is not repeated; without it every date has one. */
  period?: { first: string | null; last: string | null };
}

// More points than this are a picture only; all of them are in --json.
const SERIES_ROWS = 62;

export function renderFinding(finding: Finding, n: number, opts: ShowOptions): string {
  const width = Math.min(WIDEST, opts.width);
  const text = textWidth(width);
  const tacit = opts.period ? tacitYear(opts.period) : null;
  const culprit = accused(finding);
  const rest = finding.hypotheses.filter((h) => h !== culprit);
  const blocks: Line[][] = [
    [...titleLines(finding, n, width, tacit), ...indent(identity(finding, width - 3), 3)],
    labelled(
      'IMPACT',
      'label',
      finding.impact.flatMap((i) => hanging([span(impactText(i))], text)),
      width,
    ),
    culprit
      ? labelled('CULPRIT', 'culprit', hypothesis(culprit, text), width)
      : labelled('CULPRIT', 'open', [[span('cannot be told from this evidence')]], width),
    ...rest.map((h, i) => labelled(i === 0 ? 'OTHERS' : '', 'label', hypothesis(h, text), width)),
    ...finding.series.map((s) => labelled('COURSE', 'label', course(s, text, opts.unicode, tacit), width)),
    labelled(
      'NOTES',
      'label',
      finding.notes.flatMap((note) => told(note, text)),
      width,
    ),
    ...preferredFirst(finding.remedies).map((r, i) =>
      labelled(i === 0 ? 'FIX' : 'OR', i === 0 ? 'fix' : 'label', remedy(r, text), width),
    ),
    labelled(
      'AVOID',
      'warning',
      finding.avoid.flatMap((a) => hanging([span(a)], text)),
      width,
    ),
    finding.check ? labelled('CHECK', 'label', check(finding.check, text), width) : [],
  ];
  return print(
    blocks.filter((b) => b.length > 0).flatMap((b, i) => (i === 0 ? b : [[], ...b])),
    opts,
  );
}

function identity(finding: Finding, width: number): Line[] {
  const subject = Object.entries(finding.subject).map(
    ([key, value]): Line => [span(`${key} `, 'dim'), span(value)],
  );
  return flow([...subject, [span(finding.id, 'dim')]], width);
}

const VERDICTS: Record<HypothesisVerdict['verdict'], string> = {
  confirmed: 'confirmed',
  'ruled-out': 'ruled out',
  undecided: 'undecided',
};

function hypothesis(h: HypothesisVerdict, width: number): Line[] {
  const style = h.verdict === 'confirmed' ? 'culprit' : h.verdict === 'undecided' ? 'open' : 'strong';
  const verdict = span(`${VERDICTS[h.verdict]}, weight ${weight(h.weight)}`, 'dim');
  return [
    ...hanging([span(h.id, style), span('  '), verdict], width),
    ...hanging([span(h.says)], width),
    ...h.facts.flatMap((fact, i) => told(fact, width, isSameFrom(fact, h.facts[i - 1]))),
    ...h.bring.flatMap((b) => hanging([span('bring ', 'open'), span(b)], width)),
  ];
}

/** What is said, and below it each place on a line of its own. Places are not cut: they are there to be opened. */
function told(
  fact: Pick<Fact, 'says' | 'amount'> & { from: Fact['from'] },
  width: number,
  placesShown = false,
): Line[] {
  const { says, from } = fact;
  const known =
    fact.amount && !hasFigure(says, fact.amount) ? span(` (${amount(fact.amount)})`, 'dim') : null;
  const lines = hanging([span('• ', 'dim'), span(says), ...(known ? [known] : [])], width);
  const places = placesShown
    ? []
    : 'searched' in from
      ? [`searched ${searchedLines(from)} of`, ...from.searched]
      : from.map(placeText);
  return [
    ...lines,
    ...indent(
      places.flatMap((p) => wrap([span(p, 'dim')], width - 4)),
      4,
    ),
  ];
}

function course(series: Series, width: number, unicode: boolean, tacit: TacitYear): Line[] {
  const { points, unit } = series;
  const values = points.map((p) => p.value);
  const first = points[0]?.at ?? null;
  const last = points.at(-1)?.at ?? null;
  const span_ = [span(series.title, 'strong'), span(`  ${dateRange(first, last, tacit)}`, 'dim')];
  const lines = [...hanging(span_, width), [span(sparkline(values, width, unicode), 'bar')]];
  if (points.length > SERIES_ROWS) {
    return [...lines, [span(`${count(points.length)} points: culprit show --json has them all`, 'dim')]];
  }
  const top = values.reduce((max, v) => Math.max(max, v), 0);
  const rows = points.map((p) => [
    span(date(p.at, tacit), 'dim'),
    span(amountShort({ value: p.value, unit })),
    span(bar(top > 0 ? p.value / top : 0, Math.min(30, Math.max(4, width - 34)), unicode), 'bar'),
  ]);
  return [
    ...lines,
    ...table([{ title: '' }, { title: '', align: 'right' }, { title: '' }], rows, width).lines,
  ];
}

/** The change is neither wrapped nor cut, like the command of the check: both must survive being copied. */
function remedy(r: Remedy, width: number): Line[] {
  const change = r.change.replace(/\s+$/, '').split(/\r?\n/);
  const row = (word: string, text: string): Line[] =>
    text === '' ? [] : hanging([span(`${word}  `.padEnd(6), 'dim'), span(text)], width, 6);
  return [
    ...hanging([span(r.title, 'strong'), ...(r.preferred ? [span('  preferred', 'dim')] : [])], width),
    ...row('in', r.where),
    ...change.map((line): Line => [span('    '), verbatim(line, 'change')]),
    ...row('cost', r.cost),
    ...row('undo', r.undo),
  ];
}

function check(c: Check, width: number): Line[] {
  const now = [span(`${c.measures}: `), span(amount(c.before), 'strong'), span(` now, expects ${c.expects}`)];
  return [[verbatim(c.command, 'change')], ...hanging(now, width)];
}
