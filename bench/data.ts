/**
 * The log the programs are timed on: combined format, seeded, made fast.
 *
 * About 237 bytes a line, like the log of a busy site: 60,000 clients (a fifth on IPv6), 40,000 paths, some
 * with queries, 5,000 referrers, 400 agents, three weeks, and one line in 10,000 that is odd: escaped quotes, binary
 * requests, a request that never came, a line cut short.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Dice } from '../lab/dice.js';
import { BROWSERS, person } from '../lab/web/agents.js';

/** A log that programs read. */
export interface Log {
  plain: string;
  lines: number;
  bytes: number;
}

export interface Data extends Log {
  /** The same lines in two halves, packed. */
  halves: [string, string];
  /** One line for every hundred, later than all others. */
  more: string;
}

export async function makeData(folder: string, lines: number): Promise<Data> {
  const plain = join(folder, 'access.log');
  const more = join(folder, 'more.log');
  const write = lineWriter(new Dice('bench'), lines);
  await writeLines(plain, write, 0, lines);
  await writeLines(more, write, lines, Math.ceil(lines / 100));
  const { size } = await stat(plain);
  const middle = await lineStart(plain, Math.floor(size / 2));
  const halves: [string, string] = [`${join(folder, 'half')}.log.2.gz`, `${join(folder, 'half')}.log.1.gz`];
  await pipeline(createReadStream(plain, { end: middle - 1 }), createGzip(), createWriteStream(halves[0]));
  await pipeline(createReadStream(plain, { start: middle }), createGzip(), createWriteStream(halves[1]));
  return { plain, halves, more, lines, bytes: size };
}

async function writeLines(path: string, line: (n: number) => string, first: number, count: number) {
  const file = createWriteStream(path);
  for (let done = 0; done < count; ) {
    const block: string[] = [];
    for (const end = Math.min(count, done + 20_000); done < end; done++) block.push(line(first + done));
    if (!file.write(`${block.join('\n')}\n`, 'latin1')) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}

/** Where the first line begins that is not before `offset`. */
async function lineStart(path: string, offset: number): Promise<number> {
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, offset);
  await file.close();
  const end = buffer.subarray(0, bytesRead).indexOf(10);
  return end < 0 ? offset + bytesRead : offset + end + 1;
}

const WORDS =
  'apple harvest ferry winter garden concert letter bridge market lantern river snow recipe'.split(' ');
const PROGRAMS = ['Feedly', 'curl', 'okhttp', 'Podcasts', 'python-requests', 'WordPress', 'Photon'];
const FIRST = Date.UTC(2024, 2, 4);
const WEEKS = 3 * 7 * 86_400;

function lineWriter(dice: Dice, lines: number): (n: number) => string {
  const many = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));
  const clients = many(60_000, () => person(dice));
  const agents = many(400, (n) =>
    n % 4 === 3
      ? `${dice.pick(PROGRAMS)}/${dice.int(1, 9)}.${n}`
      : variant(dice, BROWSERS[n % BROWSERS.length]!),
  );
  const paths = many(40_000, (n) => path(dice, n));
  const referrers = many(5_000, (n) =>
    n % 3 === 0
      ? `https://www.google.com/search?q=${dice.pick(WORDS)}+${n}`
      : `https://blog.example${paths[n]}`,
  );
  const sizes = many(5_000, () => Math.round(dice.lognormal(14_000, 1.3)));
  const statuses = [
    ...many(86, () => '200'),
    ...many(8, () => '304'),
    '301',
    '302',
    '404',
    '404',
    '206',
    '500',
  ];
  let [stampOf, stamp] = [-1, ''];
  return (n) => {
    const second = Math.floor((n / lines) * WEEKS);
    if (second !== stampOf) [stampOf, stamp] = [second, clock(FIRST + second * 1000)];
    const client = dice.pickEarly(clients);
    if (n % 10_000 === 7_777) return odd(dice, n, client, stamp);
    const status = dice.pick(statuses);
    const bytes = status === '304' ? '-' : dice.pick(sizes);
    const method = dice.chance(0.03) ? 'POST' : 'GET';
    const referrer = dice.chance(0.48) ? '-' : dice.pickEarly(referrers);
    const request = `${method} ${dice.pickEarly(paths)} HTTP/${dice.chance(0.6) ? '2.0' : '1.1'}`;
    return `${client} - - [${stamp}] "${request}" ${status} ${bytes} "${referrer}" "${dice.pickEarly(agents)}"`;
  };
}

function path(dice: Dice, n: number): string {
  const month = `${2010 + (n % 14)}/${String(dice.int(1, 12)).padStart(2, '0')}`;
  if (n % 3 === 0) return `/wp-content/uploads/${month}/${dice.pick(WORDS)}-${n}-768x512.jpg`;
  const query = n % 7 === 0 ? `?utm_source=newsletter&id=${n}` : '';
  return `/${month}/${dice.pick(WORDS)}-${dice.pick(WORDS)}-${n}/${query}`;
}

function variant(dice: Dice, agent: string): string {
  return agent.replace(/\d+\.\d+(?=[^\d.]*$)/, `${dice.int(100, 124)}.${dice.int(0, 99)}`);
}

function odd(dice: Dice, n: number, client: string, stamp: string): string {
  const start = `${client} - - [${stamp}] `;
  const ends = [
    '"-" 408 - "-" "-"',
    String.raw`"\x16\x03\x01\x02\x00\x01" 400 226 "-" "-"`,
    String.raw`"GET /search?q=\"snow\" HTTP/1.1" 200 9800 "-" "say \"hello\""`,
    String.raw`"GET /caf\xc3\xa9/ HTTP/1.1" 200 9800 "-" "\\"`,
    '"GET /cut/short/ HTTP/1.1" 200',
  ];
  return start + ends[(n + dice.int(0, 4)) % ends.length]!;
}

function clock(at: number): string {
  const [, day, month, year, time] = /(\d+) (\w+) (\d+) (\S+)/.exec(new Date(at).toUTCString())!;
  return `${day}/${month}/${year}:${time} +0000`;
}
