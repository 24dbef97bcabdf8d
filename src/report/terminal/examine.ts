import type {
  Finding,
  HypothesisVerdict,
  Impact,
  Remedy,
  Report,
  SourceReport,
} from '../../findings/finding.js';
import { labelled, textWidth } from './labelled.js';
import {
  amount,
  bytes,
  count,
  countShort,
  date,
  dateRange,
  hasFigure,
  seconds,
  type TacitYear,
  tacitYear,
} from './numbers.js';
import { isSameFrom, type Names, namesIn, seenAt } from './place.js';
import type { Screen, Style } from './style.js';
import {
  clamp,
  flow,
  hanging,
  indent,
  joined,
  type Line,
  lineWidth,
  padEnd,
  padStart,
  print,
  type Span,
  span,
  truncateLine,
  verbatim,
  withRight,
  wrap,
} from './text.js';

/** The first screen: what is wrong, why, how to fix it. Longer is `culprit show N`, not a longer first screen. */
export interface ExamineOptions extends Screen {
  totals: { seconds: number };
}

/** Lines longer than this are hard to read, and grey places too far from what they belong to. */
export const WIDEST = 120;
// About a screen: one or two findings in full; of more, only the first, the next two in short, the others named.
const IN_SHORT = 3;
const RULED_OUT = 4;
const OTHER_REMEDIES = 2;
const CHANGE_LINES = 4;

export function renderReport(report: Report, opts: ExamineOptions): string {
  const width = Math.min(WIDEST, opts.width);
  const names = namesIn(report);
  const tacit = tacitYear(report.period);
  const many = report.findings.length > 2;
  const inFull = many ? 1 : 2;
  const blocks = [
    header(report, opts.totals.seconds, width),
    ...report.findings.slice(0, IN_SHORT).map((finding, i) => {
      const full = i < inFull;
      return block(finding, i + 1, { width, names, tacit, full, facts: full ? (many ? 3 : 4) : 2 });
    }),
    report.findings.slice(IN_SHORT).flatMap((finding, i) => brief(finding, i + 1 + IN_SHORT, width)),
    report.findings.length === 0 ? nothingFound(report) : [],
    others(report, width),
    unreadWarning(report.sources, width),
  ];
  return print(
    blocks.filter((b) => b.length > 0).flatMap((b, i) => (i === 0 ? b : [[], ...b])),
    opts,
  );
}

function header(report: Report, took: number, width: number): Line[] {
  const read = report.sources.filter((s) => s.sameAs === undefined);
  const sum = (of: (s: SourceReport) => number) => read.reduce((total, s) => total + of(s), 0);
  const amounts = [
    `${count(read.length)} ${read.length === 1 ? 'file' : 'files'}`,
    bytes(sum((s) => s.bytes)),
    `${countShort(sum((s) => s.records))} records`,
  ];
  if (report.period.first !== null) amounts.push(dateRange(report.period.first, report.period.last));
  const parts: Line[] = [[span('culprit', 'strong')]];
  if (report.hosts.length > 0) parts.push([span(hosts(report.hosts))]);
  parts.push([span(amounts.join(', '))], [span(`read in ${seconds(took)}`, 'dim')]);
  return flow(parts, width);
}

function hosts(all: string[]): string {
  return all.length <= 3 ? all.join(', ') : `${all.slice(0, 2).join(', ')} and ${all.length - 2} more hosts`;
}

interface Detail {
  width: number;
  names: Names;
  tacit: TacitYear;
  /** Not in full: the same rows, each at its shortest. */
  full: boolean;
  facts: number;
}

function block(finding: Finding, n: number, detail: Detail): Line[] {
  const { width } = detail;
  const title = titleLines(finding, n, width, detail.tacit);
  const text = textWidth(width);
  return finding.outcome === 'cannot-tell'
    ? [
        ...title,
        ...labelled('CULPRIT', 'open', rivals(finding, text), width),
        ...labelled('BECAUSE', 'label', facts(inDispute(finding), n, detail), width),
        ...labelled('NOT', 'label', ruledOut(finding, text, detail.full), width),
        ...labelled('BRING', 'fix', bring(finding, text), width),
      ]
    : [
        ...title,
        ...labelled('CULPRIT', 'culprit', culpritLines(finding, text), width),
        ...labelled('BECAUSE', 'label', facts(accused(finding)?.facts ?? [], n, detail), width),
        ...labelled('NOT', 'label', ruledOut(finding, text, detail.full), width),
        ...labelled('OPEN', 'open', detail.full ? undecided(finding, text) : [], width),
        ...labelled('FIX', 'fix', fix(finding.remedies, n, text, detail.full), width),
        ...labelled('AVOID', 'warning', detail.full ? avoid(finding, text) : [], width),
        ...labelled('CHECK', 'label', check(finding, text, detail.full), width),
      ];
}

