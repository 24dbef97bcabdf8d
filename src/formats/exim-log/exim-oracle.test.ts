import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEximLog } from '../../../bench/mail-data.js';
import { type MailRecord, type ReadMail, readMail } from '../../../test/read-mail.js';
import { detectEximLog } from './detect.js';
import { EximLogReader } from './log-reader.js';

/**
 * Exim itself says what is right: it is sent messages, its deliveries meet a server that answers as told, and what
 * culprit reads in its logs must be what was sent and answered. Its own eximstats must count the same.
 */
const EXIM = ['/usr/sbin/exim4', '/usr/sbin/exim'].find((path) => existsSync(path));
const EXIMSTATS = ['/usr/sbin/eximstats', '/usr/bin/eximstats'].find((path) => existsSync(path));
/** Only root may name another configuration and keep the rights to deliver. */
const asRoot = process.getuid?.() === 0;

const read = (path: string) =>
  readMail((onBatch) => new EximLogReader({}, [1, 2], onBatch), [readFileSync(path)]);

const config = (dir: string, port: number, selector: string) => `
spool_directory = ${dir}/spool
log_file_path = ${dir}/%slog
primary_hostname = mx.here.example
log_selector = ${selector}
tls_advertise_hosts =
message_size_limit = 20K
acl_smtp_helo = helo
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_not_smtp = accept
keep_environment =
begin acl
helo:
  deny condition = \${if eq{$sender_helo_name}{bad.example}}
  accept
rcpt:
  deny local_parts = refused
       message = relay not permitted
  defer local_parts = later
       message = greylisted
  warn local_parts = warned
       log_message = odd recipient
  accept
data:
  deny condition = \${if match{$h_subject:}{spam}}
       message = we do not like "this"
  accept
begin routers
hole:
  driver = redirect
  local_parts = hole
  data = :blackhole:
failing:
  driver = redirect
  local_parts = nobody
  data = :fail: no such person
  allow_fail
deferring:
  driver = redirect
  local_parts = waiting
  data = :defer: not now: later
  allow_defer
alias:
  driver = redirect
  local_parts = alias
  data = remote1@there.example, ${dir}/out/file, "|/usr/bin/tee ${dir}/out/tee"
  file_transport = file
  pipe_transport = pipe
remote:
  driver = manualroute
  domains = there.example
  route_list = * 127.0.0.1
  self = send
  transport = out
refusing:
  driver = manualroute
  domains = closed.example
  route_list = * 127.0.0.1::1
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = ${port}
  allow_localhost
  hosts_try_fastopen =
file:
  driver = appendfile
  user = nobody
pipe:
  driver = pipe
  user = nobody
  return_output = false
begin retry
* * F,2h,15m
`;

