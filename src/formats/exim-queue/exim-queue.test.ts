import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectEximQueue, readEximQueue } from './exim-queue.js';
import { detectRetryData, readRetryData } from './retry-data.js';

const QUEUE = ` 2m  546K 1xVTMI-00089m-30 <www-data@example.org> (www-data)
          h.patel@example.com

25h  1.1M 1xVTN5-0000000TM01-0001 <alice@example.org> *** frozen ***
        D tom.b@example.net
          "mary jones"@example.com
       +D generated@example.com

 4d   998 1xVTNH-0000hy-1T <>
          pat@example.com

 0m       1xVTNI-0000hz-2T
    *** spool format error: size=0 ***
what is this
`;

describe('exim -bp', () => {
  it('has each message with age, size, sender and recipients', () => {
    const { messages, lines, unread } = readEximQueue(QUEUE);
    expect(lines).toBe(14);
    expect(unread).toEqual([14]);
    expect(messages).toMatchObject([
      {
        id: '1xVTMI-00089m-30',
        age_s: 120,
        size_bytes: 559_104,
        sender: 'www-data@example.org',
        login: 'www-data',
      },
      { id: '1xVTN5-0000000TM01-0001', age_s: 90_000, size_bytes: 1_153_434, frozen: true, login: null },
      { id: '1xVTNH-0000hy-1T', age_s: 345_600, size_bytes: 998, sender: '', line: 9 },
      { id: '1xVTNI-0000hz-2T', size_bytes: null, sender: null, spoolError: 'spool format error: size=0' },
    ]);
    expect(messages[1]!.recipients).toEqual([
      { address: 'tom.b@example.net', delivered: true, generated: false },
      { address: '"mary jones"@example.com', delivered: false, generated: false },
      { address: 'generated@example.com', delivered: true, generated: true },
    ]);
  });

  it('is known by a message with its age, not by an id in a log', () => {
    expect(detectEximQueue(Buffer.from(QUEUE))).toBe(true);
    expect(detectEximQueue(Buffer.from('2026-03-02 04:11:09 1xVTMI-00089m-30 <= a@example.com\n'))).toBe(
      false,
    );
    expect(detectEximQueue(Buffer.from('1xVTMI-00089m-30\n'))).toBe(false);
  });
});

const DUMP = `  T:mx.example.com:192.0.2.26:1xVTMY-0008OX-24 110 77 Connection timed out
23-Nov-2026 12:42:27  23-Nov-2026 12:43:22  23-Nov-2026 12:43:37 
  T:mx.example.com:2001:db8::1a 110 77 Connection timed out
23-Nov-2026 12:43:22  23-Nov-2026 12:43:22  23-Nov-2026 12:43:37 *
  T:[192.0.2.9]:192.0.2.9:2525 111 65 Connection refused
23-Nov-2026 12:43:22  23-Nov-2026 12:43:22  23-Nov-2026 12:43:37 
  T:mx.example.com:[2001:db8::1a]:26 111 77 Connection refused
23-Nov-2026 12:43:22  23-Nov-2026 12:43:22  23-Nov-2026 12:43:37 
  R:rob@example.net:<alice@example.org> -44 13133 H=mail.example.net [192.0.2.5]: 451 4.7.1 Greylisting
23-Nov-2026 12:44:43  23-Nov-2026 12:45:24  23-Nov-2026 12:45:39 
  R:example.edu -32 0 lookup failed
23-Nov-2026 12:44:43  23-Nov-2026 12:45:24  23-Nov-2026 12:45:39 
odd
`;

