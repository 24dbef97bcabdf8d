import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, type MailRecord, readMail } from '../../../test/read-mail.js';
import { MailRows } from '../mail-log/rows.js';
import { Unread } from '../unread.js';
import { detectEximLog } from './detect.js';
import { EximLines } from './exim-lines.js';
import { EximLogReader } from './log-reader.js';

const read = (...chunks: (string | Uint8Array)[]) =>
  readMail((onBatch) => new EximLogReader({}, [1, 2], onBatch, 1 << 16), chunks);

/** The only row of a line, without what every row has. */
function row(text: string): Omit<MailRecord, 'line' | 'time'> {
  const { records, counts } = read(text);
  expect(counts).toEqual({});
  expect(records).toHaveLength(1);
  const { line: _line, time: _time, ...rest } = records[0]!;
  return rest;
}

const AT = '2026-11-23 12:44:05';
const ID = '1xVTOy-0002GS-1n';
const of = (text: string) => row(`${AT} ${ID} ${text}\n`);
const alone = (text: string) => row(`${AT} ${text}\n`);

describe('the stamp', () => {
  it.each([
    ['2026-11-23 12:44:05 ', '2026-11-23T12:44:05.000Z', undefined, undefined],
    ['2026-11-23 12:44:05.087 ', '2026-11-23T12:44:05.087Z', undefined, undefined],
    ['2026-11-23 12:44:05 +0100 ', '2026-11-23T11:44:05.000Z', 60, undefined],
    ['2026-11-23 12:44:05.087 -0330 ', '2026-11-23T16:14:05.087Z', -210, undefined],
    ['2026-11-23 12:44:05 [8576] ', '2026-11-23T12:44:05.000Z', undefined, 8576],
    ['2026-11-23 12:44:05.087 +0000 [8576] ', '2026-11-23T12:44:05.087Z', 0, 8576],
    ['2024-02-29 23:59:60 ', '2024-03-01T00:00:00.000Z', undefined, undefined],
  ])('%s', (stamp, time, zone_min, pid) => {
    for (const text of [`${ID} Completed`, '1xVTOy-00000002GSa-1nXy Completed', 'End queue run: pid=8576']) {
      const [record] = read(`${stamp}${text}`).records;
      expect(record).toMatchObject({ time, ...(zone_min === undefined ? {} : { zone_min }) });
      if (zone_min === undefined) expect(record).not.toHaveProperty('zone_min');
      if (pid) expect(record).toHaveProperty('pid', pid);
    }
  });

  it.each([
    '2026-11-31 12:44:05 1xVTOy-0002GS-1n Completed',
    '2026-02-29 12:44:05 1xVTOy-0002GS-1n Completed',
    '2026-11-23 24:44:05 1xVTOy-0002GS-1n Completed',
    '2026-11-23 12:44:75 1xVTOy-0002GS-1n Completed',
    '2026-11-23T12:44:05 1xVTOy-0002GS-1n Completed',
    '2026-11-23 12:44:05',
    '1xVTOy-0002GS-1n Completed',
  ])('is none: %s', (line) => {
    expect(read(line)).toMatchObject({ read: 0, lines: 1 });
  });

  it('is read anew when only the minute, or only the day, differs', () => {
    const { records } = read(
      ['2026-11-23 12:44:05', '2026-11-23 12:45:05', '2026-11-24 12:45:05', '2025-11-24 12:45:05']
        .map((at) => `${at} ${ID} Completed\n`)
        .join(''),
    );
    expect(records.map(({ time }) => time)).toEqual([
      '2026-11-23T12:44:05.000Z',
      '2026-11-23T12:45:05.000Z',
      '2026-11-24T12:45:05.000Z',
      '2025-11-24T12:45:05.000Z',
    ]);
  });
});

