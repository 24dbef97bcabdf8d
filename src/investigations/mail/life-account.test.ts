import { describe, expect, it } from 'vitest';
import { accountFor, type Course, type Part, type Try } from './life-account.js';

const place = (at: number, line = at) => ({ at, path: 'mainlog', line });
const course = (more: Partial<Course> = {}): Course => ({
  program: 'exim',
  began: 0,
  arrived: place(0, 1),
  begins: 'logged',
  delays: [],
  busy: [],
  frozen: [],
  active: [],
  tries: [],
  runs: [],
  ...more,
});
const attempt = (at: number, more: Partial<Try> = {}): Try => ({
  ...place(at),
  outcome: 'delivered',
  made: true,
  because: 'greylisting at mx',
  deliveryMs: null,
  activeMs: null,
  connectMs: null,
  transmitMs: null,
  ...more,
});
const deferred = (at: number, more: Partial<Try> = {}) => attempt(at, { outcome: 'deferred', ...more });
const short = (parts: Part[]) => parts.map((p) => `${p.kind} ${p.to - p.from}`);

describe('the account of an Exim recipient', () => {
  it('splits the first try from the queue where DT is logged, and says so where it is not', () => {
    expect(short(accountFor(course(), [attempt(5000, { deliveryMs: 2000 })], 5000))).toEqual([
      'queued 3000',
      'trying 2000',
    ]);
    const [only] = accountFor(course(), [attempt(5000)], 5000);
    expect(only).toMatchObject({ kind: 'trying', from: 0, to: 5000 });
    expect(only!.says).toContain('not split');
  });

  it('gives a wait for a queue run to the queue, and the turn in the run to the run', () => {
    const runs = [{ ...place(60_000, 9), end: 100_000 }];
    expect(short(accountFor(course({ runs }), [attempt(70_000, { deliveryMs: 4000 })], 70_000))).toEqual([
      'queued 60000',
      'turn 6000',
      'trying 4000',
    ]);
    expect(short(accountFor(course({ runs }), [attempt(70_000)], 70_000))).toEqual([
      'queued 60000',
      'trying 10000',
    ]);
  });

  it('does not give a try to a queue run that ended before, or that met a process that was on already', () => {
    const ended = [{ ...place(60_000, 9), end: 65_000 }];
    expect(short(accountFor(course({ runs: ended }), [attempt(70_000)], 70_000))).toEqual(['trying 70000']);
    const runs = [{ ...place(60_000, 9), end: 100_000 }];
    for (const on of [{ busy: [place(50_000)] }, { tries: [10_000] }])
      expect(short(accountFor(course({ runs, ...on }), [attempt(70_000)], 70_000))).toEqual(['trying 70000']);
  });

  it('names why there was no immediate delivery', () => {
    const delays = [{ ...place(0, 2), why: 'no immediate delivery: load average 9.30' }];
    const runs = [{ ...place(60_000, 9), end: 100_000 }];
    const [queued] = accountFor(course({ delays, runs }), [attempt(70_000)], 70_000);
    expect(queued).toMatchObject({ kind: 'queued', to: 60_000, place: { line: 2 } });
    expect(queued!.says).toContain('load average 9.30');
    expect(short(accountFor(course({ delays }), [attempt(70_000)], 70_000))).toEqual(['queued 70000']);
  });

  it('gives what follows a refusal to our own retry time, put-offs within', () => {
    const runs = [10_000, 20_000, 30_000].map((t) => ({ ...place(t, t), end: t + 5000 }));
    const tries = [
      deferred(1000, { deliveryMs: 1000 }),
      deferred(10_500, { made: false }),
      deferred(20_500, { made: false }),
      attempt(32_000, { deliveryMs: 1500 }),
    ];
    const parts = accountFor(course({ runs }), tries, 32_000);
    expect(short(parts)).toEqual(['trying 1000', 'retry 29000', 'turn 500', 'trying 1500']);
    expect(parts[1]!.says).toBe(
      'waiting for our own retry time after greylisting at mx until a queue run began; twice it was too early',
    );
    expect(parts[1]!.place.line).toBe(1000);
  });

  it('tells a put-off for what earlier mail met from one for its own refusal', () => {
    const tries = [deferred(500, { made: false }), deferred(10_000, { made: false })];
    expect(short(accountFor(course(), tries, 20_000))).toEqual(['queued 500', 'put-off 19500']);
  });

  it('takes frozen time out of a wait, up to the end of the logs too', () => {
    const frozen = [{ ...place(2000), until: Number.POSITIVE_INFINITY }];
    expect(short(accountFor(course({ frozen }), [deferred(1000)], 9000))).toEqual([
      'trying 1000',
      'retry 1000',
      'frozen 7000',
    ]);
  });

  it('receives first, and does not call unknown what came before the logs', () => {
    expect(short(accountFor(course({ began: -700 }), [attempt(100, { deliveryMs: 100 })], 100))).toEqual([
      'receiving 700',
      'trying 100',
    ]);
    const told = course({ begins: 'told', began: -90_000 });
    expect(short(accountFor(told, [attempt(5000, { deliveryMs: 1000 })], 5000))).toEqual([
      'before-logs 94000',
      'trying 1000',
    ]);
  });

  it('delivers while it is received, by cutthrough', () => {
    expect(accountFor(course({ began: 0, arrived: place(0) }), [attempt(-30)], -30)).toEqual([]);
  });
});

