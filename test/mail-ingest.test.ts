import { appendFileSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { culprit, examine, scratch, sql } from './culprit.js';

const BEGIN = Date.UTC(2026, 2, 2) / 1000;
const stamp = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
const two = (n: number) => String(n % 36 ** 4).padStart(6, '0');

/** Three lines of Exim: a message to two recipients, sizes all different. */
function mail(n: number): string {
  const id = `1rXy${String(Math.floor(n / 1000)).padStart(2, '0')}-${two(n)}-${String(n % 100).padStart(2, '0')}`;
  const at = BEGIN + n * 5;
  return (
    `${stamp(at)} ${id} <= from@example.org H=pc [192.0.2.7] P=esmtp S=${1000 + n}\n` +
    `${stamp(at + 1)} ${id} => to${n}@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.25]\n` +
    `${stamp(at + 2)} ${id} Completed\n`
  );
}
const mails = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => mail(from + i)).join('');

/** Every message once, each delivered to its own recipient, nothing twice. */
async function expectMails(count: number, state: string): Promise<void> {
  const [is] = await sql(
    `SELECT (SELECT count(*) FROM mail_facts) AS events, (SELECT count(*) FROM messages) AS messages,
            (SELECT count(DISTINCT message) FROM messages) AS ids, (SELECT sum(bytes) FROM messages) AS bytes,
            (SELECT count(*) FROM messages WHERE completed_at IS NOT NULL) AS completed,
            (SELECT count(*) FROM recipients WHERE outcome = 'delivered' AND attempts = 1) AS delivered,
            (SELECT count(*) FROM mail_events) AS readable`,
    { state },
  );
  const bytes = Array.from({ length: count }, (_, n) => 1000 + n).reduce((a, b) => a + b, 0);
  expect(is).toEqual({
    events: count * 3,
    messages: count,
    ids: count,
    bytes,
    completed: count,
    delivered: count,
    readable: count * 3,
  });
}

describe('a mail log is read once and whole', () => {
  it('through rotation between runs', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const log = join(logs, 'mainlog');
    writeFileSync(log, mails(0, 1000));
    await examine([logs], { state });
    await expectMails(1000, state);
    renameSync(log, `${log}.1`);
    writeFileSync(log, mails(1000, 1200));
    await examine([logs], { state });
    await expectMails(1200, state);
    writeFileSync(`${log}.2.gz`, gzipSync(mails(0, 1000)));
    renameSync(log, `${log}.1`);
    writeFileSync(log, mails(1200, 1300));
    await examine([logs], { state });
    await expectMails(1300, state);
  });

  it('while it grows, its last line half written', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'mainlog');
    writeFileSync(log, '');
    const whole = mails(0, 400);
    let written = 0;
    for (const part of [0.3, 0.31, 0.7, 1]) {
      const end = Math.floor(whole.length * part) - (part < 1 ? 7 : 0);
      appendFileSync(log, whole.slice(written, end));
      written = end;
      const report = await examine([log], { state });
      const lines = whole.slice(0, end).split('\n').length - (whole[end - 1] === '\n' ? 1 : 0);
      expect(report.sources[0]!.records + report.sources[0]!.unread).toBe(lines);
    }
    await expectMails(400, state);
  });

  it('though it is killed at any moment', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const COUNT = 60_000;
    writeFileSync(join(logs, 'mainlog.2.gz'), gzipSync(mails(0, 20_000), { level: 1 }));
    writeFileSync(join(logs, 'mainlog.1'), mails(20_000, 45_000));
    writeFileSync(join(logs, 'mainlog'), mails(45_000, COUNT));
    let killed = 0;
    let took = 4000;
    for (let i = 0; i < 8; i++) {
      const begun = Date.now();
      const run = await culprit([logs], { state, killAfter: 100 + Math.random() * took });
      if (run.signal === 'SIGKILL') killed++;
      else took = Math.max(500, (Date.now() - begun) * 0.9);
    }
    expect(killed).toBeGreaterThan(1);
    await examine([logs], { state });
    await expectMails(COUNT, state);
  }, 300_000);

  it('though it was killed before its case had a table', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const path = join(folder, 'empty.duckdb');
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(path);
    (await instance.connect()).closeSync();
    instance.closeSync();
    const top = await culprit(['sql', '--case', path, 'SELECT 1'], { state });
    expect(top.stderr).toContain('there is no case yet');
    const log = join(folder, 'mainlog');
    writeFileSync(log, mails(0, 3));
    const report = await examine([log], { state, args: ['--case', path] });
    expect(report.sources[0]).toMatchObject({ records: 9, unread: 0 });
  });

  it('with the line ends of another system', async () => {
    const folder = scratch();
    const state = join(folder, 'state');
    const log = join(folder, 'mainlog');
    writeFileSync(log, mails(0, 200).replaceAll('\n', '\r\n'));
    const report = await examine([log], { state });
    expect(report.sources[0]).toMatchObject({ records: 600, unread: 0 });
    await expectMails(200, state);
  });
});