describe('arrivals', () => {
  it('reads everything that log_selector can add', () => {
    const line =
      `<= news@example.org R=1xVTOx-0002GR-1m DS H=mail.example.org (helo.example.org) [192.0.2.7]:37942 I=[192.0.2.1]:25 TFO* U=ident ` +
      `Ci=1234 P=esmtpsa L* SPF=pass X=TLS1.3:ECDHE:256 CV=no SNI=mx.example.org DN="/CN=a b" A=plain:bob PRDR PRX=10.0.0.1 K ` +
      `S=4672 M8S=8 DKIM=example.org DMARC=pass ARC RT=1m2s Q=slow id=5e42@example.org T="say \\"hi\\" for S=9 \\\\" from <news@example.org>`;
    expect(of(line)).toEqual({
      kind: 'arrival',
      flags: ['fastOpen', 'fastOpenData', 'chunking', 'pipelining', 'prdr', 'tls'],
      message: ID,
      related: '1xVTOx-0002GR-1m',
      address: 'news@example.org',
      host: 'mail.example.org',
      ip: '192.0.2.7',
      port: 37942,
      local_ip: '192.0.2.1',
      local_port: 25,
      protocol: 'esmtpsa',
      tls: 'TLS1.3:ECDHE:256',
      header: '5e42@example.org',
      bytes: 4672,
      receive_ms: 62_000,
    });
  });

  it('knows a name that is only what the client called itself', () => {
    expect(of('<= a@b.example H=(ws1) [192.0.2.7] P=smtp S=1')).toMatchObject({
      host: '(ws1)',
      ip: '192.0.2.7',
    });
    expect(of('<= a@b.example H=([192.0.2.8]) [192.0.2.7] P=smtp S=1')).toMatchObject({
      host: '([192.0.2.8])',
      ip: '192.0.2.7',
    });
    expect(of('<= a@b.example H=(odd) [x] helo) [2001:db8::7] P=smtp S=1')).toMatchObject({
      kind: 'arrival',
    });
    const bare = of('<= a@b.example H=[192.0.2.7]:4 P=smtp L- S=1');
    expect(bare).toMatchObject({ ip: '192.0.2.7', port: 4 });
    expect(bare).not.toHaveProperty('host');
    expect(bare).not.toHaveProperty('flags');
  });

  it('has no sender in a bounce, and refers to what bounced', () => {
    expect(of('<= <> R=1xVTOx-0002GR-1m U=Debian-exim P=local S=2000')).toEqual({
      kind: 'arrival',
      flags: ['nullSender'],
      message: ID,
      related: '1xVTOx-0002GR-1m',
      protocol: 'local',
      bytes: 2000,
    });
  });

  it('is an arrival too when the sender was told that it is none', () => {
    expect(of('(= a@b.example H=[192.0.2.7] P=smtp S=1')).toMatchObject({
      kind: 'arrival',
      address: 'a@b.example',
    });
  });

  it('gives each recipient a row, be its local part quoted', () => {
    const { records } = read(
      `${AT} [7] ${ID} <= a@b.example U=a P=local S=631 T="x" from <a@b.example> for one@c.example "two words"@c.example three@c.example\n`,
    );
    expect(
      records.map(({ kind, address, recipients, bytes, pid, message }) => [
        kind,
        address,
        recipients,
        bytes,
        pid,
        message,
      ]),
    ).toEqual([
      ['arrival', 'a@b.example', 3, 631, 7, ID],
      ['arrivalFor', 'one@c.example', undefined, undefined, 7, ID],
      ['arrivalFor', '"two words"@c.example', undefined, undefined, 7, ID],
      ['arrivalFor', 'three@c.example', undefined, undefined, 7, ID],
    ]);
  });

  it('reads 50,000 recipients of one message', () => {
    const many = Array.from({ length: 50_000 }, (_, n) => `r${n}@c.example`);
    const { records } = read(`${AT} ${ID} <= a@b.example U=a P=local S=631 for ${many.join(' ')}\n`);
    expect(records[0]).toMatchObject({ kind: 'arrival', recipients: 50_000 });
    expect(records.slice(1).map(({ address }) => address)).toEqual(many);
  });
});