describe('the account of a Postfix recipient', () => {
  const postfix = (more: Partial<Course> = {}) => course({ program: 'postfix', ...more });

  it('splits by the active queue and delays=a/b/c/d', () => {
    const tries = [
      deferred(3000, { activeMs: 500, connectMs: 1000, transmitMs: 1000 }),
      attempt(60_000, { activeMs: 0, connectMs: 200, transmitMs: 300 }),
    ];
    const active = [place(200), place(59_000)];
    expect(short(accountFor(postfix({ active }), tries, 60_000))).toEqual([
      'incoming 200',
      'active 800',
      'connecting 1000',
      'transmission 1000',
      'retry 56000',
      'active 500',
      'connecting 200',
      'transmission 300',
    ]);
    // Without the lines of qmgr, delays= alone.
    expect(short(accountFor(postfix(), tries, 60_000))).toEqual([
      'incoming 500',
      'active 500',
      'connecting 1000',
      'transmission 1000',
      'retry 56500',
      'connecting 200',
      'transmission 300',
    ]);
  });

  it('takes delays that are longer than the time there was as far as it went', () => {
    const tries = [attempt(1000, { activeMs: 9000, connectMs: 9000, transmitMs: 9000 })];
    expect(short(accountFor(postfix(), tries, 1000))).toEqual(['transmission 1000']);
  });

  it('calls a hold a hold', () => {
    const frozen = [{ ...place(100), until: 5000 }];
    const tries = [attempt(6000, { activeMs: 0, connectMs: 0, transmitMs: 500 })];
    const parts = accountFor(postfix({ frozen, active: [place(5000)] }), tries, 6000);
    expect(short(parts)).toEqual(['incoming 100', 'frozen 4900', 'active 500', 'transmission 500']);
    expect(parts[1]!.says).toContain('on hold');
  });
});

describe('whatever the lines say', () => {
  /** xorshift32: the same cases on every run. */
  const dice = (seed: number) => () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) / 2 ** 32;
  };

  it('the parts follow each other without gap or overlap from beginning to end', () => {
    for (let seed = 1; seed <= 3000; seed++) {
      const roll = dice(seed * 7919);
      const upTo = (n: number) => Math.floor(roll() * n);
      const moments = (n: number) =>
        Array.from({ length: upTo(n) }, () => upTo(50_000) - 1000).sort((a, b) => a - b);
      const maybe = () => (roll() < 0.5 ? null : upTo(8000));
      const c = course({
        program: roll() < 0.5 ? 'exim' : 'postfix',
        began: -upTo(3000),
        begins: (['logged', 'told', 'before-logs'] as const)[upTo(3)]!,
        delays: moments(2).map((t) => ({ ...place(t), why: 'no immediate delivery: load average 9' })),
        busy: moments(3).map((t) => place(t)),
        frozen: moments(3).map((t) => ({
          ...place(t),
          until: roll() < 0.2 ? Number.POSITIVE_INFINITY : t + upTo(9000),
        })),
        active: moments(4).map((t) => place(t)),
        tries: moments(4),
        runs: moments(5).map((t) => ({ ...place(t), end: t + upTo(9000) })),
      });
      if (c.begins === 'before-logs') c.began = 0;
      const tries = moments(6).map((t) =>
        attempt(t, {
          outcome: 'deferred',
          made: roll() < 0.7,
          deliveryMs: maybe(),
          activeMs: maybe(),
          connectMs: maybe(),
          transmitMs: maybe(),
        }),
      );
      const end = Math.max(tries.at(-1)?.at ?? 0, 0) + upTo(3) * 1000;
      const parts = accountFor(c, tries, end);
      let at = Math.min(c.began, tries[0]?.at ?? end, end);
      for (const part of parts) {
        expect(part.from, `seed ${seed}`).toBe(at);
        expect(part.to).toBeGreaterThan(part.from);
        expect(part.says).not.toBe('');
        at = part.to;
      }
      expect(at, `seed ${seed}`).toBe(end);
    }
  });
});