/** Number and title at the left; since when, how much and how sure at the right, or below when it is narrow. */
export function titleLines(finding: Finding, n: number, width: number, tacit: TacitYear): Line[] {
  const number = padEnd([span(String(n), 'strong')], 3);
  const parts = metaParts(finding, tacit).map(([text, style]): Line => [span(text, style)]);
  const meta = joined(parts);
  const title = wrap([span(finding.title, 'strong')], width - 3);
  const [first = []] = title;
  const room = width - 3 - lineWidth(first);
  if (title.length === 1 && room >= lineWidth(meta) + 2)
    return [[...number, ...first, ...padStart(meta, room)]];
  return [[...number, ...first], ...indent([...title.slice(1), ...flow(parts, width - 3)], 3)];
}

const SURE: Record<Finding['confidence'], Style> = { certain: 'strong', likely: 'plain', possible: 'open' };

function metaParts(finding: Finding, tacit: TacitYear): [string, Style][] {
  const parts: [string, Style][] = [];
  if (finding.since !== null) parts.push([period(finding, tacit), 'dim']);
  const [impact] = finding.impact;
  if (impact) parts.push([impactText(impact), 'plain']);
  parts.push(
    finding.outcome === 'cannot-tell'
      ? ['cannot tell', 'open']
      : [finding.confidence, SURE[finding.confidence]],
  );
  return parts;
}

function period(finding: Finding, tacit: TacitYear): string {
  const since = `${date(finding.since, tacit)}${finding.sinceBeforeEvidence ? ' or earlier' : ''}`;
  return finding.until === null ? `since ${since}` : `${since} to ${date(finding.until, tacit)}`;
}

/** "312 messages late" from 312 messages that are "late"; a sentence that has its figure already stays as it is. */
export function impactText(impact: Impact): string {
  const says = impact.says.trim();
  const written = amount(impact);
  if (hasFigure(says, impact)) return says;
  const noun = /\p{L}+$/u.exec(written)?.[0];
  return noun && says.startsWith(noun) ? written.slice(0, -noun.length) + says : `${written} ${says}`;
}

export function accused(finding: Finding): HypothesisVerdict | undefined {
  return finding.hypotheses.find((h) => h.id === finding.culprit);
}

function culpritLines(finding: Finding, width: number): Line[] {
  const hypothesis = accused(finding);
  const says = hypothesis?.says ?? finding.culprit ?? '';
  return clamp(hanging([span(says, 'strong')], width), 3, width);
}

function facts(all: Finding['hypotheses'][number]['facts'], n: number, detail: Detail): Line[] {
  const width = textWidth(detail.width);
  const lines = all.slice(0, detail.facts).flatMap((f, i) => {
    const seen = isSameFrom(f, all[i - 1]) ? [] : seenAt(f.from, detail.names, Math.floor(width / 2));
    return withRight([span(f.says)], seen, width, 3);
  });
  const more = all.length - detail.facts;
  if (more > 0) lines.push([span(`${count(more)} more: culprit show ${n}`, 'dim')]);
  return lines;
}

/** Side by side while that takes no more than two lines; otherwise a line each, cut where it is too long. */
function ruledOut(finding: Finding, width: number, full: boolean): Line[] {
  const out = finding.hypotheses.filter((h) => h.verdict === 'ruled-out');
  if (out.length === 0) return [];
  if (!full) return clamp(hanging(joined(out.map((h) => [span(h.id)])), width), 2, width);
  const together = hanging(
    joined(out.map((h) => [span(h.id), ...h.facts.slice(0, 1).map((f) => span(` (${f.says})`, 'dim'))])),
    width,
  );
  if (together.length <= 2) return together;
  const shown = out.length > RULED_OUT + 1 ? out.slice(0, RULED_OUT) : out;
  const column = Math.max(...shown.map((h) => lineWidth([span(h.id)])));
  const lines = shown.flatMap((h): Line[] => {
    const why = span(h.facts[0]?.says ?? '', 'dim');
    if (column > width / 2) return clamp(hanging([span(h.id), span('  '), why], width), 2, width);
    return [truncateLine([...padEnd([span(h.id)], column), span('  '), why], width)];
  });
  const rest = out.slice(shown.length).map((h) => h.id);
  if (rest.length > 0) lines.push(truncateLine([span(`nor ${rest.join(', ')}`)], width));
  return lines;
}