describe('deliveries', () => {
  it('reads everything that log_selector can add', () => {
    expect(
      of(
        '=> pat@example.net <Pat@example.com> F=<a@b.example> Q=slow P=<a@b.example> R=dnslookup T=remote_smtp S=4745 H=mx.example.net DS [2001:db8::21]:25* PRX=[10.0.0.1]:9 I=[2001:db8::2]:56336 TFO PS=es X=TLS1.3:AES:256* CV=dane DN="CN=mx, O="Quoted", Ltd" A=plain:bob L* PRDR K DKIM=b.example C="250 2.6.0 <1@mail> said \\"ok\\" -> 250 2.1.5" QT=3d5h6m7s DT=0.304s',
      ),
    ).toEqual({
      kind: 'delivered',
      flags: ['fastOpen', 'chunking', 'pipelining', 'prdr', 'verified', 'dane', 'tls', 'reused'],
      message: ID,
      address: 'pat@example.net',
      original: 'Pat@example.com',
      host: 'mx.example.net',
      ip: '2001:db8::21',
      port: 25,
      local_ip: '2001:db8::2',
      local_port: 56336,
      router: 'dnslookup',
      transport: 'remote_smtp',
      tls: 'TLS1.3:AES:256*',
      dsn: '2.6.0',
      reply: '250 2.6.0 <1@mail> said "ok" -> 250 2.1.5',
      code: 250,
      bytes: 4745,
      queue_ms: ((3 * 24 + 5) * 60 + 6) * 60_000 + 7000,
      delivery_ms: 304,
    });
  });

  it.each([
    ['=> marv <marv@example.org> R=localuser T=local_delivery', 'delivered', 'marv', 'marv@example.org'],
    [
      '=> /var/mail/a b (x@y.example) <c@d.example> R=r T=address_file',
      'delivered',
      '/var/mail/a b',
      'c@d.example',
    ],
    ['=> save inbox <c@d.example> R=r T=address_file', 'delivered', 'save inbox', 'c@d.example'],
    [
      '=> |/bin/prog -f <x> R = no T= <y <c@d.example> R=r T=address_pipe',
      'delivered',
      '|/bin/prog -f <x> R = no T= <y',
      'c@d.example',
    ],
    ['=> >a@b.example (x@y.example) <c@d.example> R=r T=reply', 'delivered', '>a@b.example', 'c@d.example'],
    ['=> :blackhole: <hole@d.example> R=blackhole', 'delivered', ':blackhole:', 'hole@d.example'],
    ['=> discarded <low.club@d.example> R=userforward', 'delivered', 'discarded', 'low.club@d.example'],
    ['=> discarded (system filter)', 'delivered', 'discarded', undefined],
    ['=> blackhole (RCPT ACL discarded recipients)', 'delivered', 'blackhole', undefined],
    [
      '=> a@b.example (c@d.example, "e f"@g.example) <h@i.example> R=r T=t',
      'delivered',
      'a@b.example',
      'h@i.example',
    ],
    [
      '-> "two words"@b.example <c@d.example> R=r T=t',
      'deliveredAlso',
      '"two words"@b.example',
      'c@d.example',
    ],
    [
      '-> two words@b.example <"two words"@b.example> R=r T=t',
      'deliveredAlso',
      'two words@b.example',
      '"two words"@b.example',
    ],
    ['=> three odd words@b.example R=r T=t', 'delivered', 'three odd words@b.example', undefined],
    ['>> a@b.example R=r T=t H=h.example [192.0.2.1]', 'cutthrough', 'a@b.example', undefined],
    ['*> a@b.example R=r T=t', 'suppressed', 'a@b.example', undefined],
  ])('%s', (text, kind, address, original) => {
    const record = of(text);
    expect(record).toMatchObject({ kind, address, ...(original ? { original } : {}) });
    if (!original) expect(record).not.toHaveProperty('original');
    if (/R=r /.test(text)) expect(record).toHaveProperty('router', 'r');
  });

  it('goes on behind a shadow transport that failed', () => {
    expect(of('=> a <a@b.example> R=r T=t ST=shadow (cannot write: QT=9s) QT=1s')).toMatchObject({
      queue_ms: 1000,
    });
  });

  it('holds as much time as a column can', () => {
    expect(of('=> a@b.example R=r T=t QT=52w DT=1w2d')).toMatchObject({
      queue_ms: 2_147_483_647,
      delivery_ms: 777_600_000,
    });
  });

  it('says of a value that is not as documented that the row is not whole', () => {
    expect(of('=> a@b.example R=r T=t S=many QT=soon DT=5s')).toMatchObject({
      flags: ['partly'],
      delivery_ms: 5000,
    });
  });
});

