/**
 * The mail log the programs are timed on: Postfix as rsyslog writes it on Debian (RFC 3164), seeded, made fast.
 *
 * A host that takes mail from its users and sends it to several providers: per message what smtpd, cleanup, qmgr and
 * smtp log; a sixth of the deliveries is deferred and tried again, some bounce, and strangers are refused. Three
 * weeks in November 2026 (a log without years), about 150 bytes a line.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Dice } from '../lab/dice.js';

interface Provider {
  domain: string;
  hosts: number;
  host: (n: number) => string;
  ip: (n: number) => string;
  sent: (id: string) => string;
  deferred: [dsn: string, text: string][];
}

const PROVIDERS: Provider[] = [
  {
    domain: 'gmail.com',
    hosts: 5,
    host: (n) => (n === 0 ? 'gmail-smtp-in.l.google.com' : `alt${n}.gmail-smtp-in.l.google.com`),
    ip: (n) => `142.250.${100 + n}.27`,
    sent: (id) =>
      `250 2.0.0 OK  1763900${id.slice(0, 3)} ${id.toLowerCase()}-20020a05600c.${id.length} - gsmtp`,
    deferred: [
      [
        '4.7.28',
        '421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. ' +
          '421 4.7.28 https://support.google.com/mail/?p=UnsolicitedRateLimitError - gsmtp',
      ],
      ['4.2.2', '452-4.2.2 The recipient’s inbox is out of storage space. 452 4.2.2 - gsmtp'],
    ],
  },
  {
    domain: 'yahoo.com',
    hosts: 9,
    host: (n) => `mta${5 + (n % 3)}.am0.yahoodns.net`,
    ip: (n) => `67.195.204.${70 + n}`,
    sent: () => '250 ok dirdel',
    deferred: [
      [
        '4.7.0',
        '421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user complaints - ' +
          '4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
      ],
    ],
  },
  {
    domain: 'outlook.com',
    hosts: 4,
    host: () => 'outlook-com.olc.protection.outlook.com',
    ip: (n) => `52.101.${8 + n}.49`,
    sent: (id) =>
      `250 2.6.0 <${id}@mx1.example.com> [InternalId=${id.length}0874, Hostname=AS8P.eurprd.prod.outlook.com] ` +
      '11843 bytes in 0.168, 68.529 KB/sec Queued mail for delivery -> 250 2.1.5',
    deferred: [
      [
        '4.7.650',
        '451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP reputation.',
      ],
    ],
  },
  {
    domain: 'example.net',
    hosts: 2,
    host: (n) => `mx${n + 1}.example.net`,
    ip: (n) => `198.51.100.${10 + n}`,
    sent: (id) => `250 2.0.0 Ok: queued as ${id}`,
    deferred: [['4.2.0', '450 4.2.0 <u@example.net>: Recipient address rejected: Greylisted']],
  },
];

const MONTH = Date.UTC(2026, 10, 2) / 1000;
const WEEKS = 3 * 7 * 86_400;
const LONG_ID = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';

/** Writes a log of at least `lines` lines (a message's lines stay together); the same for the same number. */
export async function makePostfixLog(path: string, lines: number): Promise<number> {
  const dice = new Dice('bench/postfix');
  const file = createWriteStream(path);
  const senders = Array.from({ length: 800 }, (_, n) => `user${n}@example.com`);
  const recipients = Array.from(
    { length: 40_000 },
    (_, n) => [`person.${n}`, dice.int(0, PROVIDERS.length - 1)] as const,
  );
  let written = 0;
  let block: string[] = [];
  while (written < lines) {
    const second = Math.floor((written / lines) * WEEKS);
    const made = dice.chance(0.12) ? refusal(dice, second) : message(dice, second, senders, recipients);
    written += made.length;
    for (const line of made) block.push(line);
    if (block.length > 20_000) {
      if (!file.write(`${block.join('\n')}\n`)) await once(file, 'drain');
      block = [];
    }
  }
  if (block.length > 0) file.write(`${block.join('\n')}\n`);
  file.end();
  await finished(file);
  return written;
}

let [stampOf, stamp] = [-1, ''];
function clock(second: number): string {
  if (second !== stampOf) {
    const [, day, month, , time] = new Date((MONTH + second) * 1000).toUTCString().split(' ');
    [stampOf, stamp] = [second, `${month} ${String(Number(day)).padStart(2)} ${time}`];
  }
  return stamp;
}

