import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIM_DEFAULT_RULE, POSTFIX_RETRY_DEFAULTS } from '../../knowledge/retry-defaults.js';
import { nextTry, parseRetryParameters, type RetryState, retryParametersText } from './retry.js';
import { type EximPolicy, type PostfixPolicy, replay, simulate, simulateAll } from './retry-simulation.js';

const HOUR = 3_600;
const rule = (text: string, queueRun_s = 1_800): EximPolicy => ({
  mta: 'exim',
  parameters: parseRetryParameters(text)!,
  queueRun_s,
  about: 'host',
});
const POSTFIX: PostfixPolicy = { mta: 'postfix', ...POSTFIX_RETRY_DEFAULTS };
const at = (arrived: number, ...tries: number[]) => ({
  arrived,
  attempts: tries.map((t, i) => ({ at: t, accepted: i === tries.length - 1 })),
});

describe('replay', () => {
  it('notices a time only when a queue runner comes by', () => {
    const course = { arrived: 0, firstTry: 0, acceptsFrom: HOUR, runsAt: 0 };
    expect(replay(rule('F,4d,15m', 1_800), course)).toEqual({
      deliveredAt: HOUR,
      attempts: 3,
      bounced: false,
    });
    expect(replay(rule('F,4d,40m', 1_800), course)).toEqual({
      deliveredAt: HOUR,
      attempts: 2,
      bounced: false,
    });
    expect(replay(rule('F,4d,15m', 0), course).attempts).toBe(5);
  });

  it('gives up past the last cutoff, at the first run after it', () => {
    const course = { arrived: 0, firstTry: 0, acceptsFrom: 99 * HOUR, runsAt: 0 };
    expect(replay(rule('F,2h,15m; F,5h,4h'), course)).toEqual({
      deliveredAt: null,
      attempts: 7,
      bounced: true,
    });
    expect(replay(rule(''), course)).toEqual({ deliveredAt: null, attempts: 1, bounced: true });
  });

  it("follows Postfix: the next wait is the message's age, between the backoff times", () => {
    // Tries at 0, 300, 600 (age 300), 1200, 2400, 4800 (clipped to 4000 s and the next scan: 8800 -> 9000).
    const course = { arrived: 0, firstTry: 0, acceptsFrom: 8_000, runsAt: 0 };
    expect(replay(POSTFIX, course)).toEqual({ deliveredAt: 9_000, attempts: 7, bounced: false });
    const dead = replay(POSTFIX, { ...course, acceptsFrom: Number.POSITIVE_INFINITY });
    expect(dead.bounced).toBe(true);
    // Six growing ones up to 4,800 s, then one every 4,200 s until five days are over.
    expect(dead.attempts).toBe(108);
  });

  it('comes to an end with any rule', () => {
    const course = { arrived: 0, firstTry: 0, acceptsFrom: Number.POSITIVE_INFINITY, runsAt: 0 };
    expect(replay(rule('F,9999w,1s', 0), course)).toEqual({
      deliveredAt: null,
      attempts: 7_200,
      bounced: false,
    });
  });
});

describe('simulate', () => {
  // Refused at once, after 2 h and 3 h; accepted after 5 h.
  const late = at(0, 60, 2 * HOUR, 3 * HOUR, 5 * HOUR);

  it('bounds what a shorter rule saves by when the provider may have begun to accept', () => {
    const simulation = simulate(late, rule('F,4d,25m'))!;
    expect(simulation).toMatchObject({ delay_s: 5 * HOUR, attempts: 4, untried_s: 2 * HOUR });
    expect(simulation.saved_s).toEqual({ pessimistic: 0, middle: HOUR, optimistic: 1.5 * HOUR });
    expect(simulation.replays.pessimistic.attempts).toBeGreaterThan(simulation.attempts);
  });

  it('says so when a rule would have come later or bounced', () => {
    const longer = simulate(late, rule('F,4d,4h'))!;
    expect(longer.saved_s.pessimistic).toBeLessThan(0);
    expect(simulate(late, rule('F,2h,30m'))!.saved_s).toEqual({
      pessimistic: null,
      middle: null,
      optimistic: null,
    });
  });

  it('has nothing to say of recipients that were accepted at once or never', () => {
    expect(simulate(at(0, 1), rule('F,4d,1h'))).toBe(null);
    expect(simulate({ arrived: 0, attempts: [{ at: 1, accepted: false }] }, rule('F,4d,1h'))).toBe(null);
  });

  it('adds up over recipients', () => {
    const all = simulateAll(
      [late, late, at(0, 1), { arrived: 0, attempts: [{ at: 1, accepted: false }] }],
      rule('F,4d,25m'),
    )!;
    expect(all).toMatchObject({
      recipients: 2,
      neverAccepted: 1,
      delay_s: 10 * HOUR,
      medianDelay_s: 5 * HOUR,
      attempts: 8,
    });
    expect(all.savedShare.middle).toBeCloseTo(0.2);
    expect(all.ownWaitingShare).toEqual({ least: 0, middle: 0.2, most: 0.4 });
    expect(all.medianDelayThen_s).toEqual({
      pessimistic: 5 * HOUR,
      middle: 4 * HOUR,
      optimistic: 3.5 * HOUR,
    });
    expect(simulateAll([at(0, 1)], rule('F,4d,1h'))).toBe(null);
  });

  it('never saves more than the time in which nobody tried', () => {
    for (let seed = 1; seed < 300; seed++) {
      const random = mulberry(seed);
      const tries = [random() * 900];
      for (let i = 0; i < 1 + random() * 8; i++) tries.push(tries.at(-1)! + 600 + random() * 20_000);
      const simulation = simulate(at(0, ...tries), rule(`F,2h,${1 + Math.floor(random() * 50)}m; F,4d,2h`))!;
      for (const saved of Object.values(simulation.saved_s))
        expect(saved).toBeLessThanOrEqual(simulation.untried_s);
      expect(simulation.saved_s.pessimistic).toBeLessThanOrEqual(0);
    }
  });
});