describe('deferrals and failures', () => {
  it.each([
    [
      '== p@e.example R=dnslookup T=remote_smtp defer (-44) H=mail.e.example [192.0.2.5]:25 I=[192.0.2.1]:52788 DT=2m7s: SMTP error from remote mail server after RCPT TO:<p@e.example>: 451 4.7.1 Greylisting: come back',
      {
        kind: 'deferred',
        address: 'p@e.example',
        errno: -44,
        host: 'mail.e.example',
        ip: '192.0.2.5',
        port: 25,
        delivery_ms: 127_000,
        code: 451,
        dsn: '4.7.1',
        reply:
          'SMTP error from remote mail server after RCPT TO:<p@e.example>: 451 4.7.1 Greylisting: come back',
      },
    ],
    [
      '== p@e.example R=dnslookup T=remote_smtp defer (-44): SMTP error from remote mail server after RCPT TO:<p@e.example>: host mail.e.example [192.0.2.5]: 450-4.2.0 first\\n450 second',
      {
        errno: -44,
        code: 450,
        dsn: '4.2.0',
        reply:
          'SMTP error from remote mail server after RCPT TO:<p@e.example>: host mail.e.example [192.0.2.5]: 450-4.2.0 first\n450 second',
      },
    ],
    [
      '== p@e.example R=dnslookup T=remote_smtp defer (111): Connection refused',
      { errno: 111, reply: 'Connection refused' },
    ],
    [
      '== p@e.example R=d T=t defer (110): Connection timed out H=mx.e.example [192.0.2.5]:25 DT=5m: SMTP timeout after sending data block (199774 bytes written)',
      {
        errno: 110,
        host: 'mx.e.example',
        delivery_ms: 300_000,
        bytes: 199_774,
        reply: 'SMTP timeout after sending data block (199774 bytes written)',
      },
    ],
    [
      '== p@e.example R=d T=t defer (110): Connection timed out DT=5m',
      { errno: 110, reply: 'Connection timed out', delivery_ms: 300_000 },
    ],
    [
      '== p@e.example routing defer (-51): retry time not reached',
      { errno: -51, reply: 'retry time not reached' },
    ],
    [
      "== p@e.example R=d T=t defer (-54): retry time not reached for any host for 'e.example'",
      { errno: -54, reply: "retry time not reached for any host for 'e.example'" },
    ],
    [
      '== /var/mail/x <x@e.example> R=d T=t defer (0): mailbox is locked',
      { address: '/var/mail/x', original: 'x@e.example', reply: 'mailbox is locked' },
    ],
    ['== p@e.example defer (-1): ', { errno: -1 }],
    [
      '== local routing defer (-1): x@y.example is odd',
      { address: 'local', errno: -1, reply: 'x@y.example is odd' },
    ],
  ])('%s', (text, expected) => {
    expect(of(text)).toMatchObject(expected);
  });

  it.each([
    [
      '** p@e.example F=<a@b.example> P=<a@b.example> R=d T=t H=mx.e.example [192.0.2.5]:25 X=TLS1.3:A:256 CV=yes DN="CN=x" : SMTP error from remote mail server after pipelined RCPT TO:<p@e.example>: 550 5.1.1 no such user DT=0.5s',
      {
        kind: 'failed',
        address: 'p@e.example',
        flags: ['verified', 'tls'],
        code: 550,
        dsn: '5.1.1',
        delivery_ms: 500,
        reply:
          'SMTP error from remote mail server after pipelined RCPT TO:<p@e.example>: 550 5.1.1 no such user',
      },
    ],
    [
      '** p@e.example R=d T=t: SMTP error from remote mailer after RCPT TO:<p@e.example>: host x [192.0.2.5]: 553 no',
      { router: 'd', transport: 't', code: 553 },
    ],
    [
      '** p@e.example R=d T=t H=mx.e.example [192.0.2.5]: SMTP error from remote mail server after end of data: 552 big',
      { ip: '192.0.2.5', code: 552 },
    ],
    [
      '** jim@t.example <jim@t.example>: unknown mail domain',
      { original: 'jim@t.example', reply: 'unknown mail domain' },
    ],
    [
      '** unknown@e.example : Unrouteable address',
      { address: 'unknown@e.example', reply: 'Unrouteable address' },
    ],
    ['** p@e.example: retry timeout exceeded', { address: 'p@e.example', reply: 'retry timeout exceeded' }],
    [
      '** p@e.example <q@f.example>: retry timeout exceeded',
      { address: 'p@e.example', original: 'q@f.example', reply: 'retry timeout exceeded' },
    ],
    [
      '** |/bin/false <x@e.example> R=r T=address_pipe: Child process of address_pipe transport returned 1 from command: /bin/false',
      { address: '|/bin/false', original: 'x@e.example', transport: 'address_pipe' },
    ],
  ])('%s', (text, expected) => {
    expect(of(text)).toMatchObject(expected);
  });

  it('takes no number for a reply code that is none', () => {
    expect(
      of('== p@e.example R=d T=t defer (-1): smtp transport process returned: 256 things'),
    ).not.toHaveProperty('code');
    expect(
      of('** p@e.example R=d T=t: SMTP error from remote mail server after MAIL: 5501 x'),
    ).not.toHaveProperty('code');
  });
});

