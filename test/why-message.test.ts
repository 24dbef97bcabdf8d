import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DaemonName, generate, type Options } from '../lab/mail/generate.js';
import { whyNoWorld } from '../lab/mail/world.js';
import type { LifeRecipient, MessageLife } from '../src/findings/message-life.js';
import { Case } from '../src/store/case.js';
import { culprit, examine, type Run, scratch } from './culprit.js';
import { expectAccounted, expectTrue, livesIn } from './lives.js';

const folder = scratch();
const state = join(folder, 'state');

/** A case of these files. */
async function caseOf(name: string, files: Record<string, string>): Promise<string> {
  const evidence = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    const file = join(evidence, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
  }
  const path = join(folder, `${name}.duckdb`);
  await examine([evidence], { state, args: ['--case', path] });
  return path;
}

const why = (path: string, ...args: string[]): Promise<Run> =>
  culprit(['why', 'message', ...args, '--case', path], { state });
type Answer = MessageLife & { version: number; case: string; earlier: MessageLife[] };
async function told(path: string, ...args: string[]): Promise<Answer> {
  const run = await why(path, ...args, '--json');
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  const life = JSON.parse(run.stdout) as Answer;
  expectAccounted(life);
  return life;
}
const short = (r: LifeRecipient | undefined) => r?.parts.map((p) => `${p.kind} ${p.seconds}`);

const GREYLISTED =
  'SMTP error from remote mail server after RCPT TO:<kate@school.example>: 450 4.2.0 <kate@school.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/school.example.html';

/** Debian's log_selector; the second half is in the file that was rotated in. */
const EXIM_OLD = `2022-04-11 10:00:00 1njbGQ-005LxL-M5 <= bob@sender.example H=(pc) [192.0.2.9] P=esmtp S=2376 id=one@sender.example
2022-04-11 10:00:02 1njbGQ-005LxL-M5 H=mx.school.example [192.0.2.50]: ${GREYLISTED}
2022-04-11 10:00:02 1njbGQ-005LxL-M5 == kate@school.example R=dnslookup T=remote_smtp defer (-44) H=mx.school.example [192.0.2.50]: ${GREYLISTED}
2022-04-11 10:10:00 Start queue run: pid=100
2022-04-11 10:10:01 1njbGQ-005LxL-M5 == kate@school.example routing defer (-52): retry time not reached
2022-04-11 10:10:01 End queue run: pid=100
`;
const EXIM = `2022-04-11 10:40:00 Start queue run: pid=200
2022-04-11 10:40:05 1njbGQ-005LxL-M5 => kate@school.example R=dnslookup T=remote_smtp H=mx.school.example [192.0.2.50] C="250 2.0.0 Ok: queued as 0123456789"
2022-04-11 10:40:05 1njbGQ-005LxL-M5 Completed
2022-04-11 10:40:05 End queue run: pid=200
`;
/** With QT, DT, RT, milliseconds, the pid. */
const EXIM_FULL = `2022-04-11 10:00:00.500 [11] 1njbGQ-005LxL-M5 <= bob@sender.example H=(pc) [192.0.2.9]:4711 P=esmtp S=2376 RT=0.250s id=one@sender.example for kate@school.example
2022-04-11 10:00:01.500 [12] 1njbGQ-005LxL-M5 == kate@school.example R=dnslookup T=remote_smtp defer (-44) H=mx.school.example [192.0.2.50]:25 DT=0.750s: ${GREYLISTED}
2022-04-11 10:40:00.000 [200] Start queue run: pid=200
2022-04-11 10:40:05.000 [201] 1njbGQ-005LxL-M5 => kate@school.example R=dnslookup T=remote_smtp H=mx.school.example [192.0.2.50]:25 C="250 ok" QT=40m5s DT=1.500s
2022-04-11 10:40:05.000 [201] 1njbGQ-005LxL-M5 Completed QT=40m5s
2022-04-11 10:40:05.001 [200] End queue run: pid=200
`;

