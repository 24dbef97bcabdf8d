import type { PartKind } from '../../findings/message-life.js';

/**
 * Where the time of one recipient of a message went: its life in parts that follow each other without gap or overlap.
 *
 * Units:  moments and durations are whole milliseconds, so that the parts add up to the life exactly.
 * Source: Exim specification, "Log files" (queue_time, deliver_time, receive_time; queue runs), receive.c for
 *         `no immediate delivery`, queue.c; Postfix smtp(8), qmgr(8), postconf(5) delay_logging_resolution_limit for
 *         `delays=a/b/c/d`.
 */

export interface At {
  at: number;
  path: string;
  line: number;
}

export interface Part {
  kind: PartKind;
  says: string;
  from: number;
  to: number;
  place: At;
}

/** A line of an outcome: a try, or a time that none was made since it was too early. */
export interface Try extends At {
  outcome: 'delivered' | 'deferred' | 'failed';
  made: boolean;
  /** `greylisting by mx.example.com`, `a failed connection to …`: what the wait after it is owed to. */
  because: string;
  deliveryMs: number | null;
  activeMs: number | null;
  connectMs: number | null;
  transmitMs: number | null;
}

/** What the lines of the whole message and of its server say about the time between tries. */
export interface Course {
  program: string;
  /** First moment of the life; `arrived` is the line that says it was taken in, or the first line at all. */
  began: number;
  arrived: At;
  begins: 'logged' | 'told' | 'before-logs';
  /** `no immediate delivery: …`: told, in order. */
  delays: (At & { why: string })[];
  /** A delivery process had the message then: a host could not be used, or a queue run found it locked. */
  busy: At[];
  frozen: (At & { until: number })[];
  /** Postfix: into the active queue, in order. */
  active: At[];
  /** Outcome lines of tries of all recipients, in order of time. */
  tries: number[];
  /** Exim's queue runs that were begun in its life, in order; `end` is infinite for one that was still on. */
  runs: (At & { end: number })[];
}

/** Exim without DT=; `advice` says what to set. */
const NOT_SPLIT = 'not split';

interface State {
  kind: PartKind;
  place: At;
  says: string;
  putOffs: number;
}

/** The parts from `course.began` to `end`. `tries` in order of time; none is later than `end`. */
export function accountFor(course: Course, tries: readonly Try[], end: number): Part[] {
  return new Account(course).of(tries, end);
}

class Account {
  private readonly parts: (Part & { state?: State })[] = [];
  private readonly postfix: boolean;

  constructor(private readonly course: Course) {
    this.postfix = course.program === 'postfix';
  }

  of(tries: readonly Try[], end: number): Part[] {
    const { course } = this;
    const first = tries[0];
    // Exim's cutthrough delivers while the message still comes in, and logs that first.
    const start = Math.min(course.arrived.at, first?.at ?? end, end);
    if (course.begins === 'logged')
      this.add('receiving', course.began, start, course.arrived, 'being received from the client');
    else
      this.add(
        'before-logs',
        course.began,
        start,
        course.arrived,
        'before the logs begin (its age is told later)',
      );
    let state = this.initial();
    let p = start;
    let before: At = course.arrived;
    tries.forEach((t, i) => {
      const at = Math.min(Math.max(t.at, p), end);
      const known = i > 0 || course.begins === 'logged';
      if (this.postfix) this.postfixTry(p, at, t, state);
      else if (!t.made) this.wait(p, at, state);
      else this.eximTry(p, at, t, state, before, known);
      state = this.after(t, state);
      before = t;
      p = at;
    });
    this.wait(p, end, state);
    return this.parts.map(({ state: owed, ...part }) => ({
      ...part,
      says: owed && owed.putOffs > 0 ? `${part.says}; ${times(owed.putOffs)} it was too early` : part.says,
    }));
  }

  private initial(): State {
    const { begins, arrived, delays } = this.course;
    const [delay] = delays;
    if (begins !== 'logged')
      return {
        kind: 'before-logs',
        place: arrived,
        says: 'waiting for what the lines before the logs would tell',
        putOffs: 0,
      };
    if (this.postfix)
      return { kind: 'incoming', place: arrived, says: 'taken in, not yet in the active queue', putOffs: 0 };
    return {
      kind: 'queued',
      place: delay ?? arrived,
      says: delay ? `waiting in our queue: ${delay.why}` : 'in our queue before the first try',
      putOffs: 0,
    };
  }

  private after(t: Try, before: State): State {
    if (t.outcome !== 'deferred') return before;
    if (t.made)
      return {
        kind: 'retry',
        place: t,
        says: `waiting for our own retry time after ${t.because}`,
        putOffs: 0,
      };
    if (before.kind === 'retry' || before.kind === 'put-off') {
      before.putOffs++;
      return before;
    }
    return {
      kind: 'put-off',
      place: t,
      says: 'not tried: the retry time that earlier failures set for its host had not come',
      putOffs: 0,
    };
  }

