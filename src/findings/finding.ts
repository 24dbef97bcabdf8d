/**
 * The one model that everything after the investigations reads. It is the public JSON contract, version 1:
 * what is not in here is not in any report. Plain data, serialisable, no behaviour.
 */

/** Where a fact was seen: a line of a log or configuration file, a packet, or a byte offset. */
export type Place =
  | { path: string; line: number }
  | { path: string; packet: number }
  | { path: string; offset: number };

/** Evidence of absence: what was searched, and how much of it could not be read. */
export interface Search {
  searched: string[];
  lines: number;
  unread: number;
}

export type Unit =
  | 'byte'
  | 'byte/day'
  | 'second'
  | 'message'
  | 'recipient'
  | 'refusal'
  | 'attempt'
  | 'request'
  | 'request/day'
  | 'percent'
  | 'object'
  | 'address'
  | 'day'
  | 'ratio';

/** An amount never travels without its unit. */
export interface Amount {
  value: number;
  unit: Unit;
}

/** One thing the evidence says. `from` holds at most a handful of places; `says` gives the full count. */
export interface Fact {
  says: string;
  amount?: Amount;
  from: Place[] | Search;
}

/** One possible culprit, weighed. `weight` is the sum of the log-likelihood ratios (natural log) of its facts. */
export interface HypothesisVerdict {
  id: string;
  says: string;
  verdict: 'confirmed' | 'ruled-out' | 'undecided';
  weight: number;
  facts: Fact[];
  /** What would decide it; never empty when undecided. */
  bring: string[];
}

export interface Impact extends Amount {
  says: string;
}

/** An exact change with what it costs and how it is undone. */
export interface Remedy {
  title: string;
  change: string;
  where: string;
  cost: string;
  undo: string;
  preferred: boolean;
}

/** How to see whether a fix worked: a command, and the measure with its value before. */
export interface Check {
  command: string;
  measures: string;
  before: Amount;
  expects: string;
}

/** Something worth telling beside the verdict: a later blip, a figure of the story, a caveat. */
export interface Note {
  says: string;
  amount?: Amount;
  from: Place[];
}

/** Rows to draw as a small table or sparkline, e.g. bytes a day. */
export interface Series {
  title: string;
  unit: Unit;
  points: { at: string; value: number }[];
}

export interface Finding {
  id: string;
  investigation: string;
  outcome: 'culprit' | 'cannot-tell';
  culprit: string | null;
  confidence: 'certain' | 'likely' | 'possible';
  subject: Record<string, string>;
  since: string | null;
  until: string | null;
  /** Set when the harm began before the evidence does: `since` is then the first record. */
  sinceBeforeEvidence?: boolean;
  title: string;
  impact: Impact[];
  hypotheses: HypothesisVerdict[];
  remedies: Remedy[];
  /** What people do about it that makes things worse, and why. */
  avoid: string[];
  check: Check | null;
  notes: Note[];
  series: Series[];
}

export interface Clear {
  investigation: string;
  says: string;
  facts: Fact[];
}

export interface CannotTell {
  investigation: string;
  because: string;
  bring: string[];
}

/** One piece of evidence and what became of it. For a log, `records + unread` is its number of lines. */
export interface SourceReport {
  path: string;
  format: string | null;
  host: string;
  stream: string;
  bytes: number;
  records: number;
  unread: number;
  first: string | null;
  last: string | null;
  /** Present when the same content was already read under another name. */
  sameAs?: string;
  error?: string;
  /** How the bytes column is to be understood: response body, bytes on the wire, or not known. */
  bytesKind?: 'body' | 'sent' | 'unknown';
}

/** The whole answer of `culprit examine --json`. */
export interface Report {
  version: 1;
  case: string;
  hosts: string[];
  /** Wall time as the logs have it; `zone` is the offset that most lines carry, `+01:00`. */
  period: { first: string | null; last: string | null; zone?: string };
  sources: SourceReport[];
  findings: Finding[];
  clear: Clear[];
  cannotTell: CannotTell[];
}