const POSTFIX = `2022-04-11T10:00:00.000000+02:00 mx1 postfix/smtpd[1]: 4KcQ5Y3ZbVz9sWx: client=pc.sender.example[192.0.2.9]
2022-04-11T10:00:00.100000+02:00 mx1 postfix/cleanup[2]: 4KcQ5Y3ZbVz9sWx: message-id=<two@sender.example>
2022-04-11T10:00:00.200000+02:00 mx1 postfix/qmgr[3]: 4KcQ5Y3ZbVz9sWx: from=<bob@sender.example>, size=1021, nrcpt=1 (queue active)
2022-04-11T10:00:01.200000+02:00 mx1 postfix/smtp[4]: 4KcQ5Y3ZbVz9sWx: to=<kate@school.example>, relay=mx.school.example[192.0.2.50]:25, delay=1.2, delays=0.2/0.1/0.6/0.3, dsn=4.2.0, status=deferred (host mx.school.example[192.0.2.50] said: 450 4.2.0 <kate@school.example>: Recipient address rejected: Greylisted (in reply to RCPT TO command))
2022-04-11T10:05:01.200000+02:00 mx1 postfix/qmgr[3]: 4KcQ5Y3ZbVz9sWx: from=<bob@sender.example>, size=1021, nrcpt=1 (queue active)
2022-04-11T10:05:01.700000+02:00 mx1 postfix/smtp[4]: 4KcQ5Y3ZbVz9sWx: to=<kate@school.example>, relay=mx.school.example[192.0.2.50]:25, delay=302, delays=301/0.1/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 0C6BE4AF00)
2022-04-11T10:05:01.700000+02:00 mx1 postfix/qmgr[3]: 4KcQ5Y3ZbVz9sWx: removed
2022-04-11T11:00:00.000000+02:00 mx1 postfix/pickup[5]: 5AB0C1D2E: uid=0 from=<root>
2022-04-11T11:00:00.000000+02:00 mx1 postfix/cleanup[2]: 5AB0C1D2E: message-id=<three@mx1>
2022-04-11T11:00:00.000000+02:00 mx1 postfix/qmgr[3]: 5AB0C1D2E: from=<root@mx1>, size=300, nrcpt=1 (queue active)
2022-04-11T11:00:01.000000+02:00 mx1 postfix/smtp[4]: 5AB0C1D2E: to=<ann@firm.example>, relay=mx.firm.example[192.0.2.60]:25, delay=1, delays=0/0/0.5/0.5, dsn=5.1.1, status=bounced (host mx.firm.example[192.0.2.60] said: 550 5.1.1 <ann@firm.example>: User unknown (in reply to RCPT TO command))
2022-04-11T11:00:01.100000+02:00 mx1 postfix/bounce[6]: 5AB0C1D2E: sender non-delivery notification: 6BC1D2E3F
2022-04-11T11:00:01.100000+02:00 mx1 postfix/cleanup[2]: 6BC1D2E3F: message-id=<four@mx1>
2022-04-11T11:00:01.200000+02:00 mx1 postfix/qmgr[3]: 6BC1D2E3F: from=<>, size=2000, nrcpt=1 (queue active)
2022-04-11T11:00:01.300000+02:00 mx1 postfix/qmgr[3]: 5AB0C1D2E: removed
2022-04-11T11:00:01.400000+02:00 mx1 postfix/local[7]: 6BC1D2E3F: to=<root@mx1>, relay=local, delay=0.3, delays=0.1/0/0/0.2, dsn=2.0.0, status=sent (delivered to mailbox)
2022-04-11T11:00:01.400000+02:00 mx1 postfix/qmgr[3]: 6BC1D2E3F: removed
`;