describe('a log without years', () => {
  const life = (stampOf: (seconds: number) => string, at: number, id: string) =>
    [
      [0, 'smtpd', 'client=pc.example.org[192.0.2.7]'],
      [0, 'cleanup', `message-id=<${id}@example.org>`],
      [0, 'qmgr', 'from=<a@example.org>, size=1234, nrcpt=1 (queue active)'],
      [
        2,
        'smtp',
        'to=<b@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=2, delays=1/0/0.5/0.5, dsn=2.0.0, status=sent (250 OK)',
      ],
      [2, 'qmgr', 'removed'],
    ]
      .map(
        ([after, program, text]) =>
          `${stampOf(at + Number(after))} mx1 postfix/${program}[9]: ${id}: ${text}\n`,
      )
      .join('');
  const rfc3164 = (seconds: number) => {
    const d = new Date(seconds * 1000);
    const month = d.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' }).slice(0, 3);
    return `${month} ${String(d.getUTCDate()).padStart(2)} ${d.toISOString().slice(11, 19)}`;
  };
  const NEW_YEAR = Date.UTC(2026, 0, 1) / 1000;
  const span = async (logs: string, state: string) => {
    await examine([logs], { state });
    return sql<{ first: string; last: string; n: number; longest: number }>(
      `SELECT strftime(min(first_at), '%Y-%m-%d') AS first, strftime(max(last_at), '%Y-%m-%d') AS last, count(*) AS n,
              max(epoch(completed_at) - epoch(arrived_at)) AS longest FROM messages`,
      { state },
    );
  };

  it('runs over New Year, in one file and in parts', async () => {
    for (const parts of [1, 3]) {
      const folder = scratch();
      const logs = join(folder, 'logs');
      mkdirSync(logs);
      const all = Array.from({ length: 60 }, (_, n) =>
        life(rfc3164, NEW_YEAR + (n - 30) * 43_200, `${n}ABCDEF`),
      );
      for (let p = 0; p < parts; p++) {
        const path = join(logs, p === parts - 1 ? 'mail.log' : `mail.log.${parts - 1 - p}`);
        writeFileSync(path, all.slice((p * 60) / parts, ((p + 1) * 60) / parts).join(''));
        const last = NEW_YEAR + (((p + 1) * 60) / parts - 30) * 43_200;
        utimesSync(path, last, last);
      }
      expect(await span(logs, join(folder, 'state'))).toEqual([
        { first: '2025-12-17', last: '2026-01-15', n: 60, longest: 2 },
      ]);
    }
  });

  it('that was copied years later takes its year from its neighbour’s, or from the copy, but never from the future', async () => {
    const folder = scratch();
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    writeFileSync(join(logs, 'mail.log'), life(rfc3164, NEW_YEAR - 86_400, '1ABCDEF').repeat(1));
    const now = Date.now() / 1000;
    utimesSync(join(logs, 'mail.log'), now, now);
    const [is] = await span(logs, join(folder, 'state'));
    expect(Date.parse(is!.last)).toBeLessThanOrEqual(Date.now());
    expect(is).toMatchObject({ n: 1, longest: 2 });
  });
});
