import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { generate, type Options } from '../lab/mail/generate.js';
import { whyNoWorld } from '../lab/mail/world.js';
import { examine, scratch, sql } from './culprit.js';

/**
 * docs/mail-counts.md says how the counts of eximstats and pflogsumm come from a case, and what lies between theirs
 * and ours. Its queries are run here, on small logs whose numbers are known and on logs of real servers, and both
 * programs are asked.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = scratch();

type Who = 'eximstats' | 'pflogsumm' | 'culprit' | 'between' | 'reasons';
interface Query {
  who: Who;
  what: string;
  query: string;
}

const page = readFileSync(join(root, 'docs/mail-counts.md'), 'utf8');
const queriesOf = (part: string): Query[] =>
  [...part.matchAll(/```sql\n-- (\w+): ([^\n]+)\n([^`]+)```/g)].map(([, who, what, query]) => ({
    who: who as Who,
    what: what!,
    query: query!,
  }));
const [, forExim, forPostfix] = page.split(/^## /m).map(queriesOf) as [Query[], Query[], Query[]];

/** Numbers by their names in the program's report; 0 where it prints none. */
type Counts = Record<string, number>;

function read(text: string, patterns: Record<string, RegExp>): Counts {
  return Object.fromEntries(
    Object.entries(patterns).map(([name, pattern]) => [name, Number(pattern.exec(text)?.[1] ?? 0)]),
  );
}

const PROGRAMS = {
  eximstats: {
    queries: forExim,
    // Debian: exim4-base. The mail lab unpacks its own.
    places: ['/usr/sbin', join(root, 'node_modules/.cache/culprit-lab/exim/usr/sbin')],
    args: ['-nr', '-nt', '-h0', '-q0', '-tnl', '-t0', '-txt'],
    counts: (text: string) =>
      read(text, {
        'Received, Messages': /^ +Received +\S+ +(\d+)/m,
        'Delivered, Messages': /^ +Delivered +\S+ +(\d+)/m,
        'Delivered, Addresses': /^ +Delivered +\S+ +\d+ +(\d+)/m,
        Delayed: /^ +Received .* (\d+) +[\d.]+% +\d+ +[\d.]+%$/m,
        Failed: /^ +Received .* (\d+) +[\d.]+%$/m,
        'Errors encountered': /^Errors encountered: (\d+)$/m,
        Rejects: /^ +Rejects +(\d+)/m,
        'Temp Rejects': /^ +Temp Rejects +(\d+)/m,
      }),
  },
  pflogsumm: {
    queries: forPostfix,
    places: ['/usr/sbin', '/usr/bin'],
    args: ['--detail', '0'],
    counts: (text: string) =>
      read(text, {
        received: /^ +(\d+) +received$/m,
        delivered: /^ +(\d+) +delivered$/m,
        forwarded: /^ +(\d+) +forwarded$/m,
        deferred: /^ +(\d+) +deferred/m,
        deferrals: /^ +\d+ +deferred +\((\d+) +deferrals\)/m,
        bounced: /^ +(\d+) +bounced$/m,
        rejected: /^ +(\d+) +rejected /m,
      }),
  },
} as const;
type Program = keyof typeof PROGRAMS;

const pathOf = (program: Program): string | null =>
  PROGRAMS[program].places.map((place) => join(place, program)).find((path) => existsSync(path)) ?? null;

function counted(program: Program, log: string): Counts {
  const { args, counts } = PROGRAMS[program];
  return counts(execFileSync(pathOf(program)!, [...args, log], { encoding: 'utf8', maxBuffer: 1 << 26 }));
}

async function fromCase(program: Program, log: string, state: string): Promise<Record<Who, Counts>> {
  const run = { state };
  await examine([log], run);
  const found: Record<Who, Counts> = { eximstats: {}, pflogsumm: {}, culprit: {}, between: {}, reasons: {} };
  const { queries } = PROGRAMS[program];
  const numbers = queries.filter(({ who }) => who !== 'reasons');
  // As one query: the program need not start for each.
  const columns = numbers.map(({ query }, i) => `(${query}) AS n${i}`).join(', ');
  const [row] = await sql<Record<string, number | string>>(`SELECT ${columns}`, run);
  for (const [i, { who, what }] of numbers.entries()) found[who][what] = Number(row![`n${i}`]);
  for (const { who, what, query } of queries.filter(({ who }) => who === 'reasons')) {
    const rows = await sql<{ deferrals: number }>(query, run);
    found[who][what] = rows.reduce((sum, { deferrals }) => sum + Number(deferrals), 0);
  }
  return found;
}