describe('why message on an Exim log', () => {
  let path: string;
  beforeAll(async () => {
    path = await caseOf('exim', { 'mainlog.1': EXIM_OLD, mainlog: EXIM });
  });

  it('tells the life across files, each second accounted for', async () => {
    const life = await told(path, '1njbGQ-005LxL-M5');
    expect(life).toMatchObject({
      version: 1,
      case: path,
      message: '1njbGQ-005LxL-M5',
      program: 'exim',
      sender: 'bob@sender.example',
      bytes: 2376,
      begins: 'logged',
      ends: 'completed',
      arrivedAt: '2022-04-11T10:00:00',
      endedAt: '2022-04-11T10:40:05',
      earlier: [],
    });
    const [kate] = life.recipients;
    expect(kate).toMatchObject({ address: 'kate@school.example', outcome: 'delivered', totalS: 2405 });
    expect(short(kate)).toEqual(['trying 2', 'retry 2398', 'trying 5']);
    expect(kate!.parts[1]).toMatchObject({
      says: 'waiting for our own retry time after greylisting at mx.school.example [192.0.2.50] until a queue run began; once it was too early',
      from: { path: expect.stringMatching(/mainlog\.1$/) as string, line: 3 },
    });
    expect(kate!.attempts.map((a) => [a.outcome, a.made, a.class])).toEqual([
      ['deferred', true, 'greylisting'],
      ['deferred', false, 'local'],
      ['delivered', true, null],
    ]);
    expect(life.events.map((e) => e.kind)).toEqual([
      'arrival',
      'host-error',
      'deferred',
      'waiting',
      'delivered',
      'completed',
    ]);
    expect(life.events[3]!.gapS).toBe(599);
    expect(life.events[2]!.meaning).toContain('greylists');
    expect(life.advice).toHaveLength(1);
    expect(life.advice[0]).toContain('+deliver_time +queue_time +receive_time +millisec');
  });

  it('says it in words, with the places', async () => {
    const { stdout, status } = await why(path, '1njbGQ-005LxL-M5');
    expect(status).toBe(0);
    for (const part of [
      '1njbGQ-005LxL-M5  delivered after 40 min 5 s',
      'from bob@sender.example',
      'our own retry time',
      'mainlog.1:3',
      'mainlog:2',
      'at RCPT TO',
      'Greylisted',
      '+deliver_time',
    ])
      expect(stdout).toContain(part);
    expect(stdout.match(/The receiver greylists/g)).toHaveLength(1);
  });

  it('finds it by Message-ID, recipient, sender and time', async () => {
    for (const args of [
      ['one@sender.example'],
      ['--to', 'KATE@'],
      ['--from', 'sender.EXAMPLE', '--since', '2022-04-11 10:00', '--until', '2022-04-11 10:01'],
    ])
      expect((await told(path, ...args)).message).toBe('1njbGQ-005LxL-M5');
    const none = await why(path, '--to', 'nobody@');
    expect(none).toMatchObject({ status: 2, stdout: '' });
    expect(none.stderr).toContain('no such message');
    expect((await why(path, '--since', '2022-04-11 10:01')).status).toBe(2);
    expect((await why(path)).stderr).toContain('which message?');
    expect((await why(path, '--since', 'noon')).stderr).toContain('YYYY-MM-DD');
  });

  it('splits tries to the millisecond where QT, DT and RT are logged', async () => {
    const life = await told(await caseOf('full', { mainlog: EXIM_FULL }), '1njbGQ-005LxL-M5');
    expect(life.beganAt).toBe('2022-04-11T10:00:00.250');
    expect(short(life.recipients[0])).toEqual([
      'receiving 0.25',
      'queued 0.25',
      'trying 0.75',
      'retry 2398.5',
      'turn 3.5',
      'trying 1.5',
    ]);
    expect(life.advice).toEqual([]);
  });

  it('does not call fast what began before the logs, and takes its age where a line tells it', async () => {
    const rest = EXIM_FULL.split('\n').slice(2).join('\n');
    const aged = await told(await caseOf('aged', { mainlog: rest }), '1njbGQ-005LxL-M5');
    expect(aged).toMatchObject({ begins: 'told', beganAt: '2022-04-11T10:00:00', sender: null });
    expect(aged.recipients[0]).toMatchObject({ totalS: 2405 });
    const path = await caseOf('late', { mainlog: EXIM });
    const late = await told(path, '1njbGQ-005LxL-M5');
    expect(late).toMatchObject({ begins: 'before-logs' });
    expect(late.recipients[0]).toMatchObject({ totalS: 0 });
    const { stdout } = await why(path, '1njbGQ-005LxL-M5');
    expect(stdout).toContain('at least');
    expect(stdout).toContain('beginning lies before the logs');
  });

  it('does not call lost what waits when the logs end, nor its wait short', async () => {
    const open = `${EXIM_OLD}2022-04-11 12:00:02 Start queue run: pid=300\n`;
    const path = await caseOf('open', { mainlog: open });
    const life = await told(path, '1njbGQ-005LxL-M5');
    expect(life).toMatchObject({ ends: 'open', endedAt: '2022-04-11T12:00:02' });
    expect(life.recipients[0]).toMatchObject({ outcome: 'waiting', totalS: 7202 });
    expect(short(life.recipients[0])).toEqual(['trying 2', 'retry 7200']);
    expect((await why(path, '1njbGQ-005LxL-M5')).stdout).toContain('waiting still for 2 h');
  });

  it('tells every use of an id, the newest first, or the one that is asked for', async () => {
    const again = EXIM_FULL.replaceAll('2022-04-11', '2022-06-20').replaceAll('bob@', 'eve@');
    const path = await caseOf('again', { mainlog: EXIM_FULL + again });
    const life = await told(path, '1njbGQ-005LxL-M5');
    expect([life, ...life.earlier].map((l) => [l.sender, l.arrivedAt.slice(0, 10), l.events.length])).toEqual(
      [
        ['eve@sender.example', '2022-06-20', 4],
        ['bob@sender.example', '2022-04-11', 4],
      ],
    );
    for (const earlier of life.earlier) expectAccounted(earlier);
    expect((await why(path, '1njbGQ-005LxL-M5')).stdout).toContain('used 2 times');
    expect(await told(path, '1njbGQ-005LxL-M5', '--until', '2022-05-01')).toMatchObject({
      sender: 'bob@sender.example',
      earlier: [],
    });
    const several = await why(path, '--to', 'kate@', '--json');
    expect(several.status).toBe(2);
    expect(JSON.parse(several.stdout)).toMatchObject({ version: 1, total: 2, matches: [{}, {}] });
    expect(several.stderr).toContain('2 messages fit');
  });

  it('tells frozen time and what came of it', async () => {
    const log = `2022-04-11 10:00:00 1njbGQ-005LxL-M5 <= <> R=1njbGP-005LxL-M4 U=mail P=local S=900
2022-04-11 10:00:01 1njbGQ-005LxL-M5 ** old@gone.example R=dnslookup T=remote_smtp H=mx.gone.example [192.0.2.70]: SMTP error from remote mail server after RCPT TO:<old@gone.example>: 550 5.1.1 User unknown
2022-04-11 10:00:01 1njbGQ-005LxL-M5 == new@gone.example R=dnslookup T=remote_smtp defer (111): Connection refused
2022-04-11 10:00:01 1njbGQ-005LxL-M5 Frozen (delivery error message)
2022-04-11 11:00:01 1njbGQ-005LxL-M5 Message is frozen
2022-04-11 12:00:01 1njbGQ-005LxL-M5 removed by root
`;
    const life = await told(await caseOf('frozen', { mainlog: log }), '1njbGQ-005LxL-M5');
    expect(life).toMatchObject({ ends: 'removed', sender: '<>', parents: ['1njbGP-005LxL-M4'] });
    expect(life.recipients.map((r) => [r.address, r.outcome, r.totalS])).toEqual([
      ['new@gone.example', 'removed', 7201],
      ['old@gone.example', 'failed', 1],
    ]);
    expect(short(life.recipients[0])).toEqual(['trying 1', 'frozen 7200']);
  });
});