describe('other lines of a message', () => {
  it.each([
    ['Completed', { kind: 'completed' }],
    ['Completed QT=0.604s', { kind: 'completed', queue_ms: 604 }],
    ['Frozen (delivery error message)', { kind: 'frozen' }],
    ['*** Frozen (delivery error message)', { kind: 'frozen' }],
    ['frozen by ACL', { kind: 'frozen', reply: 'frozen by ACL' }],
    ['Unfrozen by errmsg timer', { kind: 'unfrozen' }],
    ['unfrozen by root', { kind: 'unfrozen' }],
    ['Message is frozen', { kind: 'waiting' }],
    ['Spool file is locked (another process is handling this message)', { kind: 'waiting' }],
    [
      'Spool file for 1xVTOy-0002GS-1n is locked (another process is handling this message)',
      { kind: 'waiting' },
    ],
    ['no immediate delivery: more than 10 messages received in one connection', { kind: 'waiting' }],
    ['removed by root', { kind: 'removed', reply: 'removed by root' }],
    ['cancelled by timeout_frozen_after', { kind: 'removed' }],
    [
      'H=mx.e.example [192.0.2.83]:25 SMTP timeout after end of data (1234 bytes written): Connection timed out',
      { kind: 'hostError', host: 'mx.e.example', ip: '192.0.2.83', port: 25, bytes: 1234 },
    ],
    [
      'H=mx.e.example [192.0.2.83]:25: SMTP error from remote mail server after initial connection: 421 4.7.0 [TSS04] later',
      { kind: 'hostError', code: 421, dsn: '4.7.0' },
    ],
    ['H=mx.e.example [192.0.2.83] Connection refused', { kind: 'hostError', reply: 'Connection refused' }],
    ['H=mx.e.example [192.0.2.83]: Remote host closed connection in response to EHLO', { kind: 'hostError' }],
    [
      'H=mx.e.example [192.0.2.83]: a TLS session is required, but the server did not offer TLS support',
      { kind: 'tlsError' },
    ],
    [
      'H=mx.e.example [192.0.2.83] TLS error on connection (gnutls_handshake): timed out',
      { kind: 'tlsError' },
    ],
    ['TLS session: (SSL_connect): error', { kind: 'tlsError' }],
    [
      'DANE attempt failed; TLS connection to mx.e.example [192.0.2.83]: none',
      { kind: 'tlsError', ip: '192.0.2.83' },
    ],
    [
      'H=(x) [192.0.2.7] F=<a@b.example> rejected after DATA: spam',
      { kind: 'rejected', reply: 'rejected after DATA: spam' },
    ],
    ['H=x.example [192.0.2.7] Warning: odd', { kind: 'remark', reply: 'Warning: odd' }],
    ['some text of a log_message', { kind: 'remark', reply: 'some text of a log_message' }],
  ])('%s', (text, expected) => {
    expect(of(text)).toMatchObject({ message: ID, ...expected });
  });
});