  private eximTry(p: number, at: number, t: Try, state: State, before: At, known: boolean): void {
    const { busy, runs, tries } = this.course;
    const found = busy.find((b) => b.at > p && b.at <= at);
    // The first delivery process has the message until each recipient has had its try.
    const other = state.kind === 'queued' ? (tries.find((other) => other >= p && other < at) ?? at) : at;
    const latest = Math.min(found?.at ?? at, at);
    const run = runs.find(
      (r) => begunAfter(r, p, before) && r.at <= Math.min(latest, other) && r.end >= latest,
    );
    const began = t.deliveryMs === null ? null : Math.max(p, Math.min(at - t.deliveryMs, latest));
    const first = state.kind === 'queued';
    if (began !== null) {
      // What was done with another host before this one is in no DT.
      const from = Math.min(began, latest);
      if (run && run.at < from) {
        this.wait(p, run.at, state, ' until a queue run began');
        if (found && found.at < at - t.deliveryMs!)
          this.add('trying', run.at, from, found, 'its turn in the queue run, and tries at other hosts');
        else this.add('turn', run.at, from, run, 'waiting its turn in the queue run');
      } else if (found && first && found.at < at - t.deliveryMs!)
        this.add('trying', p, from, found, 'starting the delivery, and tries at other hosts');
      else if (first && state.place === this.course.arrived) {
        this.add(
          other < from ? 'turn' : 'queued',
          p,
          from,
          state.place,
          other < from
            ? 'behind the message’s other recipients, before the first try'
            : 'in our queue before the first try: starting, routing, looking up names',
        );
      } else this.wait(p, from, state);
      this.add('trying', from, at, t, 'connecting, greeting, sending and waiting for the answer');
      return;
    }
    if (run) {
      this.wait(p, run.at, state, ' until a queue run began');
      this.add('trying', run.at, at, t, `its turn in a queue run, and the try (${NOT_SPLIT})`);
    } else if (first && known && this.course.delays.length === 0)
      this.add('trying', p, at, t, `starting and trying (${NOT_SPLIT})`);
    else if (found) {
      this.wait(p, found.at, state, `, and a try at another host (${NOT_SPLIT})`);
      this.add('trying', found.at, at, t, `the try at the next host (${NOT_SPLIT})`);
    } else this.wait(p, at, state, `, and the try (${NOT_SPLIT})`);
  }

  private postfixTry(p: number, at: number, t: Try, state: State): void {
    const { activeMs, connectMs, transmitMs } = t;
    const split = activeMs !== null && connectMs !== null && transmitMs !== null;
    const mark = lastBetween(this.course.active, p, at);
    if (!mark && !split) {
      if (state.kind === 'incoming') this.add('trying', p, at, t, 'queue and try (the log has no delays=)');
      else this.wait(p, at, state, ', and the try itself (the log has no delays=)');
      return;
    }
    // The line of the active queue has the exact time; delays= is rounded to two digits.
    const active = mark ? mark.at : Math.max(p, at - activeMs! - connectMs! - transmitMs!);
    this.wait(p, active, state);
    if (!t.made) {
      this.add('active', active, at, mark ?? t, 'in the active queue, and put off without a try');
      return;
    }
    if (!split) {
      this.add('trying', active, at, t, 'active queue and try (the log has no delays=)');
      return;
    }
    const sending = Math.max(active, at - transmitMs);
    const connecting = Math.max(active, sending - connectMs);
    this.add('active', active, connecting, mark ?? t, 'in the active queue');
    this.add('connecting', connecting, sending, t, 'looking up, connecting, greeting, TLS');
    this.add('transmission', sending, at, t, 'sending, and waiting for the answer');
  }

  /** A wait, with the times that it was frozen told apart. */
  private wait(from: number, to: number, state: State, until = ''): void {
    let p = from;
    for (const ice of this.course.frozen) {
      if (ice.until <= p || ice.at >= to) continue;
      this.owe(p, Math.min(to, ice.at), state, until);
      const thaw = Math.min(to, ice.until);
      const held = this.postfix ? 'on hold' : 'frozen';
      this.add('frozen', Math.max(p, ice.at), thaw, ice, `${held}: nothing is tried until somebody frees it`);
      p = thaw;
    }
    this.owe(p, to, state, until);
  }

  private owe(from: number, to: number, state: State, until: string): void {
    this.add(state.kind, from, to, state.place, state.says + until, state);
  }

  private add(kind: PartKind, from: number, to: number, place: At, says: string, state?: State): void {
    if (to <= from) return;
    const last = this.parts.at(-1);
    if (last && last.to === from && last.kind === kind && last.place === place) {
      last.to = to;
      last.says = says;
      return;
    }
    this.parts.push({ kind, says, from, to, place, ...(state ? { state } : {}) });
  }
}

/** A run that held the message had begun after the moment before: each run takes each message once. */
function begunAfter(run: At, p: number, before: At): boolean {
  if (run.at !== p) return run.at > p;
  return before.at === p && (run.path !== before.path || run.line > before.line);
}

function lastBetween(marks: readonly At[], from: number, to: number): At | undefined {
  let found: At | undefined;
  for (const mark of marks) if (mark.at >= from && mark.at <= to) found = mark;
  return found;
}

const times = (n: number): string =>
  n === 1 ? 'once' : n === 2 ? 'twice' : `${n.toLocaleString('en-GB')} times`;