describe('why message on a Postfix log', () => {
  let path: string;
  beforeAll(async () => {
    path = await caseOf('postfix', { 'mail.log': POSTFIX });
  });

  it('splits by the active queue and delays=', async () => {
    const life = await told(path, '4KcQ5Y3ZbVz9sWx');
    expect(life).toMatchObject({
      sender: 'bob@sender.example',
      arrivedAt: '2022-04-11T10:00:00+02:00',
      client: { host: 'pc.sender.example', ip: '192.0.2.9' },
      advice: [],
    });
    expect(short(life.recipients[0])).toEqual([
      'incoming 0.2',
      'active 0.1',
      'connecting 0.6',
      'transmission 0.3',
      'retry 300',
      'active 0.1',
      'connecting 0.2',
      'transmission 0.2',
    ]);
    expect(life.recipients[0]!.totalS).toBe(301.7);
  });

  it('ties a bounce to its message', async () => {
    expect(await told(path, '5AB0C1D2E')).toMatchObject({ children: ['6BC1D2E3F'], parents: [] });
    const bounce = await told(path, '6BC1D2E3F');
    expect(bounce).toMatchObject({ parents: ['5AB0C1D2E'], children: [], sender: '<>' });
    expect((await why(path, '6BC1D2E3F')).stdout).toContain('5AB0C1D2E');
  });

  it('compares --since with the wall time of the log', async () => {
    expect((await told(path, '--from', 'bob', '--since', '2022-04-11 10:00')).message).toBe(
      '4KcQ5Y3ZbVz9sWx',
    );
    expect((await why(path, '--from', 'bob', '--until', '2022-04-11 09:59')).status).toBe(2);
  });

  it('lists several that fit, newest last', async () => {
    const run = await why(path, '--since', '2022-04-11');
    expect(run.status).toBe(2);
    const ids = run.stdout
      .split('\n')
      .slice(1)
      .map((line) => line.split(' ')[0]);
    expect(ids.filter((id) => id)).toEqual(['4KcQ5Y3ZbVz9sWx', '5AB0C1D2E', '6BC1D2E3F']);
    expect(run.stderr).toContain('3 messages fit');
  });
});

