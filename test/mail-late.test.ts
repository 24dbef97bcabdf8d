import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DAEMON_NAMES, type DaemonName, generate, type Options, type Truth } from '../lab/mail/generate.js';
import { PROVIDERS } from '../lab/mail/providers.js';
import { SCENARIOS, type ScenarioName } from '../lab/mail/scenarios.js';
import { whyNoWorld } from '../lab/mail/world.js';
import type { Finding } from '../src/findings/finding.js';
import type { Verification } from '../src/findings/verification.js';
import { culprit, examine, scratch, sql } from './culprit.js';

const why = whyNoWorld();
if (why)
  console.warn(
    `The mail lab cannot run here, and the tests of mail-late with real mail servers are skipped: ${why}`,
  );

/** All pairs of scenario and mail server take a quarter of an hour; these ten tell the culprits and their twins apart. */
const CHOSEN: [ScenarioName, DaemonName][] = [
  ['greylist', 'postfix'],
  ['provider-deferral-rcpt', 'postfix'],
  ['greylist-and-deferral', 'exim'],
  ['unreachable-host', 'exim'],
  ['dns-failure', 'postfix'],
  ['tls-failure', 'exim'],
  ['local-queueing', 'exim'],
  ['own-retry-rule', 'postfix'],
  ['mailbox-full', 'exim'],
  ['slow-everything', 'postfix'],
];
const ALL = (Object.keys(SCENARIOS) as ScenarioName[]).flatMap((scenario) =>
  DAEMON_NAMES.map((daemon): [ScenarioName, DaemonName] => [scenario, daemon]),
);
const PAIRS = process.env.CULPRIT_LAB === 'all' ? ALL : CHOSEN;
const seedOf = (scenario: ScenarioName) => 3 + (Object.keys(SCENARIOS).indexOf(scenario) % 4);

/** Two for each processor: a world mostly waits. */
const AT_ONCE = 4;
type World = Awaited<ReturnType<typeof generate>>;

/** Plays each scenario once, some at a time, in the order in which they were asked for. */
class Worlds {
  private readonly queue: (() => void)[] = [];
  private running = 0;
  private readonly asked = new Map<string, Promise<World>>();

  of(options: Options): Promise<World> {
    const key = JSON.stringify(options);
    const known = this.asked.get(key);
    if (known) return known;
    const world = this.turn().then(() =>
      generate(options).finally(() => {
        this.running--;
        this.queue.shift()?.();
      }),
    );
    // Whoever awaits it later sees the error; nobody else need.
    world.catch(() => {});
    this.asked.set(key, world);
    return world;
  }

  private async turn(): Promise<void> {
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.queue.push(resolve));
    this.running++;
  }
}
const worlds = new Worlds();

const STORY: Options = {
  scenario: 'provider-deferral',
  daemon: 'exim',
  seed: 3,
  // Long enough that mail goes on for a while when it is over.
  mailing: { messages: 230, seconds: 46 },
};
const ONGOING: Options = { scenario: 'provider-deferral-ongoing', daemon: 'postfix', seed: 4 };
if (!why) for (const options of [STORY, ONGOING]) void worlds.of(options);
if (!why)
  for (const [scenario, daemon] of PAIRS) void worlds.of({ scenario, daemon, seed: seedOf(scenario) });

type Files = Iterable<readonly [name: string, content: string | Buffer]>;