/** The numbers of culprit and the program differ by just what is said to lie between them. */
function expectAgreement(found: Record<Who, Counts>, program: Program, theirs: Counts): void {
  expect(found[program]).toEqual(theirs);
  for (const [what, between] of Object.entries(found.between))
    expect(found.culprit[what]! - theirs[what]!, what).toBe(between);
  expect(Object.keys(found.culprit)).toEqual(Object.keys(found.between));
  for (const [what, deferrals] of Object.entries(found.reasons)) expect(deferrals).toBe(found.culprit[what]);
}

const GREYLISTED =
  'SMTP error from remote mail server after RCPT TO:<eve@example.com>: 450 4.2.0 <eve@example.com>: Recipient address rejected: Greylisted';
const MAINLOG = `2026-03-04 10:00:00 1vxZei-00012Y-SN <= ann@example.org H=ws1.example.org [192.0.2.10] P=esmtp S=2159 id=a1@example.org
2026-03-04 10:00:01 1vxZei-00012Y-SN => bob@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.1] C="250 OK"
2026-03-04 10:00:01 1vxZei-00012Y-SN -> sue@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.1] C="250 OK"
2026-03-04 10:00:02 1vxZei-00012Y-SN Completed
2026-03-04 10:01:00 1vxZej-00012Z-Aa <= ann@example.org U=ann P=local S=700 id=a2@example.org
2026-03-04 10:01:01 1vxZej-00012Z-Aa H=mx.example.com [198.51.100.2]: ${GREYLISTED}
2026-03-04 10:01:01 1vxZej-00012Z-Aa == eve@example.com R=dnslookup T=remote_smtp defer (-44): ${GREYLISTED}
2026-03-04 10:06:01 1vxZej-00012Z-Aa == eve@example.com R=dnslookup T=remote_smtp defer (-53): retry time not reached for any host for 'example.com'
2026-03-04 10:16:01 1vxZej-00012Z-Aa H=mx.example.com [198.51.100.2]: ${GREYLISTED}
2026-03-04 10:16:01 1vxZej-00012Z-Aa == eve@example.com R=dnslookup T=remote_smtp defer (-44): ${GREYLISTED}
2026-03-04 10:31:01 1vxZej-00012Z-Aa => eve@example.com R=dnslookup T=remote_smtp H=mx.example.com [198.51.100.2] C="250 OK"
2026-03-04 10:31:01 1vxZej-00012Z-Aa Completed
2026-03-04 10:40:00 1vxOLD-00011A-Zz == tom@example.com R=dnslookup T=remote_smtp defer (110): Connection timed out
2026-03-04 10:41:00 1vxZek-00013A-Bb <= ann@example.org H=ws1.example.org [192.0.2.10] P=esmtp S=900 id=a3@example.org
2026-03-04 10:41:01 1vxZek-00013A-Bb ** no@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.1]: SMTP error from remote mail server after RCPT TO:<no@example.net>: 550 5.1.1 User unknown
2026-03-04 10:41:01 1vxZek-00013A-Bb ** none@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.1]: SMTP error from remote mail server after RCPT TO:<none@example.net>: 550 5.1.1 User unknown
2026-03-04 10:41:02 1vxZel-00013B-Cc <= <> R=1vxZek-00013A-Bb U=Debian-exim P=local S=2000
2026-03-04 10:41:02 1vxZek-00013A-Bb Completed
2026-03-04 10:41:03 1vxZel-00013B-Cc => ann <ann@example.org> R=local_user T=mail_spool
2026-03-04 10:41:03 1vxZel-00013B-Cc Completed
2026-03-04 10:50:00 H=(pc1.example) [203.0.113.9] F=<x@spam.example> rejected RCPT <info@example.org>: relay not permitted
2026-03-04 10:50:01 H=(pc2.example) [203.0.113.10] F=<y@spam.example> temporarily rejected RCPT <info@example.org>: lookup failed
`;

const at = (clock: string, says: string) => `2026-03-${clock}.100000+00:00 mx1 postfix/${says}`;
const NET = 'relay=mx.example.net[198.51.100.1]:25, delay=1, delays=0.1/0/0.4/0.5';
const COM = 'relay=mx.example.com[198.51.100.2]:25, delay=1, delays=0.1/0/0.4/0.5';
const SAID = 'host mx.example.com[198.51.100.2] said: 450 4.2.0 Greylisted (in reply to RCPT TO command)';
const TIMED_OUT =
  'to=<tom@example.com>, orig_to=<office@example.org>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to mx.example.com[198.51.100.2]:25: Connection timed out)';
