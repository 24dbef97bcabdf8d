/** The mail that a small office and its web server send while a scenario runs. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../dice.js';
import { MAILBOXES, OWN_DOMAIN } from './daemon.js';
import { PROVIDER_NAMES, PROVIDERS } from './providers.js';
import type { World } from './world.js';

export interface Mailing {
  /** Messages beside the newsletter, spread over so many seconds. */
  messages: number;
  seconds: number;
  /** Recipients of one message more, sent in the middle; 0: none. */
  newsletter: number;
  /** The part of messages whose sender has no mailbox, so that their bounces cannot be delivered. */
  nobody: number;
}

/** A message as it was handed to the mail server. */
export interface Injected {
  /** When the server took it, ISO 8601 UTC. */
  at: string;
  messageId: string;
  /** The server's own id, where it tells one. */
  queueId?: string;
  from: string;
  to: string[];
  bytes: number;
  how: 'smtp' | 'sendmail';
}

interface Letter {
  second: number;
  from: string;
  to: string[];
  bytes: number;
  how: Injected['how'];
}

const FIRST = [
  'anna',
  'tom',
  'mary',
  'j',
  'sue',
  'rob',
  'pat',
  'david',
  'h',
  'lucy',
  'omar',
  'jean',
  'kate',
  'paul',
];
const LAST = [
  'smith',
  'jones',
  'patel',
  'clark',
  'brown',
  'wood',
  'evans',
  'khan',
  'green',
  'hill',
  'reed',
  'shaw',
];
const SUBJECTS = [
  'Invoice',
  'Minutes of the meeting',
  'Scan',
  'Holiday rota',
  'Re: your order',
  'Quote',
  'Newsletter',
];
const WWW_DATA = 33;

/** The letters of a scenario. No recipient is written to twice, so that an attempt belongs to one message. */
export function letters(mailing: Mailing, dice: Dice): Letter[] {
  const used = new Set<string>();
  const recipient = (): string => {
    for (;;) {
      const domain = dice.pick(PROVIDERS[dice.pick(PROVIDER_NAMES)].domains);
      const to = `${dice.pick(FIRST)}.${dice.pick(LAST)}${dice.chance(0.3) ? '' : dice.int(1, 99)}@${domain}`;
      if (used.has(to)) continue;
      used.add(to);
      return to;
    }
  };
  const made = Array.from({ length: mailing.messages }, (_, n): Letter => {
    const web = dice.chance(0.15);
    const nobody = dice.chance(mailing.nobody);
    return {
      second: ((n + dice.next()) / mailing.messages) * mailing.seconds,
      from: `${web ? 'www-data' : nobody ? 'noreply' : dice.pick(MAILBOXES)}@${OWN_DOMAIN}`,
      to: Array.from({ length: dice.pick([1, 1, 1, 1, 1, 2, 3]) }, recipient),
      bytes: Math.round(dice.chance(0.08) ? dice.between(80_000, 600_000) : dice.lognormal(2500, 0.9)),
      how: web ? 'sendmail' : 'smtp',
    };
  });
  if (mailing.newsletter > 0)
    made.push({
      second: mailing.seconds / 2,
      from: `office@${OWN_DOMAIN}`,
      to: Array.from({ length: mailing.newsletter }, recipient),
      bytes: 14_000,
      how: 'smtp',
    });
  return made.sort((a, b) => a.second - b.second);
}

/** Hands the letters to the machine, each at its second. */
export async function post(world: World, mail: readonly Letter[], dice: Dice): Promise<Injected[]> {
  const start = Date.now();
  return Promise.all(
    mail.map(async (letter) => {
      const messageId = `${randomBytes(5).toString('hex')}.${randomBytes(4).toString('hex')}@${OWN_DOMAIN}`;
      const subject = `${dice.pick(SUBJECTS)} ${dice.int(100, 9999)}`;
      await sleep(letter.second * 1000 - (Date.now() - start));
      const text = write(letter, messageId, subject);
      const queueId = await (letter.how === 'smtp' ? submit : sendmail)(world, letter, text);
      return {
        at: new Date().toISOString(),
        messageId,
        ...(queueId ? { queueId } : {}),
        from: letter.from,
        to: letter.to,
        bytes: text.length,
        how: letter.how,
      };
    }),
  );
}

function write(letter: Letter, messageId: string, subject: string): string {
  const line =
    'Dear all, please find below what we talked about last week; any questions, ring the office.\r\n';
  return `From: <${letter.from}>
To: ${letter.to.length > 5 ? 'Subscribers:;' : letter.to.map((to) => `<${to}>`).join(',\n ')}
Subject: ${subject}
Date: ${new Date().toUTCString().replace('GMT', '+0000')}
Message-ID: <${messageId}>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

`
    .replaceAll('\n', '\r\n')
    .concat(line.repeat(Math.max(1, Math.round(letter.bytes / line.length))));
}

async function submit(world: World, letter: Letter, text: string): Promise<string | undefined> {
  const socket = await world.connect(25);
  try {
    const replies = replyReader(socket);
    const say = async (command: string, expected: string) => {
      if (command) socket.write(`${command}\r\n`);
      const reply = await replies();
      if (!reply.startsWith(expected))
        throw new Error(`lab: the mail server answers "${command}" with: ${reply}`);
      return reply;
    };
    await say('', '220');
    await say('EHLO [10.80.0.50]', '250');
    await say(`MAIL FROM:<${letter.from}>`, '250');
    for (const to of letter.to) await say(`RCPT TO:<${to}>`, '250');
    await say('DATA', '354');
    const taken = await say(`${text}.`, '250');
    socket.write('QUIT\r\n');
    return /(?:id=|queued as )(\S+)/.exec(taken)?.[1];
  } finally {
    socket.end();
  }
}

function replyReader(socket: Socket): () => Promise<string> {
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  return async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('lab: the mail server closed the connection');
      if (/^\d{3} /.test(value)) return value;
    }
  };
}

/** As a web server's mail() does. Both daemons bring a sendmail(8). */
async function sendmail(world: World, letter: Letter, text: string): Promise<undefined> {
  await world.must(['sendmail', '-i', '-f', letter.from, ...letter.to], {
    input: text.replaceAll('\r\n', '\n'),
    as: WWW_DATA,
  });
}

/** Waits until something listens on the machine. */
export async function listening(world: World): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const socket = await world.connect(25);
      const [banner] = await once(socket, 'data');
      socket.end('QUIT\r\n');
      if (String(banner).startsWith('220')) return;
    } catch (error) {
      if (tries > 100) throw error;
    }
    await sleep(100);
  }
}