function message(
  dice: Dice,
  second: number,
  senders: string[],
  recipients: (readonly [string, number])[],
): string[] {
  const id = Array.from({ length: 12 }, () => LONG_ID[dice.int(0, 50)]).join('');
  const sender = dice.pickEarly(senders);
  const at = (delay: number, program: string, text: string) =>
    `${clock(second + delay)} mx1 postfix/${program}: ${text}`;
  const [smtpd, smtp] = [`submission/smtpd[${dice.int(1000, 9000)}]`, `smtp[${dice.int(1000, 9000)}]`];
  const client = `host-${dice.int(0, 900)}.example.com[192.0.2.${dice.int(1, 254)}]`;
  const lines = [
    at(0, smtpd, `connect from ${client}`),
    at(0, smtpd, `${id}: client=${client}, sasl_method=PLAIN, sasl_username=${sender}`),
    at(0, 'cleanup[812]', `${id}: message-id=<${dice.int(0, 0x7fffffff).toString(36)}.${id}@example.com>`),
    at(0, smtpd, `disconnect from ${client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8`),
  ];
  const count = dice.chance(0.15) ? dice.int(2, 5) : 1;
  const queued = `${id}: from=<${sender}>, size=${Math.round(dice.lognormal(9000, 1.4))}, nrcpt=${count} (queue active)`;
  lines.push(at(0, 'qmgr[701]', queued));
  for (let n = 0; n < count; n++) {
    const [name, which] = dice.pickEarly(recipients);
    const provider = PROVIDERS[which]!;
    const host = dice.int(0, provider.hosts - 1);
    const to = `to=<${name}@${provider.domain}>`;
    const relay = `relay=${provider.host(host)}[${provider.ip(host)}]:25`;
    let waited = 0;
    if (n === 0)
      lines.push(
        at(
          0,
          smtp,
          `Trusted TLS connection established to ${relay.slice(6)}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 ` +
            '(256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256',
        ),
      );
    while (dice.chance(1 / 6)) {
      const [dsn, text] = dice.pick(provider.deferred);
      const reply = `host ${relay.slice(6, -3)} said: ${text} (in reply to RCPT TO command)`;
      lines.push(
        at(
          0,
          smtp,
          `${id}: ${to}, ${relay}, ${delays(dice, waited)}, dsn=${dsn}, status=deferred (${reply})`,
        ),
      );
      waited += dice.int(300, 4000);
      lines.push(at(0, 'qmgr[701]', queued));
    }
    const bounced = dice.chance(0.02);
    const end = bounced
      ? `dsn=5.1.1, status=bounced (host ${relay.slice(6, -3)} said: 550 5.1.1 <${name}@${provider.domain}>: ` +
        'Recipient address rejected: User unknown (in reply to RCPT TO command))'
      : `dsn=2.0.0, status=sent (${provider.sent(id)})`;
    lines.push(at(0, smtp, `${id}: ${to}, ${relay}, ${delays(dice, waited)}, ${end}`));
  }
  lines.push(at(0, 'qmgr[701]', `${id}: removed`));
  return lines;
}

function delays(dice: Dice, waited: number): string {
  const parts = [waited + dice.next() / 5, dice.next() / 50, dice.next(), dice.between(0.1, 2)];
  const total = parts.reduce((sum, part) => sum + part, 0);
  const shown = (n: number) => Number(n.toPrecision(2)).toString();
  return `delay=${shown(total)}, delays=${parts.map(shown).join('/')}`;
}

function refusal(dice: Dice, second: number): string[] {
  const program = `${clock(second)} mx1 postfix/smtpd[${dice.int(1000, 9000)}]: `;
  const client = `unknown[203.0.113.${dice.int(1, 254)}]`;
  return [
    `${program}connect from ${client}`,
    `${program}NOQUEUE: reject: RCPT from ${client}: 554 5.7.1 <info@example.org>: Relay access denied; ` +
      `from=<spam${dice.int(0, 3000)}@example.org> to=<info@example.org> proto=ESMTP helo=<pc${dice.int(0, 99)}>`,
    `${program}lost connection after RCPT from ${client}`,
    `${program}disconnect from ${client} ehlo=1 mail=1 rcpt=0/1 commands=2/3`,
  ];
}