/** What culprit says of these files. */
async function judged(files: Files) {
  const base = scratch();
  for (const [name, content] of files) {
    const path = join(base, 'evidence', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const state = join(base, 'state');
  return { report: await examine([join(base, 'evidence')], { state }), state };
}

const wall = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
const domainsOf = (truth: Truth): readonly string[] => truth.affected?.domains ?? [];
const culprits = (findings: Finding[]) => findings.map((f) => f.culprit).toSorted();
const seconds = (iso: string | null | undefined) => Date.parse(`${iso}Z`) / 1000;
const at = (truth: Truth, event: string) => {
  const found = truth.timeline.find((t) => t.event === event);
  return found ? Date.parse(found.at) / 1000 : null;
};

/** The harm's time is that of the fault, give or take the mail that happened to come then. */
function expectTimes(finding: Finding, truth: Truth): void {
  const begins = at(truth, 'the fault begins') ?? at(truth, 'start')!;
  expect(seconds(finding.since)).toBeGreaterThan(begins - 3);
  expect(seconds(finding.since)).toBeLessThan(begins + 12);
  const ends = at(truth, 'the fault ends') ?? at(truth, 'collect')!;
  if (finding.until !== null) {
    expect(seconds(finding.until)).toBeGreaterThanOrEqual(seconds(finding.since));
    // A connection that hangs is given up behind the end.
    expect(seconds(finding.until)).toBeLessThan(ends + truth.settings.connect + truth.settings.command);
  }
}

function expectWellFormed(finding: Finding): void {
  for (const h of finding.hypotheses) {
    expect(h.facts.length, h.id).toBeGreaterThan(0);
    for (const f of h.facts)
      expect('searched' in f.from ? f.from.searched.length : f.from.length, f.says).toBeGreaterThan(0);
  }
  expect(finding.hypotheses.filter((h) => h.verdict === 'confirmed').map((h) => h.id)).toEqual([
    finding.culprit,
  ]);
  expect(finding.remedies.length).toBeGreaterThan(0);
  expect(finding.check?.command).toContain('culprit verify');
}

describe.skipIf(why)('mail-late on what real mail servers wrote', () => {
  it.each(PAIRS)(
    '%s with %s: who it was, and nobody else',
    async (scenario, daemon) => {
      const { files, truth } = await worlds.of({ scenario, daemon, seed: seedOf(scenario) });
      const { report } = await judged(files);
      const wanted = truth.culprit === null ? [] : [truth.culprit];
      for (const { culprit: more } of truth.also) wanted.push(more);
      if (truth.mild && report.findings.length === 0) return;
      expect(culprits(report.findings)).toEqual(wanted.toSorted());
      expect(report.status).toBe(wanted.length > 0 ? 1 : 0);
      for (const finding of report.findings) {
        expectWellFormed(finding);
        const also = truth.also.find((a) => a.culprit === finding.culprit);
        if (also) expect(PROVIDERS[also.provider].domains).toContain(finding.subject.domain);
        else if (truth.affected) {
          expect(domainsOf(truth)).toContain(finding.subject.domain);
          expectTimes(finding, truth);
        } else expect(finding.subject.provider).toBe('all');
      }
      if (wanted.length === 0) expect(report.clear.map((c) => c.investigation)).toContain('mail-late');
    },
    600_000,
  );
});

describe.skipIf(why)('one story in many forms', () => {
  const ID = 'provider-deferral';
  const log = async () => {
    const { files, truth } = await worlds.of(STORY);
    return {
      files,
      truth,
      text: files.get('mainlog')!,
      lines: files.get('mainlog')!.split('\n').slice(0, -1),
    };
  };
  const momentOf = (line: string) => Date.parse(`${/^\S+ \S+/.exec(line)![0].replace(' ', 'T')}Z`) / 1000;

  async function expectStory(files: Files, truth: Truth) {
    const is = await judged(files);
    expect(culprits(is.report.findings)).toEqual([ID]);
    expect(is.report.findings[0]!.subject).toMatchObject({ provider: 'yahoo', reason: 'reputation' });
    expectTimes(is.report.findings[0]!, truth);
    const read = is.report.sources.filter((s) => s.path.includes('mainlog'));
    expect(read.reduce((n, s) => n + s.unread, 0)).toBe(0);
    return is;
  }
  /** What the case holds of each recipient, to compare forms by. */
  const recipients = (state: string) =>
    sql(
      `SELECT message, recipient, outcome, attempts, deferrals, epoch(ended_at) AS ended FROM recipients ORDER BY ALL`,
      { state },
    );

  it('the log in parts, rotated and packed, and in one: the same mail', async () => {
    const { text, lines, truth } = await log();
    const [a, b] = [Math.floor(lines.length * 0.3), Math.floor(lines.length * 0.6)];
    const part = (from: number, to?: number) => `${lines.slice(from, to).join('\n')}\n`;
    const whole = await expectStory([['mainlog', text]], truth);
    const parts = await expectStory(
      [
        ['mainlog', part(b)],
        ['mainlog.1', part(a, b)],
        ['mainlog.2.gz', gzipSync(part(0, a))],
      ],
      truth,
    );
    expect(await recipients(parts.state)).toEqual(await recipients(whole.state));
    // Without the configuration the rule in force is not known, and that is said.
    expect(JSON.stringify(whole.report.findings[0]!.impact)).toContain('not among the evidence');
    const crlf = await expectStory([['mainlog', text.replaceAll('\n', '\r\n')]], truth);
    expect(await recipients(crlf.state)).toEqual(await recipients(whole.state));
  }, 600_000);

  it('the log as syslog has it', async () => {
    const { lines, truth } = await log();
    const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
    const syslog = lines.map((line) => {
      const [, month, day, time, pid, rest] =
        /^\d{4}-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?(?: \[(\d+)\])? (.*)$/.exec(line) ?? [];
      expect(rest, line).toBeDefined();
      return `${MONTHS[Number(month) - 1]} ${String(Number(day)).padStart(2)} ${time} mx1 exim[${pid ?? 77}]: ${rest}\n`;
    });
    const { report } = await judged([['mail.log', syslog.join('')]]);
    expect(culprits(report.findings)).toEqual([ID]);
    expect(report.findings[0]!.subject.provider).toBe('yahoo');
    expectTimes(report.findings[0]!, truth);
  }, 600_000);

  it('a log that begins late: mail whose beginning is missing is not fast', async () => {
    const { lines, truth } = await log();
    const cut = at(truth, 'the fault begins')! + 8;
    const rest = lines.filter((line) => momentOf(line) >= cut);
    const { report, state } = await judged([['mainlog', `${rest.join('\n')}\n`]]);
    expect(culprits(report.findings)).toEqual([ID]);
    const [odd] = await sql<{ n: number; measured: number }>(
      `SELECT count(*) AS n, count(delay_s) AS measured FROM recipients r WHERE arrived_at IS NULL`,
      { state },
    );
    expect(odd!.n).toBeGreaterThan(0);
    expect(odd!.measured).toBe(0);
    expect(report.findings[0]!.sinceBeforeEvidence).toBe(true);
    const whole = await judged([['mainlog', `${lines.join('\n')}\n`]]);
    const late = (r: typeof report) =>
      r.findings[0]!.impact.find((i) => i.says.includes('got mail late'))!.value;
    expect(late(report)).toBeLessThanOrEqual(late(whole.report));
  }, 600_000);

  it('a log that ends early: mail whose end is missing is waiting, not lost', async () => {
    const { lines, truth } = await log();
    const cut = at(truth, 'the fault ends')! - 3;
    const rest = lines.filter((line) => momentOf(line) < cut);
    const { report, state } = await judged([['mainlog', `${rest.join('\n')}\n`]]);
    expect(culprits(report.findings)).toEqual([ID]);
    expect(report.findings[0]!.until).toBeNull();
    const outcomes = await sql<{ outcome: string; n: number }>(
      `SELECT outcome, count(*) AS n FROM recipients WHERE split_part(recipient, '@', 2) LIKE 'yahoo%' GROUP BY ALL`,
      { state },
    );
    expect(outcomes.find((o) => o.outcome === 'waiting')!.n).toBeGreaterThan(3);
    expect(outcomes.some((o) => o.outcome === 'failed')).toBe(false);
  }, 600_000);

  it('is told in full by show', async () => {
    const { files, truth } = await log();
    const { state } = await expectStory(files, truth);
    const shown = await culprit(['show', '1'], { state });
    expect(shown.status).toBe(0);
    for (const said of [
      /late by, median/,
      /late by, 90 of 100/,
      /late by, 99 of 100/,
      /late by, at worst/,
      /never delivered/,
      /% .*of the delay/,
      /yahoodns\.net/,
      /TSS04/,
      /culprit verify/,
    ])
      expect(shown.stdout).toMatch(said);
    const json = JSON.parse((await culprit(['show', '1', '--json'], { state })).stdout) as {
      finding?: Finding;
    };
    expect((json.finding ?? (json as unknown as Finding)).culprit).toBe(ID);
  }, 600_000);
});

describe.skipIf(why)('verify of late mail', () => {
  it('says that it is fixed when it is over', async () => {
    const { files, truth } = await worlds.of(STORY);
    const { state } = await judged(files);
    // Mail that comes right behind the end waits for the host's retry time still.
    const { retry, queueRun } = truth.settings;
    const over = wall(at(truth, 'the fault ends')! + retry + queueRun);
    const run = await culprit(['verify', '1', '--json', '--since', over], { state });
    const { verdict, because } = JSON.parse(run.stdout) as Verification;
    expect(verdict, because).toBe('fixed');
    expect(run.status).toBe(0);
    const plain = await culprit(['verify', '1', '--json'], { state });
    expect(['fixed', 'improved']).toContain((JSON.parse(plain.stdout) as Verification).verdict);
  }, 600_000);

  it('does not say so while it goes on', async () => {
    const { files, truth } = await worlds.of(ONGOING);
    const { report, state } = await judged(files);
    expect(culprits(report.findings)).toEqual(['provider-deferral']);
    expect(report.findings[0]!.until).toBeNull();
    const asked = await culprit(['verify', '1'], { state });
    expect(asked.status).not.toBe(0);
    expect(asked.stderr).toContain('--since');
    const since = wall(at(truth, 'the fault begins')! + 10);
    const run = await culprit(['verify', '1', '--json', '--since', since], { state });
    expect(['not-fixed', 'cannot-tell']).toContain((JSON.parse(run.stdout) as Verification).verdict);
    expect([1, 2]).toContain(run.status);
  }, 600_000);
});