const MAIL_LOG = `${[
  at('04T10:00:00', 'smtpd[101]: connect from ws1.example.org[192.0.2.10]'),
  at('04T10:00:00', 'smtpd[101]: 4F1AAA1: client=ws1.example.org[192.0.2.10]'),
  at('04T10:00:00', 'cleanup[102]: 4F1AAA1: message-id=<a1@example.org>'),
  at('04T10:00:00', 'qmgr[103]: 4F1AAA1: from=<ann@example.org>, size=2159, nrcpt=3 (queue active)'),
  at(
    '04T10:00:01',
    `smtp[104]: 4F1AAA1: to=<bob@example.net>, ${NET}, dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
  ),
  at('04T10:00:01', `smtp[105]: 4F1AAA1: to=<eve@example.com>, ${COM}, dsn=4.2.0, status=deferred (${SAID})`),
  at('04T10:00:02', `smtp[105]: 4F1AAA1: to=<tim@example.com>, ${COM}, dsn=4.2.0, status=deferred (${SAID})`),
  at(
    '04T10:05:01',
    `error[106]: 4F1AAA1: to=<eve@example.com>, relay=none, delay=301, delays=301/0/0/0, dsn=4.2.0, status=deferred (delivery temporarily suspended: ${SAID})`,
  ),
  at(
    '04T10:15:01',
    `smtp[105]: 4F1AAA1: to=<eve@example.com>, ${COM}, dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
  ),
  at(
    '04T10:15:01',
    `smtp[105]: 4F1AAA1: to=<tim@example.com>, ${COM}, dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
  ),
  at('04T10:15:01', 'qmgr[103]: 4F1AAA1: removed'),
  at('04T10:20:00', 'pickup[107]: 4F1BBB2: uid=33 from=<www-data>'),
  at('04T10:20:00', 'cleanup[102]: 4F1BBB2: message-id=<b2@mx1.example.org>'),
  at('04T10:20:00', 'qmgr[103]: 4F1BBB2: from=<www-data@example.org>, size=500, nrcpt=1 (queue active)'),
  at(
    '04T10:20:01',
    `smtp[104]: 4F1BBB2: to=<no@example.net>, ${NET}, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command))`,
  ),
  at('04T10:20:01', 'cleanup[102]: 4F1CCC3: message-id=<c3@mx1.example.org>'),
  at('04T10:20:01', 'bounce[108]: 4F1BBB2: sender non-delivery notification: 4F1CCC3'),
  at('04T10:20:01', 'qmgr[103]: 4F1CCC3: from=<>, size=2500, nrcpt=1 (queue active)'),
  at('04T10:20:01', 'qmgr[103]: 4F1BBB2: removed'),
  at(
    '04T10:20:02',
    'local[109]: 4F1CCC3: to=<www-data@example.org>, relay=local, delay=0.7, delays=0.1/0/0/0.6, dsn=2.0.0, status=sent (delivered to mailbox)',
  ),
  at('04T10:20:02', 'qmgr[103]: 4F1CCC3: removed'),
  at('04T10:30:00', 'smtpd[101]: 4F1DDD4: client=ws1.example.org[192.0.2.10]'),
  at('04T10:30:00', 'cleanup[102]: 4F1DDD4: message-id=<d4@example.org>'),
  at('04T10:30:00', 'qmgr[103]: 4F1DDD4: from=<ann@example.org>, size=800, nrcpt=1 (queue active)'),
  at('04T10:30:01', 'cleanup[102]: 4F1EEE5: message-id=<d4@example.org>'),
  at(
    '04T10:30:01',
    'local[109]: 4F1DDD4: to=<office@example.org>, relay=local, delay=1, delays=0.1/0/0/0.9, dsn=2.0.0, status=sent (forwarded as 4F1EEE5)',
  ),
  at('04T10:30:01', 'qmgr[103]: 4F1EEE5: from=<ann@example.org>, size=900, nrcpt=1 (queue active)'),
  at('04T10:30:01', 'qmgr[103]: 4F1DDD4: removed'),
  at('04T10:30:02', `smtp[104]: 4F1EEE5: ${TIMED_OUT}`),
  at('09T10:30:02', `smtp[104]: 4F1EEE5: ${TIMED_OUT}`),
  at('09T10:30:02', 'qmgr[103]: 4F1EEE5: from=<ann@example.org>, status=expired, returned to sender'),
  at('09T10:30:02', 'qmgr[103]: 4F1EEE5: removed'),
  at(
    '09T11:00:00',
    'smtpd[101]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <info@example.org>: Relay access denied; from=<x@spam.example> to=<info@example.org> proto=ESMTP helo=<pc1>',
  ),
  at(
    '09T11:00:01',
    'postscreen[110]: NOQUEUE: reject: RCPT from [203.0.113.10]:4711: 550 5.7.1 Service unavailable; client [203.0.113.10] blocked using bl.example; from=<y@spam.example>, to=<info@example.org>, proto=SMTP, helo=<pc2>',
  ),
  at(
    '09T11:00:02',
    'smtpd[101]: NOQUEUE: reject_warning: RCPT from unknown[203.0.113.11]: 554 5.7.1 <info@example.org>: Relay access denied; from=<z@spam.example> to=<info@example.org> proto=ESMTP helo=<pc3>',
  ),
  at('09T11:00:03', 'smtpd[101]: 4F1FFF6: client=unknown[203.0.113.12]'),
  at('09T11:00:03', 'cleanup[102]: 4F1FFF6: message-id=<f6@spam.example>'),
  at(
    '09T11:00:03',
    'cleanup[102]: 4F1FFF6: milter-reject: END-OF-MESSAGE from unknown[203.0.113.12]: 5.7.1 Spam message rejected; from=<s@spam.example> to=<info@example.org> proto=ESMTP helo=<pc4>',
  ),
].join('\n')}\n`;

/** Counted by hand, line by line. */
const SMALL: { program: Program; text: string; theirs: Counts; ours: Counts }[] = [
  {
    program: 'eximstats',
    text: MAINLOG,
    theirs: {
      'Received, Messages': 4,
      'Delivered, Messages': 3,
      'Delivered, Addresses': 4,
      Delayed: 1,
      Failed: 1,
      'Errors encountered': 2,
      Rejects: 3,
      'Temp Rejects': 1,
    },
    ours: { 'Received, Messages': 5, Delayed: 4, Rejects: 1 },
  },
  {
    program: 'pflogsumm',
    text: MAIL_LOG,
    theirs: { received: 4, delivered: 4, forwarded: 1, deferred: 2, deferrals: 5, bounced: 1, rejected: 3 },
    ours: { received: 6, deferred: 3, deferrals: 4, bounced: 2 },
  },
];

describe.each(SMALL)(
  'the page on counts, on a small log beside $program',
  ({ program, text, theirs, ours }) => {
    const log = join(folder, `${program}.log`);
    writeFileSync(log, text);

    it('has a query for every number, with what was counted by hand', async () => {
      const found = await fromCase(program, log, join(folder, program));
      expect(found.culprit).toEqual(ours);
      expectAgreement(found, program, theirs);
    });

    const missing = pathOf(program) === null;
    if (missing) console.warn(`${program} is not installed: it is not asked, and these tests are skipped`);
    it.skipIf(missing)(`${program} counts the same${missing ? ' (it is not installed)' : ''}`, () => {
      expect(counted(program, log)).toEqual(theirs);
    });
  },
);

const short = { seed: 3, mailing: { messages: 25, seconds: 6 } } as const;
const LAB: (Options & { program: Program; log: string })[] = [
  { ...short, scenario: 'greylist', daemon: 'exim', program: 'eximstats', log: 'mainlog' },
  { ...short, scenario: 'rejected', daemon: 'exim', program: 'eximstats', log: 'mainlog' },
  { ...short, scenario: 'provider-deferral', daemon: 'postfix', program: 'pflogsumm', log: 'mail.log' },
  { ...short, scenario: 'rejected', daemon: 'postfix', program: 'pflogsumm', log: 'mail.log' },
];
const absent = (['eximstats', 'pflogsumm'] as const).filter((program) => pathOf(program) === null);
const why = whyNoWorld() ?? (absent.length > 0 ? `${absent.join(' and ')} not installed` : null);
if (why) console.warn(`The counts of real servers’ logs are not compared here: ${why}`);

describe.skipIf(why)(`the page on counts, on logs of real servers${why ? ` (${why})` : ''}`, () => {
  let logs: string[];

  beforeAll(async () => {
    // At once: worlds do not disturb each other.
    const made = await Promise.all(LAB.map(({ program, log, ...options }) => generate(options)));
    logs = made.map(({ files }, i) => {
      const path = join(folder, `${i}-${LAB[i]!.log}`);
      writeFileSync(path, files.get(LAB[i]!.log)!);
      return path;
    });
  }, 240_000);

  it.each(LAB.map((run, i) => ({ ...run, i })))(
    '$scenario with $daemon',
    async ({ program, scenario, i }) => {
      const theirs = counted(program, logs[i]!);
      expectAgreement(await fromCase(program, logs[i]!, join(folder, `lab-${i}`)), program, theirs);
      const told = scenario === 'rejected' ? ['Failed', 'bounced'] : ['Delayed', 'deferred'];
      expect(Math.max(...told.map((name) => theirs[name] ?? 0))).toBeGreaterThan(0);
    },
  );
});
