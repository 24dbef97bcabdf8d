import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dice } from '../lab/dice.js';
import type { Report } from '../src/findings/finding.js';
import { examine, scratch } from './culprit.js';
import { type Answer, letters, type PaperOptions, paperLog } from './paper-exim.js';

const DAY = 86_400;
const BEGIN = Date.UTC(2026, 2, 2) / 1000;
const WEEKS = [BEGIN, BEGIN + 14 * DAY] as const;
const END = WEEKS[1];

const BIG = ['gmail.com', 'yahoo.co.uk', 'hotmail.com', 'btinternet.com', 'icloud.com'];
const MX: Record<string, string> = {
  'gmail.com': 'gmail-smtp-in.l.google.com',
  'yahoo.co.uk': 'mx-eu.mail.am0.yahoodns.net',
  'hotmail.com': 'hotmail-com.olc.protection.outlook.com',
  'btinternet.com': 'mx.bt.lon5.cpcloud.co.uk',
  'icloud.com': 'mx01.mail.icloud.com',
};
const domainOf = (to: string) => to.split('@')[1]!;
const hostOf = (to: string) => MX[domainOf(to)] ?? `mail.${domainOf(to)}`;
const person = (dice: Dice) => `p${dice.int(1, 400)}`;
const RELAY = 'smtp.relay-provider.example';
const anybody = (dice: Dice) =>
  `${person(dice)}@${dice.chance(0.7) ? dice.pick(BIG) : `firm${dice.int(1, 60)}.example`}`;

const taken = (to: string): Answer => ({ is: 'taken', host: hostOf(to) });
const said = (to: string, errno: number, says: string): Answer => ({
  is: 'deferred',
  host: hostOf(to),
  errno,
  says,
});
const error = (command: string, reply: string) =>
  `SMTP error from remote mail server after ${command}: ${reply}`;

async function judge(options: Omit<PaperOptions, 'end'> & { end?: number }): Promise<Report> {
  const folder = scratch();
  mkdirSync(join(folder, 'logs'));
  writeFileSync(join(folder, 'logs', 'mainlog'), paperLog({ end: END, ...options }));
  return examine([join(folder, 'logs')], { state: join(folder, 'state') });
}
const accused = (report: Report) => report.findings.map((f) => [f.culprit, f.subject.provider ?? 'several']);
const clearOf = (report: Report) => report.clear.find((c) => c.investigation === 'mail-late')!;
const at = (from: number, days: number) => (time: number) => time > from && time < from + days * DAY;
const NO_ROUTE = 'No route to host';
const NO_NAME: Answer = { is: 'deferred', errno: -1, says: 'host lookup did not complete' };
const GREYLISTED = (to: string) =>
  said(
    to,
    -44,
    error(`RCPT TO:<${to}>`, `451 4.7.1 <${to}>: Recipient address rejected: Greylisted for 300 seconds`),
  );

describe('weeks of mail in which nobody is to blame', () => {
  it.each<[string, (dice: Dice, n: number) => string, PaperOptions['answer']]>([
    [
      'backscatter to hundreds of domains without name servers',
      (dice, n) => (n % 3 === 0 ? `${person(dice)}@gone${dice.int(1, 300)}.example` : anybody(dice)),
      (to) => (domainOf(to).startsWith('gone') ? NO_NAME : taken(to)),
    ],
    [
      'backscatter to hundreds of hosts that are gone',
      (dice, n) => (n % 3 === 0 ? `${person(dice)}@gone${dice.int(1, 300)}.example` : anybody(dice)),
      (to) => (domainOf(to).startsWith('gone') ? said(to, 110, 'Connection timed out') : taken(to)),
    ],
    [
      'full mailboxes',
      anybody,
      (to) =>
        /p\d*[37]@gmail/.test(to)
          ? said(
              to,
              -44,
              error(
                `RCPT TO:<${to}>`,
                '452-4.2.2 The email account that you tried to reach is over quota.\\n452 4.2.2 Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp - gsmtp',
              ),
            )
          : taken(to),
    ],
    [
      'a passing trouble now and then',
      anybody,
      (to, time) =>
        (time * 7919) % 100 < 2
          ? said(to, -44, error('end of data', '451 4.3.0 Temporary server error. Please try again later'))
          : taken(to),
    ],
    ['mail to this machine alone', (dice) => `${person(dice)}@example.org`, () => ({ is: 'local' })],
    ['a smarthost that takes all', anybody, () => ({ is: 'taken', host: RELAY })],
  ])('%s', async (seed, address, answer) => {
    const report = await judge({ letters: letters(seed, 3000, WEEKS, address), answer });
    expect(accused(report)).toEqual([]);
    expect(clearOf(report)).toBeDefined();
  });

  it('a few domains without name servers: dead, and told as that', async () => {
    const report = await judge({
      letters: letters('dead', 3000, WEEKS, (dice, n) =>
        n % 30 === 0 ? `${person(dice)}@gone${dice.int(1, 4)}.example` : anybody(dice),
      ),
      answer: (to) => (domainOf(to).startsWith('gone') ? NO_NAME : taken(to)),
    });
    expect(accused(report)).toEqual([]);
    expect(
      clearOf(report)
        .facts.map((f) => f.says)
        .join(),
    ).toContain('nothing was ever delivered to gone1.example');
  });

  it.each([3600, -3600])('the clock of the log jumps by %i s', async (jump) => {
    const change = BEGIN + 7 * DAY + 7200;
    const report = await judge({
      letters: letters('jump', 8000, WEEKS, anybody),
      answer: (to, time, first) =>
        to.startsWith('p7@') && time - first < 600
          ? said(to, -44, error('MAIL FROM:<>', '451 4.3.0 try later'))
          : taken(to),
      wall: (time) => (time >= change ? time + jump : time),
    });
    expect(accused(report)).toEqual([]);
  });
});