describe('lines of no message', () => {
  it.each([
    [
      'exim 4.96 daemon started: pid=8576, -q30m, listening for SMTP on port 25 (IPv4)',
      {
        kind: 'daemonStart',
        transport: '4.96',
        pid: 8576,
        reply: 'exim 4.96 daemon started: pid=8576, -q30m, listening for SMTP on port 25 (IPv4)',
      },
    ],
    ['pid 8576: SIGHUP received: re-exec daemon', { kind: 'daemonStart' }],
    ['Start queue run: pid=8587', { kind: 'queueRunStart', pid: 8587 }],
    ['End queue run: pid=8587 -qR', { kind: 'queueRunEnd', pid: 8587, reply: '-qR' }],
    ["Start 'lowpri' queue run: pid=8587", { kind: 'queueRunStart', pid: 8587 }],
    ['cwd=/ 3 args: /usr/sbin/exim4 -bdf -q10s', { kind: 'other' }],
    [
      'SMTP connection from [192.0.2.7]:379 I=[192.0.2.1]:25 (TCP/IP connection count = 1)',
      {
        kind: 'connection',
        ip: '192.0.2.7',
        port: 379,
        local_port: 25,
        reply: '(TCP/IP connection count = 1)',
      },
    ],
    [
      'SMTP connection from (ws1) [192.0.2.7] closed by QUIT',
      { kind: 'connection', host: '(ws1)', reply: 'closed by QUIT' },
    ],
    [
      'SMTP connection from x.example (ws1) [192.0.2.7] lost D=3s',
      { kind: 'connection', host: 'x.example', ip: '192.0.2.7' },
    ],
    [
      'unexpected disconnection while reading SMTP command from (x) [192.0.2.7] D=3s',
      { kind: 'connection', host: '(x)', receive_ms: 3000 },
    ],
    [
      'SMTP command timeout on connection from [192.0.2.7]:5 I=[192.0.2.1]:25 D=5m',
      { kind: 'connection', receive_ms: 300_000 },
    ],
    ['no MAIL in SMTP connection from (x) [192.0.2.7] D=1s C=EHLO,QUIT', { kind: 'connection' }],
    [
      'SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[192.0.2.7] input="GET / "',
      { kind: 'connection', ip: '192.0.2.7' },
    ],
    [
      'SMTP syntax error in "HELO a b" H=[192.0.2.7] unrecognized command',
      { kind: 'connection', ip: '192.0.2.7' },
    ],
    [
      'SMTP call from [192.0.2.7] dropped: too many nonmail commands (last was "NOOP")',
      { kind: 'connection', ip: '192.0.2.7' },
    ],
    [
      'TLS error on connection from (x) [192.0.2.7] (gnutls_handshake): no',
      { kind: 'tlsError', ip: '192.0.2.7', reply: '(gnutls_handshake): no' },
    ],
    [
      'H=(x) [192.0.2.7] F=<a@b.example> rejected RCPT <c@d.example>: relay not permitted',
      { kind: 'rejected', address: 'c@d.example', reply: 'relay not permitted' },
    ],
    [
      'H=(x) [192.0.2.7] F=<a@b.example> temporarily rejected RCPT <c@d.example>: greylisted',
      {
        kind: 'rejected',
        address: 'c@d.example',
        reply: 'temporarily rejected RCPT <c@d.example>: greylisted',
      },
    ],
    ['H=[192.0.2.7] rejected connection in "connect" ACL: listed', { kind: 'rejected', ip: '192.0.2.7' }],
    ['H=[192.0.2.7] rejected EHLO or HELO me: no', { kind: 'rejected' }],
    [
      'H=(x) [192.0.2.7] X=TLS1.3:A:256 CV=no rejected MAIL <a@b.example>: no',
      { kind: 'rejected', tls: 'TLS1.3:A:256' },
    ],
    [
      'H=(x) [192.0.2.7] incomplete transaction (QUIT) from <a@b.example> for c@d.example',
      { kind: 'connection' },
    ],
    [
      'rejected HELO from [192.0.2.7]: syntactically invalid argument(s): a b',
      { kind: 'rejected', ip: '192.0.2.7' },
    ],
    [
      'rejected MAIL FROM:<a@b.example> H=(x) [192.0.2.7]: message too big: size=9 max=1',
      { kind: 'rejected', ip: '192.0.2.7' },
    ],
    [
      'login_saslauthd authenticator failed for (x) [192.0.2.7]: 535 Incorrect authentication data (set_id=a)',
      { kind: 'rejected', ip: '192.0.2.7' },
    ],
    ['U=bob F=<> rejected RCPT <c@d.example>', { kind: 'rejected', address: 'c@d.example' }],
    ['ident connection to [192.0.2.7] timed out', { kind: 'other', ip: '192.0.2.7' }],
    ['no host name found for IP address 192.0.2.7', { kind: 'other' }],
    ['list matching forced to fail: failed to find host name for 192.0.2.7', { kind: 'other' }],
    [
      'socket bind() to port 25 for address (any IPv4) failed: Address already in use: daemon abandoned',
      { kind: 'warning' },
    ],
    ['Exim configuration error in line 7 of /etc/exim4/exim4.conf:', { kind: 'warning' }],
    [
      'Failed to create spool file /var/spool/exim4//input//1xVTOy-0002GS-1n-D: Permission denied',
      { kind: 'warning' },
    ],
  ])('%s', (text, expected) => {
    expect(alone(text)).toMatchObject(expected);
  });

  it('are text of the administrator’s own when Exim says no such thing, and no sign of Exim', () => {
    const text = `${AT} status installed libc6:amd64 2.36-9\n`;
    expect(read(text).counts).toEqual({});
    expect(detectEximLog(Buffer.from(text.repeat(50)), 'mainlog')).toBeNull();
  });
});

