import type {
  Amount,
  CannotTell,
  Check,
  Clear,
  Fact,
  Finding,
  HypothesisVerdict,
  Impact,
  Note,
  Place,
  Remedy,
  Report,
  Series,
  SourceReport,
} from '../../findings/finding.js';
import { escapeJson } from './escape-json.js';

/**
 * The public contract, version 1 (docs/json.md): the keys below in the order below, whatever order they were made
 * in, so that two reports can be compared with diff. A key missing here does not compile; one too many is dropped.
 */
type Keys<T> = T extends unknown ? Record<keyof T, unknown> : never;

export function reportJson(report: Report): string {
  return `${escapeJson(JSON.stringify(inOrder(report), null, 2))}\n`;
}

/** One finding alone, as `culprit show --json` prints it. */
export function findingJson(one: Finding): string {
  return `${escapeJson(JSON.stringify(finding(one), null, 2))}\n`;
}

const inOrder = (r: Report): Keys<Report> => ({
  version: r.version,
  case: r.case,
  hosts: r.hosts,
  period: { first: r.period.first, last: r.period.last, zone: r.period.zone },
  sources: r.sources.map(source),
  findings: r.findings.map(finding),
  clear: r.clear.map(clear),
  cannotTell: r.cannotTell.map(cannotTell),
});

const source = (s: SourceReport): Keys<SourceReport> => ({
  path: s.path,
  format: s.format,
  host: s.host,
  stream: s.stream,
  bytes: s.bytes,
  records: s.records,
  unread: s.unread,
  first: s.first,
  last: s.last,
  sameAs: s.sameAs,
  error: s.error,
  bytesKind: s.bytesKind,
});

const finding = (f: Finding): Keys<Finding> => ({
  id: f.id,
  investigation: f.investigation,
  outcome: f.outcome,
  culprit: f.culprit,
  confidence: f.confidence,
  subject: Object.fromEntries(Object.entries(f.subject).sort(([a], [b]) => (a < b ? -1 : 1))),
  since: f.since,
  until: f.until,
  sinceBeforeEvidence: f.sinceBeforeEvidence,
  title: f.title,
  impact: f.impact.map(impact),
  hypotheses: f.hypotheses.map(hypothesis),
  remedies: f.remedies.map(remedy),
  avoid: f.avoid,
  check: f.check === null ? null : check(f.check),
  notes: f.notes.map(note),
  series: f.series.map(series),
});

const amount = (a: Amount): Keys<Amount> => ({ value: a.value, unit: a.unit });

const impact = (i: Impact): Keys<Impact> => ({ says: i.says, value: i.value, unit: i.unit });

const hypothesis = (h: HypothesisVerdict): Keys<HypothesisVerdict> => ({
  id: h.id,
  says: h.says,
  verdict: h.verdict,
  weight: h.weight,
  facts: h.facts.map(fact),
  bring: h.bring,
});

const fact = (f: Fact): Keys<Fact> => ({
  says: f.says,
  amount: f.amount && amount(f.amount),
  from:
    'searched' in f.from
      ? { searched: f.from.searched, lines: f.from.lines, unread: f.from.unread }
      : f.from.map(place),
});

function place(p: Place): Keys<Place> {
  if ('line' in p) return { path: p.path, line: p.line };
  return 'packet' in p ? { path: p.path, packet: p.packet } : { path: p.path, offset: p.offset };
}

const remedy = (r: Remedy): Keys<Remedy> => ({
  title: r.title,
  change: r.change,
  where: r.where,
  cost: r.cost,
  undo: r.undo,
  preferred: r.preferred,
});

const check = (c: Check): Keys<Check> => ({
  command: c.command,
  measures: c.measures,
  before: amount(c.before),
  expects: c.expects,
});

const note = (n: Note): Keys<Note> => ({
  says: n.says,
  amount: n.amount && amount(n.amount),
  from: n.from.map(place),
});

const series = (s: Series): Keys<Series> => ({
  title: s.title,
  unit: s.unit,
  points: s.points.map((p) => ({ at: p.at, value: p.value })),
});

const clear = (c: Clear): Keys<Clear> => ({
  investigation: c.investigation,
  says: c.says,
  facts: c.facts.map(fact),
});

const cannotTell = (c: CannotTell): Keys<CannotTell> => ({
  investigation: c.investigation,
  because: c.because,
  bring: c.bring,
});
