/**
 * The mail log the programs are timed on: an Exim mainlog with Debian's default log_selector, seeded.
 *
 * About 200 bytes a line: messages of a few senders, local ones and by SMTP, to recipients at eight providers whose
 * hosts answer each in their own words; a tenth of the deliveries is deferred, some time out in mid-data, some
 * bounce, and between them are the queue runs, rejections and broken connections of any public server.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Dice } from '../lab/dice.js';

interface Provider {
  domains: string[];
  hosts: string[];
  /** Documentation addresses (RFC 5737, RFC 3849), one for each host. */
  addresses: string[];
  certificate: string;
  chunking: boolean;
  fastOpen: boolean;
  accepted: (dice: Dice) => string;
  deferred: string;
}

const hex = (dice: Dice, digits: number) =>
  Array.from({ length: digits }, () => dice.int(0, 15).toString(16)).join('');

const PROVIDERS: Provider[] = [
  {
    domains: ['gmail.example', 'googlemail.example'],
    hosts: ['gmail-smtp-in.l.google.example', 'alt1.gmail-smtp-in.l.google.example'],
    addresses: ['2001:db8:10::1a', '192.0.2.26'],
    certificate: 'CN=mx.google.example',
    chunking: true,
    fastOpen: true,
    accepted: (dice) => `250 2.0.0 OK  ${dice.int(1_700_000_000, 1_799_999_999)} ${hex(dice, 15)} - gsmtp`,
    deferred:
      'SMTP error from remote mail server after end of data: 421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating\\n421 4.7.28 from your IP address.',
  },
  {
    domains: ['hotmail.example', 'outlook.example', 'live.example'],
    hosts: ['outlook-com.olc.protection.outlook.example'],
    addresses: ['2001:db8:40::21', '198.51.100.33'],
    certificate: 'CN=mail.protection.outlook.example',
    chunking: true,
    fastOpen: false,
    accepted: (dice) =>
      `250 2.6.0 <${hex(dice, 15)}@mail> [InternalId=${dice.int(1e9, 2e9)}, Hostname=LO2P265MB0001.GBRP265.PROD.OUTLOOK.EXAMPLE] Queued mail for delivery -> 250 2.1.5`,
    deferred:
      'SMTP error from remote mail server after RCPT TO:<%s>: 451 4.7.500 Server busy. Please try again later from [203.0.113.2]. (S77714)',
  },
  {
    domains: ['yahoo.example', 'aol.example', 'ymail.example'],
    hosts: ['mx-eu.mail.am0.yahoodns.example', 'mta5.am0.yahoodns.example'],
    addresses: ['192.0.2.83', '192.0.2.85'],
    certificate: 'CN=*.am0.yahoodns.example',
    chunking: false,
    fastOpen: false,
    accepted: () => '250 ok dirdel',
    deferred:
      'SMTP error from remote mail server after MAIL FROM:<office@sender.example> SIZE=4096: 421 4.7.0 [TSS04] Messages from 203.0.113.2 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1',
  },
  {
    domains: ['school.example', 'firm.example', 'church.example', 'club.example'],
    hosts: ['mail.school.example', 'mx.firm.example', 'mx1.church.example', 'mail.club.example'],
    addresses: ['2001:db8:50::5', '198.51.100.9', '198.51.100.77', '203.0.113.200'],
    certificate: 'CN=mail.school.example',
    chunking: true,
    fastOpen: true,
    accepted: (dice) => `250 2.0.0 Ok: queued as ${hex(dice, 14)}`,
    deferred:
      'SMTP error from remote mail server after RCPT TO:<%s>: 451 4.7.1 Greylisting in action, please come back later',
  },
  {
    domains: ['btinternet.example', 'talk21.example'],
    hosts: ['mx1.bt.mail.yahoo.example', 'mx2.bt.mail.yahoo.example'],
    addresses: ['192.0.2.70', '192.0.2.71'],
    certificate: 'CN=*.bt.mail.yahoo.example',
    chunking: false,
    fastOpen: false,
    accepted: () => '250 ok dirdel',
    deferred: 'Connection timed out',
  },
];

const TLS = 'X=TLS1.3:ECDHE_SECP256R1__RSA_PSS_RSAE_SHA256__AES_256_GCM:256';
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FIRST = Date.UTC(2026, 2, 4) / 1000;

function base62(value: number, digits: number): string {
  let text = '';
  for (let n = value; text.length < digits; n = Math.floor(n / 62)) text = BASE62[n % 62]! + text;
  return text;
}

/** A number as two digits. */
const two = (n: number) => String(n).padStart(2, '0');