function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Exim itself, with its clock moved by libfaketime, runs its queue for days against a port where nobody listens. */
const EXIM = ['/usr/sbin/exim4', '/usr/sbin/exim'].find((path) => existsSync(path));
const FAKETIME = ['x86_64', 'aarch64']
  .map((arch) => `/usr/lib/${arch}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

describe.skipIf(!EXIM || !FAKETIME || process.getuid?.() !== 0)('Exim under a moved clock', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'culprit-retry-'));
    chmodSync(dir, 0o755);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each([
    [EXIM_DEFAULT_RULE, 1_800, 100],
    ['F,1h,20m; G,6h,30m,2; F,12h,2h', 900, 14],
    ['G,10h,10m,1.7', 600, 12],
  ])('tries when the replay says: %s', (text, queueRun_s, hours) => {
    const spool = mkdtempSync(join(dir, 'spool-'));
    execFileSync('chown', ['Debian-exim:Debian-exim', spool]);
    chmodSync(spool, 0o750);
    const conf = join(dir, 'exim.conf');
    writeFileSync(
      conf,
      `keep_environment = LD_PRELOAD : ^FAKETIME
spool_directory = ${spool}
log_file_path = ${spool}/log-%s
primary_hostname = mx1.example.com
# A warning would be sent by a process whose clock is not moved.
delay_warning =
begin routers
out:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  port = 1
begin retry
* * ${text}
`,
    );
    const start = Date.UTC(2022, 2, 1) / 1_000;
    const exim = (seconds: number, ...args: string[]) =>
      execFileSync(EXIM!, ['-C', conf, ...args], {
        input: 'hi\n',
        stdio: ['pipe', 'ignore', 'ignore'],
        env: {
          ...process.env,
          TZ: 'UTC',
          LD_PRELOAD: FAKETIME,
          FAKETIME: new Date((start + seconds) * 1_000).toISOString().slice(0, 19).replace('T', ' '),
        },
      });
    exim(0, '-odq', '-f', 'a@example.com', 'x@example.net');
    // Most queue runs find nothing to do; after the first hours only those around a try that is due are made.
    const parameters = parseRetryParameters(text)!;
    const lastCutoff = parameters.at(-1)!.cutoff_s;
    let state: RetryState | null = null;
    let due = 0;
    for (let run = 0; run <= hours * HOUR; run += queueRun_s) {
      if (run > 3 * HOUR && run + queueRun_s < due) continue;
      exim(run, '-q');
      if (run < due) continue;
      state = nextTry(parameters, state, run);
      due = Math.min(state.nextTry, lastCutoff + 1);
    }
    const log = readFileSync(join(spool, 'log-main'), 'latin1');
    const moment = (line: string) => Date.parse(`${line.slice(0, 19).replace(' ', 'T')}Z`) / 1_000 - start;
    // One line for the try itself, with its host; later lines of the address are not tries.
    const tried = log
      .split('\n')
      .filter((line) => /^2022.* H=127\.0\.0\.1 \[127\.0\.0\.1\].* Connection refused$/.test(line));
    const gaveUp = log.split('\n').find((line) => line.includes('retry timeout exceeded'));
    const policy = rule(text, queueRun_s);
    const dead = replay(policy, {
      arrived: 0,
      firstTry: 0,
      acceptsFrom: Number.POSITIVE_INFINITY,
      runsAt: 0,
    });
    expect(dead).toMatchObject({ bounced: true, attempts: tried.length });
    // The moments too: a provider that begins to accept just then is delivered to at that very run.
    for (const line of tried.slice(1)) {
      // A clock moved at the start of a process goes on from there: a second may have passed.
      const t = Math.floor(moment(line) / queueRun_s) * queueRun_s;
      const course = { arrived: 0, firstTry: 0, acceptsFrom: t - 1, runsAt: 0 };
      expect(replay(policy, course).deliveredAt).toBe(t);
    }
    expect(gaveUp, `${retryParametersText(parameters)} should have ended`).toBeDefined();
    expect(moment(gaveUp!) - moment(tried.at(-1)!)).toBeLessThan(5);
  });
});
