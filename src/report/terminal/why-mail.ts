import type { Fact, Finding, HypothesisVerdict } from '../../findings/finding.js';
import type { MailAnswer, MailHop, MailPeer } from '../../findings/mail-route.js';
import { bar } from './chart.js';
import { accused, preferredFirst, titleLines, WIDEST } from './examine.js';
import { labelled, textWidth } from './labelled.js';
import { count, seconds } from './numbers.js';
import { isSameFrom, seenAt, shortNames } from './place.js';
import type { Screen } from './style.js';
import { type Column, table } from './table.js';
import { flow, hanging, type Line, print, type Span, span, verbatim, withRight, wrap } from './text.js';

/** More hops than any mail passes; of a chain that was made up the beginning is enough. */
const MOST_HOPS = 60;
const FACTS = 6;
const OTHERS = 10;

/**
 * The way of a mail as a table, oldest first, and below it the verdict in words. `held` is how long the mail was at
 * the host of its row, so that the figure stands beside the one who had it.
 */
export function renderMail(answer: MailAnswer, opts: Screen): string {
  const width = Math.min(WIDEST, opts.width);
  const blocks = [
    header(answer, width),
    hops(answer, width, opts.unicode),
    verdict(answer, width),
    others(answer, width),
  ];
  return print(
    blocks.filter((b) => b.length > 0).flatMap((b, i) => (i === 0 ? b : [[], ...b])),
    opts,
  );
}

function header(answer: MailAnswer, width: number): Line[] {
  const parts: Line[] = [[span('culprit', 'strong')], [span(`${answer.path}:${answer.line}`)]];
  const [day, ...more] = daysOf(answer);
  if (day !== undefined && more.length === 0) parts.push([span(day)]);
  if (answer.messageId !== null) parts.push([span(answer.messageId, 'dim')]);
  const { spf, authentication, returnPath } = answer;
  const told: string[] = [];
  if (returnPath !== null) told.push(`return path ${returnPath}`);
  if (authentication)
    told.push(`${authentication.results}${authentication.by ? ` (${authentication.by})` : ''}`);
  else if (spf !== null) told.push(`spf=${spf}`);
  return [
    ...flow(parts, width),
    ...flow(
      told.map((t): Line => [span(t, 'dim')]),
      width,
    ),
  ];
}

/** The days on which it was under way, in UTC. */
function daysOf(answer: MailAnswer): string[] {
  const times = [answer.date, ...answer.hops.map((h) => h.time)];
  return [...new Set(times.flatMap((t) => (t === null ? [] : [t.slice(0, 10)])))];
}

function hops(answer: MailAnswer, width: number, unicode: boolean): Line[] {
  const shown = answer.hops.slice(0, MOST_HOPS);
  if (shown.length === 0) return [];
  const queued = answer.queuedSeconds;
  const largest = Math.max(0, queued ?? 0, ...shown.map((h) => h.heldSeconds ?? 0));
  const oneDay = daysOf(answer).length === 1;
  const barWidth = width >= 100 ? 14 : 8;
  const columns: Column[] = [
    { title: 'hop', align: 'right' },
    { title: 'UTC' },
    { title: 'by', cut: 'middle', min: 14 },
    { title: 'from', cut: 'middle', min: 14, priority: 3 },
    { title: 'with', cut: 'end', min: 6, priority: 4 },
    { title: 'held', align: 'right' },
    { title: '', priority: 5 },
  ];
  const row = (held: number | null): Span =>
    span(held === null || largest === 0 ? '' : bar(held / largest, barWidth, unicode), 'bar');
  const cells: (Span | string)[][] = shown.map((h) => [
    String(h.hop),
    time(h, oneDay),
    span(h.by ?? '–', 'strong'),
    peer(h.from),
    span(h.with ?? '', 'dim'),
    held(h, answer.hops.length),
    row(h.heldSeconds),
  ]);
  if (answer.date !== null) {
    const early = queued !== null && queued < 0;
    cells.unshift([
      '',
      clock(answer.date, oneDay),
      span('the author’s date', 'dim'),
      '',
      '',
      queued === null
        ? ''
        : span(early ? `−${seconds(-queued)}` : seconds(queued), early ? 'warning' : 'plain'),
      row(queued),
    ]);
  }
  const made = table(columns, cells, width);
  const told: string[] = [];
  const leftOut = made.leftOut.filter((title) => title !== '');
  if (leftOut.length > 0) told.push(`no room for ${leftOut.join(', ')}`);
  if (answer.hops.length > shown.length)
    told.push(`${count(answer.hops.length - shown.length)} more hops: --json has up to 1,000`);
  return [
    ...made.lines,
    ...flow(
      told.map((t): Line => [span(t, 'dim')]),
      width,
    ),
  ];
}

/** With the day only where the mail took it across midnight. */
function clock(iso: string, oneDay: boolean): string {
  return oneDay ? iso.slice(11, 19) : `${iso.slice(5, 10)} ${iso.slice(11, 19)}`;
}

function time(hop: MailHop, oneDay: boolean): Span {
  if (hop.time === null) return span(hop.timeProblem ?? '–', 'warning');
  const text = clock(hop.time, oneDay);
  return hop.timeProblem === null && hop.clockAhead === null ? span(text) : span(`${text} ?`, 'warning');
}

function peer(from: MailPeer | null): Span {
  return span(from?.reverse ?? from?.name ?? from?.address ?? '', 'dim');
}

