import { nextTry, type RetryParameter, type RetryState } from './retry.js';

/** How Exim retries: the rule, and how often a queue runner comes by to notice that a time has come. */
export interface EximPolicy {
  mta: 'exim';
  parameters: readonly RetryParameter[];
  queueRun_s: number;
  intervalMax_s?: number;
  /** Failures of an address or of routing also count the message's time in the queue. */
  about: 'host' | 'address';
}

/** How Postfix retries: one set of times for all destinations. */
export interface PostfixPolicy {
  mta: 'postfix';
  minimalBackoff_s: number;
  maximalBackoff_s: number;
  queueRunDelay_s: number;
  queueLifetime_s: number;
}

export type RetryPolicy = EximPolicy | PostfixPolicy;

/** One recipient of one message, in seconds since any fixed moment; attempts in order. */
export interface RecipientHistory {
  arrived: number;
  attempts: readonly { at: number; accepted: boolean }[];
}

/** One run through a policy. */
export interface Replay {
  deliveredAt: number | null;
  attempts: number;
  bounced: boolean;
}

// Five days at one try a minute; a rule with shorter intervals than that is cut off here.
const MOST_ATTEMPTS = 7_200;

/**
 * What a policy would have done: first try at `firstTry`, refused until `acceptsFrom`, accepted from then on.
 *
 * Shape:  queue runs come at `runsAt` plus whole multiples of their interval; a delivery takes no time.
 * Errors: after 7,200 attempts the replay ends undelivered.
 * Source: Exim: `nextTry`, and retry_check_address in src/src/retry.c (a host is tried when its time has come, or when
 *         the message has waited longer than the last cutoff). Postfix: qmgr_active_done_3_generic and
 *         qmgr_active_done_25_generic in src/qmgr/qmgr_active.c (the next wait is the time since arrival, between the two
 *         backoff times; the message bounces when a try fails after its lifetime); qmgr(8).
 */
export function replay(
  policy: RetryPolicy,
  course: { arrived: number; firstTry: number; acceptsFrom: number; runsAt: number },
): Replay {
  const { arrived, acceptsFrom, runsAt } = course;
  const period = policy.mta === 'exim' ? policy.queueRun_s : policy.queueRunDelay_s;
  const runFrom = (t: number) => (period > 0 ? runsAt + Math.ceil((t - runsAt) / period) * period : t);
  let now = course.firstTry;
  let state: RetryState | null = null;
  for (let attempts = 1; attempts <= MOST_ATTEMPTS; attempts++) {
    if (now >= acceptsFrom) return { deliveredAt: now, attempts, bounced: false };
    let due: number;
    if (policy.mta === 'postfix') {
      if (now - arrived >= policy.queueLifetime_s) return { deliveredAt: null, attempts, bounced: true };
      due = now + Math.max(policy.minimalBackoff_s, Math.min(policy.maximalBackoff_s, now - arrived));
    } else {
      const lastCutoff = policy.parameters.at(-1)?.cutoff_s ?? 0;
      const next = nextTry(policy.parameters, state, now, {
        ...(policy.about === 'address' ? { messageAge_s: now - arrived } : {}),
        ...(policy.intervalMax_s === undefined ? {} : { intervalMax_s: policy.intervalMax_s }),
      });
      state = next;
      if (next.expired || now - arrived > lastCutoff) return { deliveredAt: null, attempts, bounced: true };
      due = Math.min(next.nextTry, arrived + lastCutoff + 1);
    }
    now = runFrom(Math.max(due, now + 1));
  }
  return { deliveredAt: null, attempts: MOST_ATTEMPTS, bounced: false };
}

/**
 * Three answers instead of one, because nobody knows when the provider would have accepted: it refused at the last
 * refusal and accepted at the first acceptance, and nothing was tried in between.
 *
 * `pessimistic`: it accepts only from the moment it did (a shorter rule may then even come later, if its tries fall
 * unluckily). `optimistic`: it accepts right after its last refusal. `middle`: half way between.
 */
export interface Bounds<T> {
  pessimistic: T;
  middle: T;
  optimistic: T;
}