describe('why message on much and on hostile mail', () => {
  it('puts 300 recipients together by how they went, and has each in JSON', async () => {
    const to = Array.from(
      { length: 300 },
      (_, i) => `user${i}@${i % 3 === 0 ? 'gmail.com' : 'firm.example'}`,
    );
    const host = (address: string) =>
      address.endsWith('gmail.com')
        ? 'H=gmail-smtp-in.l.google.com [192.0.2.26]'
        : 'H=mx.firm.example [192.0.2.60]';
    const log = [
      `2022-04-11 10:00:00 1njbGQ-005LxL-M5 <= news@sender.example U=news P=local S=50000 for ${to.join(' ')}`,
      ...to.map(
        (a) =>
          `2022-04-11 10:00:0${a.endsWith('gmail.com') ? 2 : 5} 1njbGQ-005LxL-M5 => ${a} R=dnslookup T=remote_smtp ${host(a)} C="250 ok"`,
      ),
      '2022-04-11 10:00:05 1njbGQ-005LxL-M5 Completed\n',
    ].join('\n');
    const path = await caseOf('many', { mainlog: log });
    const life = await told(path, '1njbGQ-005LxL-M5');
    expect(life.recipients).toHaveLength(300);
    expect(life.recipientCount).toBe(300);
    const { stdout } = await why(path, '1njbGQ-005LxL-M5');
    expect(stdout).toContain('200 recipients at firm.example');
    expect(stdout).toMatch(/100 recipients at G\w+/);
    expect(stdout.split('\n').length).toBeLessThan(1300);
  });

  it('lets nothing of a log reach the terminal raw', async () => {
    const evil = '\x1b]0;pwned\x07\u202e';
    const log = `2022-04-11 10:00:00 1njbGQ-005LxL-M5 <= "${evil}"@sender.example H=(${evil}) [192.0.2.9] P=esmtp S=1 id=${evil}
2022-04-11 10:00:01 1njbGQ-005LxL-M5 == "${evil}"@x.example R=r T=t defer (-44) H=${evil} [192.0.2.50]: SMTP error from remote mail server after RCPT TO:<a@b>: 450 ${evil}
2022-04-11 10:00:02 1njbGQ-005LxL-M5 ${evil} says anything
`;
    const path = await caseOf('hostile', { mainlog: log });
    for (const args of [
      ['1njbGQ-005LxL-M5'],
      ['--to', 'x.example'],
      ['1njbGQ-005LxL-M5', '--json'],
      [`${evil}'; drop table sources; --`],
    ]) {
      const run = await why(path, ...args);
      expect(run.stdout + run.stderr).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    }
    const store = await Case.open(path, { readOnly: true });
    expect((await store.rows('SELECT * FROM sources')).length).toBe(1);
    store.close();
  });

  it('says where there is no mail log, and no case', async () => {
    const path = await caseOf('web', {
      'access.log': '192.0.2.1 - - [11/Apr/2022:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x"\n',
    });
    expect((await why(path, 'x')).stderr).toContain('holds no mail log');
    expect((await why(join(folder, 'no.duckdb'), 'x')).status).toBe(2);
  });
});

const noWorld = whyNoWorld();
if (noWorld) console.warn(`The mail lab cannot run here, and its tests are skipped: ${noWorld}`);

describe.skipIf(noWorld)(
  `lives held against the truth of a laboratory${noWorld ? ` (${noWorld})` : ''}`,
  () => {
    const mailing = { messages: 30, seconds: 8 };
    // One with a log that splits tries and one that does not; a receiver that refuses, and ourselves.
    const runs: (Options & { daemon: DaemonName })[] = [
      { scenario: 'greylist', daemon: 'exim', seed: 2, mailing },
      { scenario: 'one-address-dead', daemon: 'exim', seed: 1, mailing },
      { scenario: 'provider-deferral', daemon: 'postfix', seed: 1, mailing },
    ];

    it.each(runs)('$scenario with $daemon', async (options) => {
      const { truth, files } = await generate(options);
      const name = `lab-${options.scenario}-${options.daemon}`;
      const path = await caseOf(
        name,
        Object.fromEntries([...files].map(([n, content]) => [n, String(content)])),
      );
      const lives = await livesIn(path);
      for (const life of lives) expectAccounted(life);
      const held = expectTrue(lives, truth);
      expect(held.recipients).toBe(truth.deliveries.length);
      expect(held.tries).toBeGreaterThanOrEqual(truth.observed.accepted);
    });
  },
);
