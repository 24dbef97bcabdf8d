import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, type ReadLog, readLog, text } from '../../../test/read-log.js';
import { detectAccessLog } from './detect.js';
import type { FormatChoice } from './formats.js';

/**
 * The servers themselves say what is right: they are sent odd requests, and what culprit reads in the logs that
 * they write must be what was sent and what was answered.
 */

interface Sent {
  name: string;
  bytes: Buffer;
  v6?: boolean;
  /** What is known of it; the answer tells the rest. */
  expected: Partial<Record<'method' | 'path' | 'query' | 'protocol' | 'user' | 'referer' | 'agent', string>>;
}

interface Answer {
  /** 0 where the server said nothing. */
  status: number;
  body: number;
  all: number;
}

/** One character, one byte. */
const raw = (latin1: string) => Buffer.from(latin1, 'latin1');
const basic = (user: string) =>
  `Authorization: Basic ${Buffer.from(`${user}:pw`, 'latin1').toString('base64')}\r\n`;

function request(line: string, headers = ''): Buffer {
  return raw(`${line}\r\nHost: www.example.com\r\nConnection: close\r\n${headers}\r\n`);
}

const GET = { method: 'GET', path: '/', protocol: 'HTTP/1.1' };

const REQUESTS: Sent[] = [
  { name: 'a plain one', bytes: request('GET / HTTP/1.1'), expected: GET },
  { name: 'HTTP/1.0', bytes: request('GET / HTTP/1.0'), expected: { ...GET, protocol: 'HTTP/1.0' } },
  { name: 'HEAD', bytes: request('HEAD / HTTP/1.1'), expected: { ...GET, method: 'HEAD' } },
  {
    name: 'an unknown method',
    bytes: request('BREW-2_x /pot HTTP/1.1'),
    expected: { ...GET, method: 'BREW-2_x', path: '/pot' },
  },
  {
    name: 'a query',
    bytes: request('GET /a?b=c&d=%20?e HTTP/1.1'),
    expected: { ...GET, path: '/a', query: 'b=c&d=%20?e' },
  },
  {
    name: 'quotes and backslashes',
    bytes: request('GET /"a"\\b\\"c\\x41 HTTP/1.1'),
    expected: { ...GET, path: '/"a"\\b\\"c\\x41' },
  },
  {
    name: 'bytes that are no UTF-8',
    bytes: request('GET /\xff\xc3\xa9 HTTP/1.1'),
    expected: { ...GET, path: '/\\xffé' },
  },
  { name: 'a space in the path', bytes: request('GET /a b HTTP/1.1'), expected: { ...GET, path: '/a b' } },
  {
    name: 'a very long path',
    bytes: request(`GET /${'a'.repeat(8000)} HTTP/1.1`),
    expected: { ...GET, path: `/${'a'.repeat(8000)}` },
  },
  {
    name: 'a referer and an agent with quotes and odd bytes',
    bytes: request(
      'GET / HTTP/1.1',
      'Referer: http://example.com/?q="a b"\\\r\nUser-Agent: "Mozilla" \xff \t\\" \\x22 200 5 "-" "-"\r\n',
    ),
    expected: {
      ...GET,
      referer: 'http://example.com/?q="a b"\\',
      agent: '"Mozilla" \\xff \t\\" \\x22 200 5 "-" "-"',
    },
  },
  {
    name: 'an agent that is a dash',
    bytes: request('GET / HTTP/1.1', 'User-Agent: -\r\nReferer: \r\n'),
    expected: GET,
  },
  {
    name: 'a user with spaces',
    bytes: request('GET /private HTTP/1.1', basic('Bob van Smith')),
    expected: { ...GET, path: '/private', user: 'Bob van Smith' },
  },
  {
    name: 'a user with quotes, brackets and an odd byte',
    bytes: request('GET /private HTTP/1.1', basic('"B" [b\\] \xff')),
    expected: { ...GET, path: '/private', user: '"B" [b\\] \\xff' },
  },
  { name: 'IPv6', v6: true, bytes: request('GET /six HTTP/1.1'), expected: { ...GET, path: '/six' } },
  {
    name: 'IPv6 with a user of two words',
    v6: true,
    bytes: request('GET /private HTTP/1.1', basic('Bob Smith')),
    expected: { ...GET, path: '/private', user: 'Bob Smith' },
  },
  {
    name: 'a TLS hello',
    bytes: raw('\x16\x03\x01\x02"\\\xff\r\n\r\n'),
    expected: { path: '\x16\x03\x01\x02"\\\\xff' },
  },
];