function undecided(finding: Finding, width: number): Line[] {
  const open = finding.hypotheses.filter((h) => h.verdict === 'undecided');
  return open
    .slice(0, 2)
    .flatMap((h) =>
      clamp(
        hanging([span(h.id), span(` would be decided by ${h.bring[0] ?? 'more evidence'}`, 'dim')], width),
        2,
        width,
      ),
    );
}

/** What is known of those still accused; what cleared the others stands at NOT. */
function inDispute(finding: Finding): Finding['hypotheses'][number]['facts'] {
  return finding.hypotheses.filter((h) => h.verdict !== 'ruled-out').flatMap((h) => h.facts);
}

function rivals(finding: Finding, width: number): Line[] {
  const rivals = finding.hypotheses
    .filter((h) => h.verdict !== 'ruled-out')
    .sort((a, b) => b.weight - a.weight);
  return [
    ...hanging([span('cannot be told from this evidence; it is one of')], width),
    ...rivals
      .slice(0, 4)
      .flatMap((h) => clamp(hanging([span(h.id, 'strong'), span(`  ${h.says}`)], width), 2, width)),
  ];
}

function bring(finding: Finding, width: number): Line[] {
  const all = new Set(finding.hypotheses.flatMap((h) => h.bring));
  // Often a command to run: cut only when it is absurdly long.
  return [...all].slice(0, 3).flatMap((b) => clamp(hanging([span(b)], width), 4, width));
}

export function preferredFirst(remedies: Remedy[]): Remedy[] {
  return [...remedies].sort((a, b) => Number(b.preferred) - Number(a.preferred));
}

function avoid(finding: Finding, width: number): Line[] {
  return finding.avoid.slice(0, 2).flatMap((a) => clamp(hanging([span(a)], width), 3, width));
}

/** The preferred change word for word when it is short, where it goes and what it costs; the others by name. */
function fix(remedies: Remedy[], n: number, width: number, full: boolean): Line[] {
  const [best, ...others] = preferredFirst(remedies);
  if (!best) return [];
  const change = best.change.split(/\r?\n/).filter((l) => l.trim() !== '');
  const [only, second] = change;
  const isOneLine = only !== undefined && second === undefined;
  const lines = [
    ...whereAndCost(best, isOneLine ? verbatim(only, 'change') : span(best.title), width),
    ...(isOneLine ? [] : changeLines(change, n, width, full ? CHANGE_LINES : 0)),
  ];
  if (!full) return lines;
  for (const other of others.slice(0, OTHER_REMEDIES)) {
    const text: Line = [span('or ', 'dim'), span(other.title)];
    const exact: Line = other.change.includes('\n') ? [] : [span(': ', 'dim'), verbatim(other.change)];
    const whole = [...text, ...exact];
    lines.push(lineWidth(whole) <= width ? whole : truncateLine(text, width));
  }
  return lines;
}

function changeLines(change: string[], n: number, width: number, most: number): Line[] {
  const shown = change
    .slice(0, change.length > most ? Math.max(0, most - 1) : most)
    .map((l): Line => [span('    '), verbatim(l.replaceAll('\t', '    '), 'change')]);
  const lines = shown.map((line) => truncateLine(line, width));
  const more = change.length - shown.length;
  const lineWord = more === 1 ? 'line' : 'lines';
  // Nobody should paste a line without its end and not have been told.
  if (more > 0)
    lines.push([
      span(`    ${count(more)} ${shown.length > 0 ? 'more ' : ''}${lineWord}: culprit show ${n}`, 'dim'),
    ]);
  else if (shown.some((line) => lineWidth(line) > width))
    lines.push([span(`    in full: culprit show ${n}`, 'dim')]);
  return lines;
}