describe('entries of several lines', () => {
  const REJECTED = [
    `${AT} ${ID} H=(x) [192.0.2.7] F=<a@b.example> rejected after DATA: spam`,
    'Envelope-from: <a@b.example>',
    'Envelope-to: <c@d.example>',
    '    <e@d.example>',
    'P Received: from [192.0.2.7] (helo=x)',
    '\tby mx.d.example with esmtp (Exim 4.96)',
    '* From: rewritten@b.example',
    'I Message-Id: <1@b.example>',
    '  Subject: buy',
    `${AT} Exim configuration error in line 7 of /etc/exim4/exim4.conf:`,
    '  main option "foo" unknown',
  ];

  it('are read and give no rows of their own', () => {
    const log = read(REJECTED.join('\n'));
    expect(log).toMatchObject({ read: 11, lines: 11, counts: {} });
    expect(log.records.map(({ line, kind }) => [line, kind])).toEqual([
      [0, 'rejected'],
      [9, 'warning'],
    ]);
  });

  it('end with a line that is none of them', () => {
    const log = read(`${REJECTED[0]}\nGET / HTTP/1.1\n  Subject: buy\n`);
    expect(log).toMatchObject({ read: 1, lines: 3 });
  });
});

describe('the body of a syslog line', () => {
  function body(text: string, zone = -32_768): { why: number; rows: MailRows } {
    const rows = new MailRows(1, 2);
    const bytes = new Uint8Array(4096);
    bytes.set(Buffer.from(text), 5);
    rows.buffer = bytes;
    rows.view = new DataView(bytes.buffer);
    rows.clear();
    rows.seconds = 100;
    rows.zone = zone;
    rows.pid = 5;
    return { why: new EximLines().body(rows, 5, 5 + Buffer.byteLength(text), 0), rows };
  }

  it('keeps the time it is given where Exim writes none', () => {
    const { why, rows } = body(`${ID} Completed`);
    expect([why, rows.count, rows.seconds, rows.pid]).toEqual([Unread.none, 1, 100, 5]);
  });

  it('takes Exim’s own stamp for one without a year, and its pid', () => {
    const { rows } = body(`2026-11-23 12:44:05 [77] ${ID} Completed`);
    expect([rows.count, rows.seconds, rows.pid]).toEqual([1, Date.UTC(2026, 10, 23, 12, 44, 5) / 1000, 77]);
  });

  it('keeps a time that has a zone', () => {
    expect(body(`2026-11-23 12:44:05 ${ID} Completed`, 60).rows.seconds).toBe(100);
  });

  it('reads the first part of an entry that was split, and passes the others', () => {
    const cut = body(`[1/3] 2026-11-23 12:44:05 ${ID} => a@b.example R=dnslo`);
    expect([cut.why, cut.rows.count, cut.rows.flags]).toEqual([Unread.none, 1, 1024]);
    expect(body(`[1\\3] ${ID} rejected from <a@b.example>`).rows.flags).toBe(0);
    for (const part of ['[2/3] okup T=remote_smtp', '[13\\26] I Message-Id: <1@b.example>'])
      expect([body(part).why, body(part).rows.count]).toEqual([Unread.none, 0]);
  });
});