/** A host that takes mail, or not, as the recipient's name says. */
function host(): Promise<Server> {
  const server = createServer((socket) => {
    let data = false;
    socket.on('error', () => socket.destroy());
    socket.write('220 mail.there.example ESMTP\r\n');
    let rest = '';
    socket.on('data', (part) => {
      rest += part.toString('latin1');
      for (let at = rest.indexOf('\r\n'); at >= 0; at = rest.indexOf('\r\n')) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 2);
        if (data) {
          if (line === '.') {
            data = false;
            socket.write('250-2.0.0 "queued"\r\n250 2.0.0 as \\42\r\n');
          }
        } else if (line.startsWith('EHLO'))
          socket.write('250-mail.there.example\r\n250-SIZE\r\n250 PIPELINING\r\n');
        else if (/RCPT TO:<unknown/.test(line)) socket.write('550-5.1.1 no such\r\n550 5.1.1 user here\r\n');
        else if (/RCPT TO:<busy/.test(line)) socket.write('451 4.7.1 Greylisting in action: later\r\n');
        else if (line === 'DATA') {
          data = true;
          socket.write('354 go on\r\n');
        } else if (line === 'QUIT') socket.end('221 bye\r\n');
        else socket.write('250 2.1.0 ok\r\n');
      }
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const letter = (subject: string, body = 'Hello') =>
  `Subject: ${subject}\r\nMessage-Id: <${subject}@here.example>\r\n\r\n${body}\r\n.\r\n`;

/** What a client says over SMTP, all of it. */
const SESSION = [
  'EHLO client.example\r\n',
  'NONSENSE\r\n',
  'MAIL FROM:<bob@here.example>\r\nRCPT TO:<refused@there.example>\r\nRCPT TO:<later@there.example>\r\nRCPT TO:<warned@there.example>\r\nRCPT TO:<remote2@there.example>\r\nRCPT TO:<"two words"@there.example>\r\n',
  `DATA\r\n${letter('one')}`,
  'MAIL FROM:<>\r\nRCPT TO:<alias@here.example>\r\n',
  `DATA\r\n${letter('two')}`,
  'MAIL FROM:<bob@here.example>\r\nRCPT TO:<nobody@here.example>\r\nRCPT TO:<hole@here.example>\r\nRCPT TO:<waiting@here.example>\r\n',
  `DATA\r\n${letter('three')}`,
  'MAIL FROM:<bob@here.example>\r\nRCPT TO:<busy@there.example>\r\nRCPT TO:<unknown@there.example>\r\nRCPT TO:<remote3@there.example>\r\nRCPT TO:<x@closed.example>\r\n',
  `DATA\r\n${letter('four')}`,
  'MAIL FROM:<spammer@here.example>\r\nRCPT TO:<remote4@there.example>\r\n',
  `DATA\r\n${letter('spam')}`,
  'MAIL FROM:<bob@here.example>\r\nRCPT TO:<remote5@there.example>\r\n',
  `DATA\r\n${letter('large', 'x'.repeat(900).concat('\r\n').repeat(40))}`,
  'MAIL FROM:<bob@here.example>\r\nRSET\r\n',
  'QUIT\r\n',
];

function run(dir: string, args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const exim = spawn(EXIM!, ['-C', join(dir, 'conf'), ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    exim.stdout.on('data', (part: Buffer) => {
      said += part.toString();
    });
    exim.stderr.on('data', (part: Buffer) => {
      said += part.toString();
    });
    exim.on('error', reject);
    exim.on('close', () => resolve(said));
    exim.stdin.on('error', () => undefined);
    exim.stdin.end(input);
  });
}

describe.skipIf(!EXIM || !asRoot).each([
  ['Debian’s default', '+smtp_protocol_error +smtp_syntax_error +tls_certificate_verified +tls_peerdn'],
  ['all', '+all'],
  ['all with zones', '+all\nlog_timezone\ntimezone = Europe/Berlin'],
])('Exim, log_selector %s', (_name, selector) => {
  let dir = '';
  let server: Server;
  let main: ReadMail;
  const started = Date.now();

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'culprit-exim-'));
    chmodSync(dir, 0o777);
    for (const name of ['spool', 'out']) {
      mkdirSync(join(dir, name));
      chmodSync(join(dir, name), 0o777);
    }
    server = await host();
    writeFileSync(join(dir, 'conf'), config(dir, (server.address() as AddressInfo).port, selector));
    const client = ['-oMa', '192.0.2.7.4321', '-oMi', '192.0.2.1.25', '-odf'];
    await run(dir, [...client, '-bs'], SESSION.join(''));
    await run(dir, [...client, '-bs'], 'EHLO bad.example\r\nHELO a b\r\nQUIT\r\n');
    await run(
      dir,
      ['-odf', '-f', 'cron@here.example', 'remote6@there.example'],
      letter('local').replaceAll('\r', ''),
    );
    await run(dir, ['-q']);
    await run(dir, ['-qff']);
    main = read(join(dir, 'mainlog'));
  }, 60_000);

  afterAll(() => {
    server?.close();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  const rows = (kind: MailRecord['kind']) => main.records.filter((record) => record.kind === kind);

  it('every line of its logs is read, and nothing of any is left out', () => {
    for (const log of ['mainlog', 'rejectlog'].map((name) => join(dir, name))) {
      const whole = read(log);
      expect(whole.counts).toEqual({});
      expect(whole.records.filter(({ flags }) => flags?.includes('partly'))).toEqual([]);
      const bytes = readFileSync(log);
      expect(detectEximLog(bytes.subarray(0, 65_536), 'x')).not.toBeNull();
    }
  });

  it('tells which messages came', () => {
    const arrivals = rows('arrival').filter(({ related }) => related === undefined);
    expect(arrivals.map(({ address, header }) => [address, header])).toEqual([
      ['bob@here.example', 'one@here.example'],
      [undefined, 'two@here.example'],
      ['bob@here.example', 'three@here.example'],
      ['bob@here.example', 'four@here.example'],
      ['cron@here.example', 'local@here.example'],
    ]);
    for (const { ip, host, protocol } of arrivals.slice(0, 4))
      expect([ip, host, protocol]).toEqual(['192.0.2.7', '(client.example)', 'esmtp']);
    for (const { message, address, bytes } of arrivals) {
      expect(bytes).toBeGreaterThan(100);
      const named = rows('arrivalFor').filter((row) => row.message === message);
      if (selector.startsWith('+all') && address === 'cron@here.example')
        expect(named.map((row) => row.address)).toEqual(['remote6@there.example']);
    }
  });

  it('tells what became of each recipient', () => {
    const by = (kind: MailRecord['kind']) => [...new Set(rows(kind).map(({ address }) => address))].sort();
    expect(by('delivered').concat(by('deliveredAlso')).sort()).toEqual(
      expect.arrayContaining([
        'two words@there.example',
        `${dir}/out/file`,
        ':blackhole:',
        'remote1@there.example',
        'remote2@there.example',
        'remote3@there.example',
        'remote6@there.example',
        'warned@there.example',
        `|/usr/bin/tee ${dir}/out/tee`,
      ]),
    );
    // The bounces have nowhere to go.
    expect(by('failed')).toEqual(['bob@here.example', 'nobody@here.example', 'unknown@there.example']);
    expect(by('deferred')).toEqual(
      expect.arrayContaining(['busy@there.example', 'waiting@here.example', 'x@closed.example']),
    );
    for (const address of ['remote1@there.example', `${dir}/out/file`, `|/usr/bin/tee ${dir}/out/tee`])
      expect(main.records.find((row) => row.address === address)).toHaveProperty(
        'original',
        'alias@here.example',
      );
  });

  it('tells what the other side said', () => {
    const delivered = rows('delivered').find(({ address }) => address === 'remote6@there.example')!;
    expect(delivered).toMatchObject({
      code: 250,
      dsn: '2.0.0',
      ip: '127.0.0.1',
      router: 'remote',
      transport: 'out',
    });
    expect(String(delivered.reply)).toMatch(/^250-2\.0\.0 "queued"/);
    const failed = rows('failed').find(({ address }) => address === 'unknown@there.example')!;
    expect(failed).toMatchObject({ code: 550, dsn: '5.1.1' });
    expect(failed.reply).toBe(
      'SMTP error from remote mail server after RCPT TO:<unknown@there.example>: 550-5.1.1 no such\n550 5.1.1 user here',
    );
    const greylisted = rows('deferred').find(({ address }) => address === 'busy@there.example')!;
    expect(greylisted).toMatchObject({ code: 451, dsn: '4.7.1', errno: -44 });
    const closed = rows('deferred').find(({ address }) => address === 'x@closed.example')!;
    expect(closed).toMatchObject({ errno: 111, reply: 'Connection refused' });
    expect(rows('failed').find(({ address }) => address === 'nobody@here.example')).toHaveProperty(
      'reply',
      'no such person',
    );
  });

  it('tells what was refused', () => {
    const refused = rows('rejected').map(({ address, reply }) => [address, reply]);
    expect(refused).toEqual(
      expect.arrayContaining([
        ['refused@there.example', 'relay not permitted'],
        ['later@there.example', 'temporarily rejected RCPT <later@there.example>: greylisted'],
        [undefined, 'rejected after DATA: we do not like "this"'],
      ]),
    );
    for (const { ip } of rows('rejected')) if (ip !== undefined) expect(ip).toBe('192.0.2.7');
    const log = read(join(dir, 'rejectlog'));
    expect(log.lines).toBeGreaterThan(log.records.length);
  });

  it('tells when', () => {
    for (const { time, zone_min } of main.records) {
      if (zone_min === undefined) continue;
      expect(Date.parse(time)).toBeGreaterThan(started - 2000);
      expect(Date.parse(time)).toBeLessThan(Date.now() + 2000);
    }
    if (selector.includes('log_timezone'))
      expect(main.records.every((row) => row.zone_min === 60 || row.zone_min === 120)).toBe(true);
    if (selector.startsWith('+all'))
      for (const row of rows('delivered').filter(({ address }) => address !== ':blackhole:')) {
        expect(row.queue_ms).toBeGreaterThanOrEqual(0);
        expect(row.delivery_ms).toBeLessThan(60_000);
        expect(row.pid).toBeGreaterThan(1);
      }
  });
});

describe.skipIf(!EXIMSTATS)('eximstats', () => {
  it('counts the same', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'culprit-eximstats-'));
    try {
      const log = join(dir, 'mainlog');
      await makeEximLog(log, 20_000);
      const { records, counts } = read(log);
      expect(counts).toEqual({});
      const said = execFileSync(EXIMSTATS!, ['-nr', '-nt', '-ne', '-h0', '-q0', '-t0', log], {
        encoding: 'utf8',
      });
      const received = /Received\s+\S+\s+(\d+)\s+\d+\s+(\d+)\s+\S+%\s+(\d+)/.exec(said)!;
      const delivered = /Delivered\s+\S+\s+(\d+)\s+(\d+)/.exec(said)!;
      const arrived = new Set(records.filter(({ kind }) => kind === 'arrival').map(({ message }) => message));
      const messages = (kind: MailRecord['kind']) =>
        new Set(
          records
            .filter((row) => row.kind === kind && arrived.has(row.message))
            .map(({ message }) => message),
        ).size;
      const rows = (kind: MailRecord['kind']) => records.filter((row) => row.kind === kind).length;
      expect([
        arrived.size,
        messages('deferred'),
        messages('failed'),
        rows('delivered'),
        rows('delivered') + rows('deliveredAlso'),
      ]).toEqual([...received.slice(1), ...delivered.slice(1)].map(Number));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
