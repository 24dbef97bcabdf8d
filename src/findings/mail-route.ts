import type { CannotTell, Clear, Finding, Place } from './finding.js';

/** Where a host got a mail from, as it wrote it down. */
export interface MailPeer {
  /** What stands behind FROM. */
  name: string | null;
  /** What the peer called itself, where that stands apart. */
  helo: string | null;
  /** The name that its address resolves to. */
  reverse: string | null;
  address: string | null;
}

/** One Received field: one host took the mail over. */
export interface MailHop {
  /** 1 is the oldest. */
  hop: number;
  /** `Received` or `X-Received`. */
  field: string;
  by: string | null;
  /** Who runs the host: a known operator, or its registrable domain. */
  operator: string | null;
  from: MailPeer | null;
  with: string | null;
  /** What `with` means, where it is a known keyword. */
  protocol: string | null;
  id: string | null;
  for: string | null;
  via: string | null;
  /** The date as it stands in the field. */
  written: string | null;
  /** ISO 8601, UTC, ending in Z. */
  time: string | null;
  /** What is wrong with the time, where it cannot be relied on: no zone, no date, an ambiguous one. */
  timeProblem: string | null;
  /** Since the last time before it, as written: negative when clocks disagree. Null for the first and without time. */
  delaySeconds: number | null;
  /** The same once clocks that are wrong are left out; null for these themselves. */
  adjustedDelaySeconds: number | null;
  /** From this hop's time to the next that is relied on: how long the mail was here. Null for the last. */
  heldSeconds: number | null;
  /** How far this host's clock is ahead (negative: behind), at least and at most; null when nothing is wrong with it. */
  clockAhead: { least: number | null; most: number | null } | null;
  place: Place;
}

/** The way of one mail, and what is made of it. Exactly one of the last three is not null. */
export interface MailRoute {
  path: string;
  /** Where its header begins. */
  line: number;
  messageId: string | null;
  from: string | null;
  /** Date field, ISO 8601 UTC. */
  date: string | null;
  returnPath: string | null;
  deliveredTo: string | null;
  /** First word of Received-SPF. */
  spf: string | null;
  /** `spf=pass dkim=pass dmarc=pass` of the topmost Authentication-Results, with who says so. */
  authentication: { by: string; results: string } | null;
  /** From the Date field to the first hop, as written. */
  queuedSeconds: number | null;
  /** From the first to the last time that is relied on. */
  totalSeconds: number | null;
  hops: MailHop[];
  finding: Finding | null;
  clear: Clear | null;
  cannotTell: CannotTell | null;
}

/** What is told of the other mails of a mailbox. */
export interface MailSummary {
  path: string;
  line: number;
  messageId: string | null;
  totalSeconds: number | null;
  /** A word of the vocabulary, or null. */
  culprit: string | null;
  outcome: 'culprit' | 'cannot-tell' | 'clear';
  title: string;
}

/** The whole answer of `culprit why mail --json`: one mail in full, the worst of them, and the others in short. */
export interface MailAnswer extends MailRoute {
  version: 1;
  totals: { mails: number; late: number; clear: number; cannotTell: number };
  /** The worst first; at most 50. */
  others: MailSummary[];
}