function stampOf(seconds: number): string {
  const d = new Date(seconds * 1000);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

/** Writes a mainlog of so many lines; the same seed and number give the same file. Returns its size in bytes. */
export async function makeEximLog(path: string, lines: number, seed = 'exim'): Promise<number> {
  const file = createWriteStream(path);
  const write = messages(new Dice(seed));
  let bytes = 0;
  for (let done = 0; done < lines; ) {
    const block: string[] = [];
    while (block.length < 20_000 && done + block.length < lines) write(block);
    block.length = Math.min(block.length, lines - done);
    done += block.length;
    const text = `${block.join('\n')}\n`;
    bytes += text.length;
    if (!file.write(text, 'latin1')) await once(file, 'drain');
  }
  file.end();
  await finished(file);
  return bytes;
}

/** Adds the lines of one message, or of something between messages, to a block. */
function messages(dice: Dice): (block: string[]) => void {
  const people = Array.from({ length: 20_000 }, (_, n) => `${dice.pick(NAMES)}.${dice.pick(NAMES)}${n % 97}`);
  const senders = Array.from({ length: 400 }, (_, n) => `${dice.pick(NAMES)}${n}@sender.example`);
  let now = FIRST;
  let pid = 4000;
  return (block) => {
    now += dice.next() < 0.5 ? 0 : dice.int(1, 3);
    pid = pid > 4_000_000 ? 4000 : pid + dice.int(1, 9);
    const at = stampOf(now);
    if (dice.chance(0.09)) {
      block.push(`${at} ${between(dice, pid)}`);
      return;
    }
    const id = `${base62(now, 6)}-${base62(pid, 6)}-${base62(dice.int(0, 3000), 2)}`;
    const sender = dice.pickEarly(senders);
    const origin = dice.chance(0.2)
      ? 'U=www-data P=local'
      : dice.chance(0.5)
        ? `H=(ws${dice.int(1, 40)}.sender.example) [203.0.113.${dice.int(3, 90)}] P=esmtp`
        : `H=ws${dice.int(1, 40)}.sender.example [203.0.113.${dice.int(3, 90)}] P=esmtpsa ${TLS} CV=no A=plain:${sender}`;
    const size = dice.int(600, 9000) * (dice.chance(0.1) ? 60 : 1);
    block.push(
      `${at} ${id} <= ${sender} ${origin} S=${size} id=${hex(dice, 10)}.${hex(dice, 8)}@sender.example`,
    );
    let left = dice.chance(0.2) ? dice.int(2, 5) : 1;
    for (; left > 0; left--) block.push(...delivery(dice, now, id, dice.pickEarly(people)));
    if (!dice.chance(0.08)) block.push(`${stampOf(now + 2)} ${id} Completed`);
  };
}

function delivery(dice: Dice, now: number, id: string, person: string): string[] {
  const provider = dice.pickEarly(PROVIDERS);
  const n = dice.int(0, provider.addresses.length - 1);
  const rcpt = `${person}@${provider.domains[n % provider.domains.length]!}`;
  const host = `H=${provider.hosts[n % provider.hosts.length]!} [${provider.addresses[n]!}]`;
  const at = stampOf(now + 1);
  const chance = dice.next();
  if (chance < 0.08) {
    const why = provider.deferred.replace('%s', rcpt);
    return [
      `${at} ${id} ${host}: ${why}`,
      `${at} ${id} == ${rcpt} R=dnslookup T=remote_smtp defer (${why.startsWith('SMTP') ? -44 : 110}): ${why}`,
    ];
  }
  if (chance < 0.1) {
    const why = `SMTP timeout after sending data block (${dice.int(1000, 400_000)} bytes written): Connection timed out`;
    return [
      `${at} ${id} ${host} ${why}`,
      `${at} ${id} == ${rcpt} R=dnslookup T=remote_smtp defer (110): Connection timed out ${host}: ${why}`,
    ];
  }
  if (chance < 0.13)
    return [
      `${at} ${id} ** ${rcpt} R=dnslookup T=remote_smtp ${host} ${TLS} CV=yes: SMTP error from remote mail server after RCPT TO:<${rcpt}>: 550 5.1.1 <${rcpt}>: Recipient address rejected: User unknown`,
      `${at} ${base62(now, 6)}-${base62(dice.int(1, 1e6), 6)}-1k <= <> R=${id} U=Debian-exim P=local S=${dice.int(2000, 9000)}`,
    ];
  const alias = dice.chance(0.1) ? ` <info@sender.example>` : '';
  const fast = provider.fastOpen && dice.chance(0.6) ? ' TFO' : '';
  return [
    `${at} ${id} => ${rcpt}${alias} R=dnslookup T=remote_smtp ${host}${fast} ${TLS} CV=yes DN="${provider.certificate}"${provider.chunking ? ' K' : ''} C="${provider.accepted(dice)}"`,
  ];
}

/** A line that belongs to no message. */
function between(dice: Dice, pid: number): string {
  const client = `[198.51.100.${dice.int(1, 254)}]`;
  const helo = `(${dice.pick(NAMES)}-${dice.int(1, 999)}.example)`;
  const chance = dice.next();
  if (chance < 0.2) return `Start queue run: pid=${pid}`;
  if (chance < 0.4) return `End queue run: pid=${pid}`;
  if (chance < 0.6)
    return `H=${helo} ${client} F=<${dice.pick(NAMES)}@spam.example> rejected RCPT <${dice.pick(NAMES)}@sender.example>: relay not permitted`;
  if (chance < 0.75) return `no host name found for IP address ${client.slice(1, -1)}`;
  if (chance < 0.85)
    return `login_saslauthd_server authenticator failed for ${helo} ${client}: 535 Incorrect authentication data (set_id=${dice.pick(NAMES)})`;
  if (chance < 0.93)
    return `unexpected disconnection while reading SMTP command from ${helo} ${client} D=${dice.int(1, 9)}s`;
  return `TLS error on connection from ${helo} ${client} (gnutls_handshake): The TLS connection was non-properly terminated.`;
}

const NAMES =
  'anna bob carol david emma frank grace henry isla jack kate liam mary noah olivia pat quinn rob sue tom uma vera will'.split(
    ' ',
  );
