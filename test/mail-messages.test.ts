import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { culprit, examine, scratch, sql } from './culprit.js';

/** Hand-made logs, and what becomes of their lines: messages, attempts, recipients. */
type Files = Record<string, string>;

async function read(files: Files, args: string[] = []) {
  const base = scratch();
  for (const [name, content] of Object.entries(files)) {
    const path = join(base, 'logs', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const state = join(base, 'state');
  const report = await examine([join(base, 'logs')], { state, args });
  return { report, state, base };
}

interface Recipient {
  message: string;
  recipient: string;
  outcome: string;
  attempts: number;
  deferrals: number;
  put_offs: number;
  delay_s: number | null;
  mail_host: string | null;
}
const recipients = (state: string) =>
  sql<Recipient>(
    `SELECT message, recipient, outcome, attempts, deferrals, put_offs, delay_s, mail_host FROM recipients
     ORDER BY message, recipient, arrived_at`,
    { state },
  );
const messages = (state: string) =>
  sql<{
    message: string;
    sender: string;
    done: boolean;
    removed: boolean;
    frozen: boolean;
    arrived: boolean;
  }>(
    `SELECT message, sender, completed_at IS NOT NULL AS done, removed, frozen, arrived_at IS NOT NULL AS arrived
     FROM messages ORDER BY first_at, message`,
    { state },
  );

const A = '1rXyzA-000001-1A';
const B = '1rXyzB-000002-2B';
const HOST = 'H=mx.example.net [192.0.2.25]';
const arrival = (at: string, id: string, to = 'to@example.net') =>
  `${at} ${id} <= from@example.org H=pc [192.0.2.7] P=esmtp S=1234 id=x.${id}@example.org for ${to}\n`;
const taken = (at: string, id: string, to = 'to@example.net', host = HOST) =>
  `${at} ${id} => ${to} R=dnslookup T=remote_smtp ${host} C="250 OK"\n`;
const put = (
  at: string,
  id: string,
  to = 'to@example.net',
  why = 'defer (-44): SMTP error from remote mail server after RCPT TO:<to@example.net>: 451 4.7.1 later',
) => `${at} ${id} == ${to} R=dnslookup T=remote_smtp ${HOST} ${why}\n`;
const completed = (at: string, id: string) => `${at} ${id} Completed\n`;

describe('a message of Exim', () => {
  it('is put off, tried again and taken; a try that was not made is none', async () => {
    const { state } = await read({
      mainlog:
        arrival('2026-03-02 10:00:00', A) +
        put('2026-03-02 10:00:02', A) +
        `2026-03-02 10:05:00 ${A} == to@example.net R=dnslookup T=remote_smtp defer (-54): retry time not reached for any host for 'example.net'\n` +
        put('2026-03-02 10:15:00', A) +
        taken('2026-03-02 10:30:00', A) +
        completed('2026-03-02 10:30:00', A),
    });
    expect(await recipients(state)).toEqual([
      {
        message: A,
        recipient: 'to@example.net',
        outcome: 'delivered',
        attempts: 3,
        deferrals: 2,
        put_offs: 1,
        delay_s: 1800,
        mail_host: 'mx.example.net',
      },
    ]);
    expect(await sql(`SELECT attempt, outcome, made FROM attempts ORDER BY attempt`, { state })).toEqual([
      { attempt: 1, outcome: 'deferred', made: true },
      { attempt: 2, outcome: 'deferred', made: false },
      { attempt: 3, outcome: 'deferred', made: true },
      { attempt: 4, outcome: 'delivered', made: true },
    ]);
  });

  it('is another when its id comes again: after it was completed, and after a month of silence', async () => {
    const { state } = await read({
      mainlog:
        arrival('2024-03-02 10:00:00', A, 'one@example.net') +
        taken('2024-03-02 10:00:01', A, 'one@example.net') +
        completed('2024-03-02 10:00:01', A) +
        arrival('2024-03-02 11:00:00', B, 'lost@example.net') +
        arrival('2026-03-02 10:00:00', A, 'two@example.net') +
        taken('2026-03-02 10:00:03', A, 'two@example.net') +
        completed('2026-03-02 10:00:03', A) +
        arrival('2026-03-02 11:00:00', B, 'found@example.net') +
        taken('2026-03-02 11:00:05', B, 'found@example.net') +
        completed('2026-03-02 11:00:05', B),
    });
    expect((await messages(state)).map((m) => [m.message, m.done])).toEqual([
      [A, true],
      [B, false],
      [A, true],
      [B, true],
    ]);
    expect((await recipients(state)).map((r) => [r.recipient, r.outcome, r.delay_s])).toEqual([
      ['one@example.net', 'delivered', 1],
      ['two@example.net', 'delivered', 3],
      ['found@example.net', 'delivered', 5],
      ['lost@example.net', 'waiting', null],
    ]);
  });

  it('that a second host takes is one attempt, and the first host’s failure is told', async () => {
    const { state } = await read({
      mainlog:
        arrival('2026-03-02 10:00:00', A) +
        `2026-03-02 10:00:30 ${A} H=mx1.example.net [192.0.2.24] Connection timed out\n` +
        taken('2026-03-02 10:00:31', A, 'to@example.net', 'H=mx2.example.net [192.0.2.26]') +
        completed('2026-03-02 10:00:31', A),
    });
    expect(await recipients(state)).toMatchObject([
      { outcome: 'delivered', attempts: 1, deferrals: 0, mail_host: 'mx2.example.net', delay_s: 31 },
    ]);
    expect(await sql(`SELECT mail_host FROM mail_events WHERE kind = 12`, { state })).toEqual([
      { mail_host: 'mx1.example.net' },
    ]);
  });

  it('may have 5,000 recipients on one line', async () => {
    const to = Array.from({ length: 5000 }, (_, i) => `r${i}@example.net`);
    const { report, state } = await read({
      mainlog:
        arrival('2026-03-02 10:00:00', A, to.join(' ')) +
        to
          .map(
            (each, i) =>
              `2026-03-02 10:00:0${i % 10} ${A} ${i ? '->' : '=>'} ${each} R=dnslookup T=remote_smtp ${HOST} C="250 OK"\n`,
          )
          .join('') +
        completed('2026-03-02 10:00:09', A),
    });
    expect(report.sources[0]).toMatchObject({ unread: 0 });
    expect(
      await sql(
        `SELECT count(*) AS n, count(DISTINCT recipient) AS d FROM recipients WHERE outcome = 'delivered'`,
        { state },
      ),
    ).toEqual([{ n: 5000, d: 5000 }]);
  });

  it('fails, is frozen and thawed, or is removed by hand', async () => {
    const { state } = await read({
      mainlog:
        arrival('2026-03-02 10:00:00', A) +
        `2026-03-02 10:00:02 ${A} ** to@example.net R=dnslookup T=remote_smtp ${HOST}: SMTP error from remote mail server after RCPT TO:<to@example.net>: 550 5.1.1 User unknown\n` +
        `2026-03-02 10:00:02 1rXyzC-000003-3C <= <> R=${A} U=Debian-exim P=local S=2345\n` +
        completed('2026-03-02 10:00:02', A) +
        `2026-03-02 10:00:03 1rXyzC-000003-3C ** from@example.org: Unrouteable address\n` +
        `2026-03-02 10:00:03 1rXyzC-000003-3C Frozen (delivery error message)\n` +
        arrival('2026-03-02 11:00:00', B) +
        put('2026-03-02 11:00:01', B) +
        `2026-03-02 11:30:00 ${B} Unfrozen by errmsg timer\n` +
        `2026-03-02 12:00:00 ${B} removed by root\n` +
        completed('2026-03-02 12:00:00', B),
    });
    expect(await messages(state)).toMatchObject([
      { message: A, done: true, removed: false, frozen: false },
      { message: '1rXyzC-000003-3C', done: false, removed: false, frozen: true },
      { message: B, done: true, removed: true },
    ]);
    expect((await recipients(state)).map((r) => [r.message, r.outcome])).toEqual([
      [A, 'failed'],
      [B, 'removed'],
      ['1rXyzC-000003-3C', 'failed'],
    ]);
  });

  it('is one across rotated files, in whatever order they come', async () => {
    const first = arrival('2026-03-02 23:59:50', A) + put('2026-03-02 23:59:52', A);
    const second = put('2026-03-03 00:15:00', A);
    const third = taken('2026-03-03 10:00:00', A) + completed('2026-03-03 10:00:00', A);
    for (const files of [
      { 'mainlog.2': first, 'mainlog.1': second, mainlog: third },
      { 'c/mainlog': first, 'b/mainlog': second, 'a/mainlog': third },
    ]) {
      const { state } = await read(files);
      expect(await messages(state)).toHaveLength(1);
      expect(await recipients(state)).toMatchObject([
        { outcome: 'delivered', attempts: 3, deferrals: 2, delay_s: 36_010 },
      ]);
    }
  });

  it('of one machine is not that of another, though their ids are alike', async () => {
    const base = scratch();
    const state = join(base, 'state');
    const one =
      arrival('2026-03-02 10:00:00', A, 'a@example.net') + taken('2026-03-02 10:00:01', A, 'a@example.net');
    const two =
      arrival('2026-03-02 10:00:00', A, 'b@example.net') + put('2026-03-02 10:00:01', A, 'b@example.net');
    const kept = ['--case', join(base, 'two.duckdb')];
    writeFileSync(join(base, 'one'), one);
    writeFileSync(join(base, 'two'), two);
    await examine([join(base, 'one')], { state, args: [...kept, '--host', 'mx1'] });
    const report = await examine([join(base, 'two')], { state, args: [...kept, '--add', '--host', 'mx2'] });
    expect(report.hosts.toSorted()).toEqual(['mx1', 'mx2']);
    const query = `SELECT host, message, recipient, outcome FROM messages JOIN recipients r USING (message_no, message) ORDER BY host`;
    const run = await culprit(['sql', '--json', query, ...kept], { state });
    expect(JSON.parse(run.stdout)).toEqual([
      { host: 'mx1', message: A, recipient: 'a@example.net', outcome: 'delivered' },
      { host: 'mx2', message: A, recipient: 'b@example.net', outcome: 'waiting' },
    ]);
  });

  it('without its beginning has no delay; without its end it waits', async () => {
    const { state } = await read({
      mainlog:
        put('2026-03-02 09:00:00', A) +
        taken('2026-03-02 10:00:00', A) +
        completed('2026-03-02 10:00:00', A) +
        arrival('2026-03-02 11:00:00', B) +
        put('2026-03-02 11:00:01', B),
    });
    expect(await recipients(state)).toMatchObject([
      { message: A, outcome: 'delivered', delay_s: null },
      { message: B, outcome: 'waiting', delay_s: null },
    ]);
  });
});

describe('a message of Postfix', () => {
  const pre = (at: string, program: string) => `${at} mx1 postfix/${program}[77]:`;
  it('is put off, put off without a try, and taken; a short queue id comes again', async () => {
    const life = (day: string, id: string, to: string) =>
      `${pre(`Mar  ${day} 10:00:00`, 'smtpd')} ${id}: client=pc.example.org[192.0.2.7]\n` +
      `${pre(`Mar  ${day} 10:00:00`, 'cleanup')} ${id}: message-id=<${day}.x@example.org>\n` +
      `${pre(`Mar  ${day} 10:00:00`, 'qmgr')} ${id}: from=<from@example.org>, size=1234, nrcpt=1 (queue active)\n` +
      `${pre(`Mar  ${day} 10:00:02`, 'smtp')} ${id}: to=<${to}>, relay=mx.example.net[192.0.2.25]:25, delay=2, delays=0.1/0/1/0.9, dsn=4.7.1, status=deferred (host mx.example.net[192.0.2.25] said: 451 4.7.1 later (in reply to RCPT TO command))\n` +
      `${pre(`Mar  ${day} 10:05:00`, 'error')} ${id}: to=<${to}>, relay=none, delay=300, delays=300/0/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.example.net[192.0.2.25]:25: Connection refused)\n` +
      `${pre(`Mar  ${day} 10:10:00`, 'smtp')} ${id}: to=<${to}>, relay=mx.example.net[192.0.2.25]:25, delay=600, delays=599/0/0.5/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 1)\n` +
      `${pre(`Mar  ${day} 10:10:00`, 'qmgr')} ${id}: removed\n`;
    const { state } = await read({
      'mail.log': life('2', '5A1B2C3D4E', 'one@example.net') + life('3', '5A1B2C3D4E', 'two@example.net'),
    });
    expect(await recipients(state)).toMatchObject([
      {
        recipient: 'one@example.net',
        outcome: 'delivered',
        attempts: 2,
        deferrals: 1,
        put_offs: 1,
        delay_s: 600,
      },
      {
        recipient: 'two@example.net',
        outcome: 'delivered',
        attempts: 2,
        deferrals: 1,
        put_offs: 1,
        delay_s: 600,
      },
    ]);
    expect(await messages(state)).toHaveLength(2);
  });
});

describe('hostile evidence of mail', () => {
  const ESC = '\u001b]0;owned\u0007\u001b[31m';
  it('reaches the terminal without a control character, and is not lost', async () => {
    const evil = (n: number) => `evil${n}${ESC}@b\u0080d.example`;
    let mainlog = '';
    for (let i = 0; i < 12; i++) {
      const id = `1rXyz${String.fromCharCode(65 + i)}-000001-1A`;
      const minute = String(i + 10);
      mainlog +=
        arrival(`2026-03-02 10:${minute}:00`, id, evil(i)) +
        `2026-03-02 10:${minute}:02 ${id} == ${evil(i)} R=dnslookup T=remote_smtp H=mx.bad.example [192.0.2.66] defer (-44): SMTP error from remote mail server after MAIL FROM:<x>: 421 4.7.0 [TS01] ${ESC} caf\u00e9 temporarily deferred due to user complaints\n`;
    }
    const { report, state } = await read({ mainlog });
    expect(report.sources.reduce((n, s) => n + s.records + s.unread, 0)).toBe(24);
    expect(report.findings).toHaveLength(1);
    for (const args of [
      ['show', '1'],
      ['show', '1', '--json'],
      ['sql', 'SELECT * FROM recipients'],
      ['top'],
    ]) {
      const { stdout, stderr } = await culprit(args, { state });
      expect(stdout + stderr, args.join(' ')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }
  });

  it('counts every line as read or as unread', async () => {
    const good = Array.from({ length: 20 }, (_, n) => arrival(`2026-03-02 10:00:${n + 10}`, A)).join('');
    const odd = [
      '\0\0\0\0',
      'Mar  2 10:00:00 mx1 sshd[1]: Accepted publickey for root',
      'no log line at all',
      'x'.repeat(100_000),
      `2026-03-02 10:00:05 ${A} => half@exa`,
      `2026-13-45 99:00:00 ${A} Completed`,
      arrival('2026-03-02 10:00:00', B).slice(0, 60),
    ];
    const { report } = await read({ mainlog: good + odd.join('\n') });
    const [source] = report.sources;
    expect(source!.records + source!.unread).toBe(good.split('\n').length - 1 + odd.length);
    expect(source!.unread).toBeGreaterThanOrEqual(5);
  });
});
