/**
 * One message's life: what happened to it, across files, and for every recipient where each second went.
 *
 * Moments are ISO 8601 in the log's own wall time, with the offset where the log has one. Seconds have milliseconds.
 */
export interface MessageLife {
  message: string;
  host: string;
  program: string;
  sender: string | null;
  messageId: string | null;
  client: { host: string | null; ip: string | null; protocol: string | null };
  bytes: number | null;
  /** `logged`: its arrival is in the logs; `told`: a later line tells its age; else the first line is not its first. */
  begins: 'logged' | 'told' | 'before-logs';
  /** When it was taken in, or the first line about it; `beganAt` is earlier by the time of receiving, where told. */
  arrivedAt: string;
  beganAt: string;
  endedAt: string;
  /** `open`: in the queue still, when the logs end. */
  ends: 'completed' | 'removed' | 'open';
  from: LifePlace;
  parents: string[];
  children: string[];
  recipientCount: number;
  recipients: LifeRecipient[];
  eventCount: number;
  events: LifeEvent[];
  /** What the logs do not tell, and the setting that would make them. */
  advice: string[];
}

export interface LifePlace {
  path: string;
  line: number;
}

export interface LifeRecipient {
  address: string;
  original: string | null;
  provider: { id: string; name: string } | null;
  outcome: 'delivered' | 'failed' | 'removed' | 'waiting' | 'unknown';
  endedAt: string;
  totalS: number;
  parts: { says: string; kind: PartKind; at: string; seconds: number; from: LifePlace }[];
  attempts: LifeAttempt[];
}

export interface LifeAttempt {
  at: string;
  outcome: 'delivered' | 'deferred' | 'failed';
  /** False: too early, so nothing was tried. */
  made: boolean;
  host: string | null;
  ip: string | null;
  reply: string | null;
  class: string | null;
  from: LifePlace;
}

export interface LifeEvent {
  at: string;
  /** Since the event before. */
  gapS: number;
  kind: string;
  address: string | null;
  host: string | null;
  ip: string | null;
  says: string;
  /** The other side’s words, or the mail program’s. */
  reply: string | null;
  /** What the reply means, where it is known. */
  meaning: string | null;
  /** Events with the same number say the same, but for addresses and ids. */
  same: number;
  path: string;
  line: number;
}

export type PartKind =
  /** The client sent it to us (Exim RT). */
  | 'receiving'
  /** Postfix, before the queue manager took it up. */
  | 'incoming'
  /** Its course before the first line that the logs have. */
  | 'before-logs'
  /** Ours, before the first try. */
  | 'queued'
  /** Its turn in a queue run, or behind the message's other recipients. */
  | 'turn'
  /** Our own retry time, after a refusal or a failed try. */
  | 'retry'
  /** Not tried at all: the retry time of its host or domain had not come, or deliveries there were suspended. */
  | 'put-off'
  /** Frozen (Exim) or on hold (Postfix). */
  | 'frozen'
  /** Postfix's active queue. */
  | 'active'
  /** Finding the host, connecting, greeting, TLS (Postfix). */
  | 'connecting'
  /** Envelope and message are sent, and the answer comes (Postfix). */
  | 'transmission'
  /** A try that the log does not split. */
  | 'trying';

/** A message that a query found. */
export interface FoundMessage {
  no: number;
  message: string;
  host: string;
  at: string;
  sender: string | null;
  recipients: number;
  recipient: string | null;
  outcome: string;
  delayS: number | null;
}