function held(hop: MailHop, hops: number): Span {
  if (hop.clockAhead !== null) {
    const { least, most } = hop.clockAhead;
    const ahead = least !== null && least > 0;
    const off = ahead ? least : (most ?? 0);
    return span(`clock ${ahead ? '+' : '−'}${seconds(Math.abs(off))}`, 'warning');
  }
  if (hop.heldSeconds !== null) return span(seconds(hop.heldSeconds), 'strong');
  return span(hop.hop === hops ? '' : '?', 'dim');
}

// ---- the verdict

function verdict(answer: MailAnswer, width: number): Line[] {
  const text = textWidth(width);
  if (answer.finding) return findingLines(answer.finding, width, text);
  if (answer.clear)
    return [
      ...hanging([span('Not late.', 'good'), span(`  ${answer.clear.says}`)], width),
      ...labelled('BECAUSE', 'label', facts(answer.clear.facts, text), width),
    ];
  if (!answer.cannotTell) return [];
  return [
    ...hanging([span('Cannot tell:', 'open'), span(` ${answer.cannotTell.because}`)], width),
    ...labelled(
      'BRING',
      'fix',
      answer.cannotTell.bring.flatMap((b) => hanging([span(b)], text)),
      width,
    ),
  ];
}

function findingLines(finding: Finding, width: number, text: number): Line[] {
  const culprit = accused(finding);
  const out = finding.hypotheses.filter((h) => h.verdict === 'ruled-out');
  const open = finding.hypotheses.filter((h) => h.verdict === 'undecided');
  const blocks: Line[][] = [
    titleLines({ ...finding, since: null }, 1, width, null),
    culprit
      ? labelled('CULPRIT', 'culprit', hypothesis(culprit, text), width)
      : labelled('CULPRIT', 'open', rivals(open, text), width),
    labelled('BECAUSE', 'label', facts((culprit ?? open[0])?.facts ?? [], text), width),
    labelled(
      'NOT',
      'label',
      out.flatMap((h) => withReason(h, text)),
      width,
    ),
    labelled('OPEN', 'open', culprit ? open.flatMap((h) => withReason(h, text)) : [], width),
    labelled(
      'NOTES',
      'label',
      finding.notes.flatMap((n) => hanging([span(n.says)], text)),
      width,
    ),
    labelled(
      'BRING',
      'fix',
      [...new Set(open.flatMap((h) => h.bring))].flatMap((b) => hanging([span(b)], text)),
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
  ];
  return blocks.flat();
}

function hypothesis(h: HypothesisVerdict, width: number): Line[] {
  return hanging([span(h.says, 'strong'), span(`  ${h.id}`, 'dim')], width);
}

function rivals(open: HypothesisVerdict[], width: number): Line[] {
  return [
    ...hanging(
      [span(`cannot be told from this mail alone; ${open.length === 1 ? 'not certain is' : 'it is one of'}`)],
      width,
    ),
    ...open.flatMap((h) => hanging([span(h.id, 'strong'), span(`  ${h.says}`)], width)),
  ];
}

function withReason(h: HypothesisVerdict, width: number): Line[] {
  const why = h.facts[0] ? [span(` (${h.facts[0].says})`, 'dim')] : [];
  return hanging([span(h.id), ...why], width);
}

function facts(all: Fact[], width: number): Line[] {
  const names = shortNames(
    all.flatMap((f) => ('searched' in f.from ? f.from.searched : f.from.map((p) => p.path))),
  );
  const lines = all.slice(0, FACTS).flatMap((fact, i) => {
    const seen = isSameFrom(fact, all[i - 1]) ? [] : seenAt(fact.from, names, Math.floor(width / 2));
    return withRight([span(fact.says)], seen, width);
  });
  return all.length > FACTS ? [...lines, [span(`${count(all.length - FACTS)} more: --json`, 'dim')]] : lines;
}

function remedy(r: Finding['remedies'][number], width: number): Line[] {
  return [
    ...hanging([span(r.title, 'strong')], width),
    ...r.change.split('\n').map((line): Line => [span('  '), verbatim(line, 'change')]),
    ...wrap([span(`in ${r.where}${r.cost ? `; cost: ${r.cost}` : ''}`, 'dim')], width),
  ];
}

// ---- a mailbox

function others(answer: MailAnswer, width: number): Line[] {
  const { mails, late, clear, cannotTell } = answer.totals;
  if (mails < 2) return [];
  const totals = `${count(mails)} mails: ${count(late)} late, ${count(clear)} not, ${count(cannotTell)} cannot be told; above, the worst`;
  const rows = answer.others
    .slice(0, OTHERS)
    .map((m): (Span | string)[] => [
      `${m.path}:${m.line}`,
      m.totalSeconds === null ? '–' : seconds(m.totalSeconds),
      span(m.culprit ?? m.outcome, m.outcome === 'culprit' ? 'strong' : 'dim'),
      m.title,
    ]);
  const columns: Column[] = [
    { title: 'mail', cut: 'middle', min: 12 },
    { title: 'took', align: 'right' },
    { title: '', priority: 2 },
    { title: '', cut: 'end', min: 16 },
  ];
  const more = answer.others.length > OTHERS ? ' · more: --json' : '';
  return [
    ...hanging([span(totals, 'strong'), span(more, 'dim')], width),
    ...table(columns, rows, width).lines,
  ];
}