export interface Simulation {
  /** From arrival to acceptance as it was. */
  delay_s: number;
  attempts: number;
  /** From the last refusal to acceptance: nobody tried, so at most so much of the delay is our own waiting. */
  untried_s: number;
  replays: Bounds<Replay>;
  /** Seconds earlier than it was; negative for later, and null where the shorter rule would have bounced. */
  saved_s: Bounds<number | null>;
}

/**
 * Replays one recipient under another policy. Null when there is nothing to replay: accepted at the first try, or never.
 *
 * Queue runs are taken to come at the moment of the real acceptance and regularly around it, for a later attempt is
 * made by a queue run.
 */
export function simulate(history: RecipientHistory, policy: RetryPolicy): Simulation | null {
  const accepted = history.attempts.findIndex((a) => a.accepted);
  if (accepted < 1) return null;
  const acceptedAt = history.attempts[accepted]!.at;
  const refusedAt = history.attempts[accepted - 1]!.at;
  const firstTry = history.attempts[0]!.at;
  const bounded = <T>(of: (acceptsFrom: number) => T): Bounds<T> => ({
    pessimistic: of(acceptedAt),
    middle: of((refusedAt + acceptedAt) / 2),
    optimistic: of(Math.min(refusedAt + 1, acceptedAt)),
  });
  const replays = bounded((acceptsFrom) =>
    replay(policy, { arrived: history.arrived, firstTry, acceptsFrom, runsAt: acceptedAt }),
  );
  const saved = ({ deliveredAt }: Replay) => (deliveredAt === null ? null : acceptedAt - deliveredAt);
  return {
    delay_s: acceptedAt - history.arrived,
    attempts: accepted + 1,
    untried_s: acceptedAt - refusedAt,
    replays,
    saved_s: {
      pessimistic: saved(replays.pessimistic),
      middle: saved(replays.middle),
      optimistic: saved(replays.optimistic),
    },
  };
}

export interface SimulationSummary {
  /** Recipients that were late and then accepted; the others are not in the sums. */
  recipients: number;
  neverAccepted: number;
  delay_s: number;
  medianDelay_s: number;
  attempts: number;
  saved_s: Bounds<number>;
  /** Of the whole delay. */
  savedShare: Bounds<number>;
  medianDelayThen_s: Bounds<number>;
  attemptsThen: Bounds<number>;
  /** Recipients that the other policy would have given up on. */
  bouncedThen: Bounds<number>;
  /**
   * Share of the whole delay that was our own waiting between tries: from none of it (the provider began to accept just
   * when we tried) to all the time between the last refusal and the acceptance. The middle is half of that.
   */
  ownWaitingShare: { least: 0; middle: number; most: number };
}

/** Replays many recipients under another policy and adds up; null when none of them was late and then accepted. */
export function simulateAll(
  histories: Iterable<RecipientHistory>,
  policy: RetryPolicy,
): SimulationSummary | null {
  const all: Simulation[] = [];
  let neverAccepted = 0;
  for (const history of histories) {
    const simulation = simulate(history, policy);
    if (simulation) all.push(simulation);
    else if (!history.attempts.some((a) => a.accepted)) neverAccepted++;
  }
  if (all.length === 0) return null;
  const sum = (of: (s: Simulation) => number) => all.reduce((total, s) => total + of(s), 0);
  const each = (of: (bound: keyof Bounds<unknown>) => number): Bounds<number> => ({
    pessimistic: of('pessimistic'),
    middle: of('middle'),
    optimistic: of('optimistic'),
  });
  const delay_s = sum((s) => s.delay_s);
  const share = (part: number) => (delay_s > 0 ? part / delay_s : 0);
  const saved_s = each((bound) => sum((s) => s.saved_s[bound] ?? 0));
  const most = share(sum((s) => s.untried_s));
  return {
    recipients: all.length,
    neverAccepted,
    delay_s,
    medianDelay_s: median(all.map((s) => s.delay_s)),
    attempts: sum((s) => s.attempts),
    saved_s,
    savedShare: each((bound) => share(saved_s[bound])),
    medianDelayThen_s: each((bound) => median(all.map((s) => s.delay_s - (s.saved_s[bound] ?? 0)))),
    attemptsThen: each((bound) => sum((s) => s.replays[bound].attempts)),
    bouncedThen: each((bound) => all.filter((s) => s.replays[bound].bounced).length),
    ownWaitingShare: { least: 0, middle: most / 2, most },
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