describe('hostile bytes', () => {
  const PIECES = [
    ...[
      AT,
      `${AT}.5 +0100 [9]`,
      ID,
      '<=',
      '=>',
      '==',
      '**',
      'a@b.example',
      '<c@d.example>',
      '"',
      '\\',
      '(',
      ')',
      '[',
      ']',
    ],
    ...[
      'H=',
      'H=x [192.0.2.1]:25',
      'I=[::1]:',
      'C="250 ok',
      'T="',
      'DN="',
      'QT=9w',
      'DT=1.',
      'defer (',
      '-44)',
      ':',
      ': ',
      'for',
      'from <',
    ],
    ...[
      'SMTP error from',
      '[1/3]',
      'Completed',
      'rejected RCPT <',
      'pid=',
      'S=99999999999999',
      '|x',
      '\t',
      '\0',
      '\u00e9',
      '\r',
      'id=',
    ],
  ];
  const line = fc
    .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 6 })), {
      maxLength: 14,
    })
    .map((parts) => parts.join(' '));
  const log = fc.oneof(
    fc.array(line, { maxLength: 8 }).map((lines) => Buffer.from(lines.join('\n'))),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );

  it('every line is read or told, and rows do not depend on the chunks', () => {
    fc.assert(
      fc.property(log, fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        const whole = read(bytes);
        expect(whole.lines).toBe(linesOf(bytes));
        const chunks: Uint8Array[] = [];
        for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size));
        const cut = read(...chunks);
        expect(cut.records).toEqual(whole.records);
        expect(cut.counts).toEqual(whole.counts);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['"', '\\"', '<', '> ', ' =', ': 5', ' H=', ')', '[', '1w', ' (', 'a ', '|> ', ': 250'])(
    'a line of a megabyte of %j takes no time to speak of',
    (unit) => {
      const filler = unit.repeat(Math.floor(990_000 / unit.length));
      const before = process.cpuUsage();
      for (const head of [
        '<= ',
        '=> ',
        '=> |',
        '** x@y.example: SMTP error ',
        '== "',
        'H=(',
        '=> a (',
        '=> a C="',
        '=> a DN="',
      ])
        expect(read(`${AT} ${ID} ${head}${filler}\n`).read).toBe(1);
      read(`${AT} ${filler}\n`);
      const { user } = process.cpuUsage(before);
      expect(user).toBeLessThan(4_000_000);
    },
  );
});

describe('detection', () => {
  const bytes = (text: string) => Buffer.from(text);

  it.each([
    [`${AT} ${ID} <= a@b.example U=a P=local S=631\n${AT} ${ID} Completed\n`, 2],
    [`${AT} Start queue run: pid=1\n`, 1],
    [`${AT} [8576] exim 4.96 daemon started: pid=8576, -q30m, listening for SMTP on port 25\n`, 1],
    [
      `${AT} socket bind() to port 25 for address (any IPv4) failed: Address already in use: daemon abandoned\n`,
      1,
    ],
    [`${AT} H=(x) [192.0.2.7] F=<a@b.example> rejected RCPT <c@d.example>: relay not permitted\n`, 1],
  ])('%j', (head, lines) => {
    expect(detectEximLog(bytes(head), 'var/log/exim4/x')).toEqual({
      how: {},
      name: 'exim',
      read: lines,
      lines,
    });
  });

  it.each([
    '2026-03-02 04:11:10 status installed libc6:amd64 2.36-9\n2026-03-02 04:11:10 configure a:all 1 <none>\n',
    '2026-03-02 04:11:10 Warning: something\n2026-03-02 04:11:11 failed to open file\n',
    '192.0.2.1 - - [23/Nov/2015:02:24:18 +0000] "GET / HTTP/1.1" 200 5 "-" "-"\n',
    'Nov 23 12:44:05 mx1 exim[123]: 1xVTOy-0002GS-1n Completed\n',
    '',
    '\n\n',
    '\0\u0001\u0002binary',
    '  indented\n  text\n  only\n',
  ])('is none: %j', (head) => {
    expect(detectEximLog(bytes(head), 'var/log/exim4/mainlog')).toBeNull();
  });
});