/** All in one line where there is room; otherwise where and cost on a line of their own, below. */
function whereAndCost(remedy: Remedy, what: Span, width: number): Line[] {
  const where: Line = remedy.where === '' ? [] : [span(`in ${remedy.where}`, 'dim')];
  const cost: Line = remedy.cost === '' ? [] : [span(`cost: ${remedy.cost}`, 'dim')];
  const left: Line = where.length === 0 ? [what] : [what, span('   '), ...where];
  const room = width - lineWidth(left);
  if (room >= lineWidth(cost) + 2) return [[...left, ...(cost.length === 0 ? [] : padStart(cost, room))]];
  const below = joined([where, cost].filter((part) => part.length > 0));
  const apart = [where, cost].flatMap((part) =>
    part.length === 0 ? [] : clamp(wrap(part, width - 2), 3, width - 2),
  );
  return [...hanging([what], width), ...indent(lineWidth(below) <= width - 2 ? [below] : apart, 2)];
}

function check(finding: Finding, width: number, full: boolean): Line[] {
  if (!finding.check) return [];
  const { command, measures, before, expects } = finding.check;
  const told: Line = [span(`${measures}: ${amount(before)} now, expects ${expects}`, 'dim')];
  const line: Line = [span(command), span('   '), ...told];
  if (lineWidth(line) <= width) return [line];
  const commandLines = clamp(hanging([span(command)], width), 3, width);
  return full ? [...commandLines, ...clamp(hanging(told, width), 2, width)] : commandLines;
}

/** A finding beyond the first few: a line for its title, a line for its culprit. */
function brief(finding: Finding, n: number, width: number): Line[] {
  const number = padEnd([span(String(n), 'strong')], 3);
  const parts = metaParts({ ...finding, since: null }, null);
  const meta = joined(parts.map(([text, style]) => [span(text, style)]));
  const beside = lineWidth(meta) <= width / 2 ? meta : meta.slice(-1);
  const title = truncateLine([span(finding.title, 'strong')], width - 3 - 2 - lineWidth(beside));
  const says =
    finding.outcome === 'cannot-tell' ? 'cannot be told from this evidence' : accused(finding)?.says;
  const more = [span(`culprit show ${n}`, 'dim')];
  const text = truncateLine([span(says ?? finding.culprit ?? '')], width - 3 - 2 - lineWidth(more));
  return [
    [...number, ...title, ...padStart(beside, width - 3 - lineWidth(title))],
    [span('   '), ...text, ...padStart(more, width - 3 - lineWidth(text))],
  ];
}

function nothingFound(report: Report): Line[] {
  if (report.clear.length > 0) return [[span('Nothing wrong was found.', 'strong')]];
  return [[span('No question could be answered from this evidence.', 'strong')]];
}

/** What was looked at and is fine, and what could not be looked at: two different answers. */
function others(report: Report, width: number): Line[] {
  const ids = [...report.clear, ...report.cannotTell].map((c) => lineWidth([span(c.investigation)]));
  const column = width < 80 ? 0 : Math.max(0, ...ids) + 2;
  const one = (mark: Span, id: string, rest: Line): Line[] => {
    if (column === 0) {
      const text = clamp(hanging([span(id, 'label'), span('  '), ...rest], width - 3, 0), 3, width - 3);
      return indented(mark, text);
    }
    const text = clamp(wrap(rest, width - 3 - column), 2, width - 3 - column);
    const [first = [], ...more] = text;
    return indented(mark, [[...padEnd([span(id, 'label')], column), ...first], ...indent(more, column)]);
  };
  return [
    ...report.clear.flatMap((c) => one(span('✓', 'good'), c.investigation, [span(c.says)])),
    ...report.cannotTell.flatMap((c) =>
      one(span('?', 'open'), c.investigation, [
        span(c.because),
        ...(c.bring.length > 0 ? [span(' · bring ', 'dim'), span(c.bring.join(', '))] : []),
      ]),
    ),
  ];
}

function indented(mark: Span, lines: Line[]): Line[] {
  const [first = [], ...rest] = lines;
  return [[mark, span('  '), ...first], ...indent(rest, 3)];
}

function unreadWarning(sources: SourceReport[], width: number): Line[] {
  const read = sources.filter((s) => s.sameAs === undefined);
  const partly = read.filter((s) => s.error !== undefined || s.unread > 0);
  if (partly.length === 0) return [];
  const lines = partly.reduce((sum, s) => sum + s.unread, 0);
  const unread = lines > 0 ? ` (${count(lines)} ${lines === 1 ? 'line' : 'lines'})` : '';
  const files = `${count(partly.length)} of ${count(read.length)} ${read.length === 1 ? 'file' : 'files'}`;
  return wrap([span(`! ${files} could not be read in full${unread}: culprit sources`, 'warning')], width);
}