function port(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Sends bytes, and reads until the server closes. */
function exchange(host: string, port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(port, host, () => socket.write(bytes));
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts)));
  });
}

function answerOf(bytes: Buffer): Answer {
  const head = bytes.indexOf('\r\n\r\n');
  return {
    status: Number(/^HTTP\/\S+ (\d{3})/.exec(bytes.toString('latin1', 0, 40))?.[1] ?? 0),
    body: head < 0 ? 0 : bytes.length - head - 4,
    all: bytes.length,
  };
}

async function untilReady(port: number, server: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await exchange('127.0.0.1', port, raw('GET /ready HTTP/1.0\r\n\r\n'));
      return;
    } catch (error) {
      if (tries > 200 || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const ipv6 = existsSync('/proc/net/if_inet6') && readFileSync('/proc/net/if_inet6', 'utf8').includes(' lo');
const asRoot = process.getuid?.() === 0;

/** Starts a server, sends it everything, and stops it. Its logs are in the folder then. */
async function serve(
  command: string,
  args: (dir: string) => string[],
  config: (dir: string, port: number) => string,
): Promise<{ dir: string; answers: Answer[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'culprit-oracle-'));
  mkdirSync(join(dir, 'www'));
  writeFileSync(join(dir, 'www', 'index.html'), 'Hello\n');
  if (asRoot) execFileSync('chmod', ['-R', 'a+rX', dir]);
  const at = await port();
  writeFileSync(join(dir, 'conf'), config(dir, at));
  const server = spawn(command, args(dir), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.on('data', (part: Buffer) => {
    said += part.toString();
  });
  const ended = new Promise((resolve) => server.on('close', resolve));
  try {
    await untilReady(at, server);
    const answers: Answer[] = [];
    for (const { bytes, v6 } of sent())
      answers.push(answerOf(await exchange(v6 ? '::1' : '127.0.0.1', at, bytes)));
    return { dir, answers };
  } catch (error) {
    throw new Error(`${command} did not serve: ${said}`, { cause: error });
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
}

const sent = () => REQUESTS.filter((r) => ipv6 || !r.v6);

/** Reads a log; the first line is the one that asked whether the server is there. */
function read(dir: string, log: string, choice: FormatChoice | null): ReadLog {
  const bytes = readFileSync(join(dir, log));
  const whole = readLog(choice ?? detectAccessLog(bytes, log)!.choice, [bytes]);
  expect(whole.unread).toEqual({});
  expect(whole.lines).toBe(linesOf(bytes));
  expect(whole.records.length).toBe(sent().length + 1);
  return { ...whole, records: whole.records.slice(1) };
}

interface Log {
  log: string;
  /** Null where it is to be recognised. */
  choice: FormatChoice | null;
  bytes: 'body' | 'all' | null;
  has: ('referer' | 'agent' | 'user' | 'vhost' | 'duration')[];
}

function compare(dir: string, answers: Answer[], started: number, { log, choice, bytes, has }: Log): void {
  const { records } = read(dir, log, choice);
  const seen = records.map(({ line: _, time, zone, vhost, duration, ...record }) => {
    // A second is as fine as most logs are.
    expect(Date.parse(time)).toBeGreaterThanOrEqual(started - 1000);
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now() + 1000);
    expect(Math.abs(zone)).toBeLessThanOrEqual(14 * 60);
    expect(duration !== undefined).toBe(has.includes('duration'));
    if (duration !== undefined) expect(duration).toBeLessThan(60_000_000);
    expect(vhost).toBe(has.includes('vhost') ? 'www.example.com' : undefined);
    return record;
  });
  const expected = sent().map(({ v6, expected: { user, referer, agent, ...rest } }, i) => ({
    client: v6 ? '::1' : '127.0.0.1',
    ...rest,
    status: answers[i]!.status,
    ...(bytes === null ? {} : { bytes: bytes === 'body' ? answers[i]!.body : answers[i]!.all }),
    ...(user !== undefined && has.includes('user') ? { user } : {}),
    ...(referer !== undefined && has.includes('referer') ? { referer } : {}),
    ...(agent !== undefined && has.includes('agent') ? { agent } : {}),
  }));
  // Of a request that it refuses for a space, Apache logs what stands before the protocol; nginx logs it whole.
  const text = readFileSync(join(dir, log), 'latin1');
  for (const [i, { name }] of sent().entries()) {
    const { protocol, ...cut } = expected[i]!;
    const isCut = name === 'a space in the path' && !text.includes('/a b HTTP/1.1');
    expect({ name, ...seen[i] }).toEqual({
      name,
      ...(isCut ? cut : { ...cut, ...(protocol ? { protocol } : {}) }),
    });
  }
}

function installed(command: string): boolean {
  try {
    execFileSync(command, ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const MODULES = '/usr/lib/apache2/modules';
const apache = installed('apache2') && existsSync(MODULES);
if (!apache) console.warn('NOT TESTED: apache2 is not installed here, so no log of its own is read');
if (!ipv6) console.warn('NOT TESTED: there is no IPv6 here, so no IPv6 client is tried');

describe.skipIf(!apache)('Apache', () => {
  const COMBINED = '"%r" %>s %b "%{Referer}i" "%{User-Agent}i"';
  const FORMATS = {
    common: '%h %l %u %t "%r" %>s %b',
    combined: `%h %l %u %t ${COMBINED}`,
    vhost: `%v:%p %h %l %u %t ${COMBINED}`,
    wire: '%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
    timed: `%a %u [%{%d/%b/%Y:%T}t.%{usec_frac}t %{%z}t] ${COMBINED} %D %I %O`,
    epoch: '%{usec}t %h "%r" %>s %{ms}T',
    referer: '%{Referer}i -> %U',
  };
  const started = Date.now();
  let dir = '';
  let answers: Answer[] = [];
  beforeAll(async () => {
    const quoted = (format: string) => `"${format.replaceAll('"', '\\"')}"`;
    ({ dir, answers } = await serve(
      'apache2',
      (at) => ['-f', join(at, 'conf'), '-DFOREGROUND'],
      (at, port) => `
        ServerRoot ${at}
        PidFile ${at}/pid
        ErrorLog ${at}/error.log
        DefaultRuntimeDir ${at}
        Mutex posixsem
        ServerName www.example.com
        Listen 127.0.0.1:${port}
        ${ipv6 ? `Listen [::1]:${port}` : ''}
        ${asRoot ? 'User #65534\nGroup #65534' : ''}
        ${['mpm_event', 'authz_core', 'authz_user', 'authn_core', 'authn_anon', 'auth_basic', 'dir']
          .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
          .join('\n')}
        DocumentRoot ${at}/www
        DirectoryIndex index.html
        <Location /private>
          AuthType Basic
          AuthName x
          AuthBasicProvider anon
          Anonymous "*"
          Anonymous_MustGiveEmail off
          Anonymous_LogEmail off
          Require valid-user
        </Location>
        ${Object.entries(FORMATS)
          .map(([name, format]) => `CustomLog ${at}/${name}.log ${quoted(format)}`)
          .join('\n')}`,
    ));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('answered as a server does', () => {
    expect(answers.map((a) => a.status)).toContain(200);
    expect(answers.map((a) => a.status)).toContain(400);
    expect(answers.every((a) => a.status > 0)).toBe(true);
  });

  it.each<Log>([
    { log: 'common.log', choice: null, bytes: 'body', has: ['user'] },
    { log: 'combined.log', choice: null, bytes: 'body', has: ['user', 'referer', 'agent'] },
    { log: 'vhost.log', choice: null, bytes: 'body', has: ['vhost', 'user', 'referer', 'agent'] },
    { log: 'wire.log', choice: null, bytes: 'all', has: ['user', 'referer', 'agent'] },
    {
      log: 'timed.log',
      choice: text('apache', FORMATS.timed),
      bytes: 'all',
      has: ['user', 'referer', 'agent', 'duration'],
    },
    { log: 'epoch.log', choice: text('apache', FORMATS.epoch), bytes: null, has: ['duration'] },
  ])('$log says what was sent and answered', (log) => {
    compare(dir, answers, started, log);
  });

  it('a log that has no time is recognised as none', () => {
    expect(detectAccessLog(readFileSync(join(dir, 'referer.log')), 'referer.log')).toBeNull();
  });
});

const nginx = installed('nginx');
if (!nginx) console.warn('NOT TESTED: nginx is not installed here, so no log of its own is read');

describe.skipIf(!nginx)('nginx', () => {
  const TIMED =
    '$host $remote_addr - $remote_user [$time_iso8601] $msec "$request" $status $bytes_sent "$http_referer" "$http_user_agent" $request_time';
  const JSON_FORMAT =
    '{"time":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user","request":"$request",' +
    '"status":$status,"body_bytes_sent":$body_bytes_sent,"http_referer":"$http_referer",' +
    '"http_user_agent":"$http_user_agent","request_time":$request_time,"server_name":"$server_name"}';
  const started = Date.now();
  let dir = '';
  let answers: Answer[] = [];
  beforeAll(async () => {
    ({ dir, answers } = await serve(
      'nginx',
      (at) => ['-p', at, '-c', join(at, 'conf'), '-e', join(at, 'error.log')],
      (at, port) => `
        ${asRoot ? 'user nobody nogroup;' : ''}
        daemon off;
        worker_processes 1;
        pid ${at}/pid;
        error_log ${at}/error.log;
        events {}
        http {
          ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((x) => `${x}_temp_path ${at}/${x};`).join(' ')}
          log_format timed '${TIMED}';
          log_format j escape=json '${JSON_FORMAT}';
          large_client_header_buffers 4 16k;
          server {
            listen 127.0.0.1:${port};
            ${ipv6 ? `listen [::1]:${port};` : ''}
            server_name www.example.com;
            root ${at}/www;
            access_log ${at}/default.log;
            access_log ${at}/timed.log timed;
            access_log ${at}/json.log j;
          }
        }`,
    ));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('answered as a server does', () => {
    expect(answers.map((a) => a.status)).toContain(200);
    expect(answers.every((a) => a.status > 0)).toBe(true);
  });

  it.each<Log>([
    { log: 'default.log', choice: null, bytes: 'body', has: ['user', 'referer', 'agent'] },
    {
      log: 'timed.log',
      choice: text('nginx', TIMED),
      bytes: 'all',
      has: ['vhost', 'user', 'referer', 'agent', 'duration'],
    },
    {
      log: 'json.log',
      choice: null,
      bytes: 'body',
      has: ['vhost', 'user', 'referer', 'agent', 'duration'],
    },
    {
      log: 'json.log',
      choice: text('nginx', JSON_FORMAT),
      bytes: 'body',
      has: ['vhost', 'user', 'referer', 'agent', 'duration'],
    },
  ])('$log says what was sent and answered', (log) => {
    compare(dir, answers, started, log);
  });
});