describe('weeks of mail in which somebody is', () => {
  it('Yahoo for two days, though most late mail is for domains that are dead', async () => {
    const from = BEGIN + 5 * DAY;
    const report = await judge({
      letters: letters('story', 6000, WEEKS, (dice, n) =>
        n % 3 === 0 ? `${person(dice)}@gone${dice.int(1, 300)}.example` : anybody(dice),
      ),
      answer: (to, time) =>
        domainOf(to).startsWith('gone')
          ? NO_NAME
          : domainOf(to) === 'yahoo.co.uk' && at(from, 2)(time)
            ? said(
                to,
                -44,
                error(
                  'MAIL FROM:<office@example.org> SIZE=2000',
                  '421 4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred due to user complaints - 4.16.55.1; see http://postmaster.yahoo.com/421-ts01.html',
                ),
              )
            : taken(to),
    });
    expect(accused(report)).toEqual([['provider-deferral', 'yahoo']]);
    const { since, until } = report.findings[0]!;
    expect(Math.abs(Date.parse(`${since}Z`) / 1000 - from)).toBeLessThan(DAY / 4);
    expect(Math.abs(Date.parse(`${until}Z`) / 1000 - from - 2 * DAY)).toBeLessThan(DAY / 2);
  });

  it('a bad day in a log of three months is not lost among the good ones', async () => {
    const from = BEGIN + 60 * DAY;
    const months = [BEGIN, BEGIN + 90 * DAY] as const;
    const report = await judge({
      letters: letters('months', 9000, months, anybody),
      end: months[1],
      answer: (to, time) =>
        domainOf(to) === 'hotmail.com' && at(from, 2)(time)
          ? said(
              to,
              -44,
              error(
                'RCPT TO:<x@hotmail.com>',
                '451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)',
              ),
            )
          : taken(to),
    });
    expect(accused(report)).toEqual([['provider-deferral', 'outlook']]);
  });

  it('a smarthost that defers is accused itself, not those whom the mail is for', async () => {
    const report = await judge({
      letters: letters('smarthost', 2000, WEEKS, anybody),
      answer: (to, time) =>
        at(BEGIN + 5 * DAY, 2)(time)
          ? {
              is: 'deferred',
              host: RELAY,
              errno: -44,
              says: error(
                `RCPT TO:<${to}>`,
                '451 4.7.1 You have exceeded your hourly limit, try again later',
              ),
            }
          : { is: 'taken', host: RELAY },
    });
    expect(accused(report)).toEqual([['provider-deferral', 'relay-provider.example']]);
  });

  it('many small receivers that greylist are one finding', async () => {
    const known = new Set<string>();
    const report = await judge({
      letters: letters('grey', 3000, WEEKS, anybody),
      answer(to, time, first) {
        const n = Number(/^firm(\d+)/.exec(domainOf(to))?.[1] ?? 1);
        if (n % 3 !== 0 || known.has(to)) return taken(to);
        if (time - first < 300) return GREYLISTED(to);
        known.add(to);
        return taken(to);
      },
    });
    expect(accused(report)).toEqual([['greylisting', 'several']]);
    expect(report.findings[0]!.title).toMatch(/^Mail to \d\d providers is late/);
    expect(report.findings[0]!.check!.command).toContain('mail-late:greylisting:all');
  });

  it('a queue that is stuck when the log ends is this server’s or its network’s', async () => {
    const report = await judge({
      letters: letters('stuck', 3000, WEEKS, anybody),
      answer: (to, time) => (time > END - 7 * 3600 ? said(to, 113, NO_ROUTE) : taken(to)),
    });
    expect(accused(report)).toEqual([['unreachable-host', 'several']]);
    expect(report.findings[0]!.until).toBeNull();
  });
});