describe('exim_dumpdb and exinext', () => {
  it('give each key apart, with times and whether it is past its cutoff', () => {
    const { records, unread } = readRetryData(DUMP);
    expect(unread).toEqual([13]);
    expect(records).toMatchObject([
      {
        about: 'message',
        host: 'mx.example.com',
        ip: '192.0.2.26',
        messageId: '1xVTMY-0008OX-24',
        errno: 110,
      },
      { about: 'host', host: 'mx.example.com', ip: '2001:db8::1a', expired: true, moreErrno: 77 },
      { about: 'host', host: '192.0.2.9', ip: '192.0.2.9', port: 2525 },
      { about: 'host', ip: '2001:db8::1a', port: 26 },
      { about: 'address', address: 'rob@example.net', sender: 'alice@example.org', errno: -44 },
      { about: 'domain', address: 'example.edu', kind: 'routing' },
    ]);
    expect(records[4]).toMatchObject({
      first_failed: '2026-11-23T12:44:43',
      last_tried: '2026-11-23T12:45:24',
      next_try: '2026-11-23T12:45:39',
    });
  });

  it('say the same in the words of exinext', () => {
    const told = `Transport: mx.example.com [192.0.2.26]:2525 1xVTMY-0008OX-24 error 110: Connection timed out
  first failed: 23-Nov-2026 12:42:27
  last tried:   23-Nov-2026 12:43:22
  next try at:  23-Nov-2026 12:43:37
  past final cutoff time
Route: rob@example.net:<> error -44: 451 later
  first failed: 23-Nov-2026 12:42:27
`;
    expect(detectRetryData(Buffer.from(told))).toBe(true);
    expect(detectRetryData(Buffer.from(DUMP))).toBe(true);
    const { records, unread } = readRetryData(told);
    expect(unread).toEqual([]);
    expect(records).toMatchObject([
      {
        host: 'mx.example.com',
        port: 2525,
        messageId: '1xVTMY-0008OX-24',
        next_try: '2026-11-23T12:43:37',
        expired: true,
      },
      { kind: 'routing', address: 'rob@example.net', sender: '', errno: -44, last_tried: null },
    ]);
  });
});

/** Exim itself fills a queue and tries it once; what it prints of it must be what was put in. */
const EXIM = ['/usr/sbin/exim4', '/usr/sbin/exim'].find((path) => existsSync(path));
const DUMPDB = existsSync('/usr/sbin/exim_dumpdb');
const isRoot = process.getuid?.() === 0;

describe.skipIf(!EXIM || !isRoot)('a real queue', () => {
  let dir: string;
  let queue = '';
  let dump = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'culprit-queue-'));
    const spool = join(dir, 'spool');
    chmodSync(dir, 0o755);
    mkdirSync(spool);
    execFileSync('chown', ['Debian-exim:Debian-exim', spool]);
    const conf = join(dir, 'exim.conf');
    writeFileSync(
      conf,
      `keep_environment =
spool_directory = ${spool}
log_file_path = ${spool}/log-%s
primary_hostname = mx1.example.com
begin routers
out:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  port = 1
begin retry
* * F,2h,15m; F,4d,6h
`,
    );
    const exim = (args: string[], input = '') =>
      execFileSync(EXIM!, ['-C', conf, ...args], {
        input,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
      });
    exim(['-odq', '-f', 'a@example.com', 'x@example.net', 'z@example.net'], 'Subject: x\n\nhi\n');
    exim(['-odq', '-f', '<>', 'bounced@example.net'], `Subject: y\n\n${'hello\n'.repeat(1_000)}`);
    exim(['-qf']);
    queue = exim(['-bp']);
    if (DUMPDB) dump = execFileSync('/usr/sbin/exim_dumpdb', [spool, 'retry'], { encoding: 'utf8' });
    expect(readdirSync(join(spool, 'input')).length).toBe(4);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('is read whole', () => {
    const { messages, unread } = readEximQueue(queue);
    expect(unread).toEqual([]);
    expect(messages.map((m) => [m.sender, m.recipients.map((r) => r.address), m.frozen])).toEqual([
      ['a@example.com', ['x@example.net', 'z@example.net'], false],
      ['', ['bounced@example.net'], false],
    ]);
    expect(messages[1]!.size_bytes).toBeGreaterThan(6_000);
    expect(messages[0]!.age_s).toBe(0);
  });

  it.skipIf(!DUMPDB)('has retry data for the host that refused', () => {
    const { records, unread } = readRetryData(dump);
    expect(unread).toEqual([]);
    expect(records).toMatchObject([{ about: 'host', host: '127.0.0.1', ip: '127.0.0.1', errno: 111 }]);
    const [record] = records;
    expect(Date.parse(record!.next_try!) - Date.parse(record!.last_tried!)).toBe(900_000);
  });
});
