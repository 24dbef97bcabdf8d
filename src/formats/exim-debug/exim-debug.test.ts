import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { detectEximDebug, readEximDebug } from './exim-debug.js';

const DEBUG = `12:42:27  3000 Exim version 4.96 uid=0 gid=0 pid=3000 D=fff9ffff
12:42:27.138  3002 Connecting to mx.example.net [2001:db8::1a]:25 ... 2001:db8::1a in hosts_try_fastopen? yes (matched "*")
12:42:27.145  3002  TFO mode sendto, no data: EINPROGRESS
12:42:27.145  3002  connected
12:42:27.145  3002 TCP_FASTOPEN tcpi_unacked 2
12:42:27.177  3002   SMTP<< 220 mx.example.net ESMTP secret
12:42:27.178  3004 Connecting to mx2.example.net [192.0.2.7]:25 ... 192.0.2.7 in hosts_try_fastopen? no (end of list)
12:42:27.195  3002          250-SIZE 157286400
12:42:27.315  3002   SMTP|> MAIL FROM:<alice@example.org> SIZE=912745
12:42:27.316  3002   SMTP>> BDAT 8191
12:42:27.317  3002   SMTP>> Subject: content
12:42:27.318  3002   SMTP<< 250 2.1.0 OK
12:42:27.319  3002 tls_write(0x55807d1e7fc8, 22)
12:42:27.320  3002 outbytes=22
12:42:35.421  3002 outbytes=-110
12:42:35.422  3002 writing error 104: Connection reset by peer
12:42:35.423  3002   SMTP(close)>>
12:42:35.424  3002 LOG: MAIN
12:42:35.424  3002   H=mx.example.net [2001:db8::1a]: SMTP timeout after sending data block (335762 bytes written): Connection timed out
12:42:36.000  3004  failed: Connection refused
`;

const REAL = spawnSync('exim4', ['-d+all', '-be', '$version_number'], { encoding: 'utf8' });

describe('exim -d', () => {
  it('has what a delivery did, and no content', () => {
    expect(detectEximDebug(Buffer.from(DEBUG))).toBe(true);
    const { version, events, lines } = readEximDebug(DEBUG);
    expect([version, lines]).toEqual(['4.96', 20]);
    expect(events.map((e) => [e.line, e.kind, e.code])).toEqual([
      [2, 'connect', null],
      [2, 'fast-open-tried', null],
      [3, 'fast-open-mode', null],
      [4, 'connected', null],
      [5, 'fast-open-state', 2],
      [6, 'smtp-received', 220],
      [7, 'connect', null],
      [7, 'fast-open-refused', null],
      [9, 'smtp-sent', null],
      [10, 'smtp-sent', null],
      [12, 'smtp-received', 250],
      [15, 'tls-write-failed', -110],
      [16, 'write-failed', 104],
      [17, 'closed', null],
      [19, 'timeout', null],
      [20, 'connect-failed', null],
    ]);
    expect(events[3]).toMatchObject({
      pid: 3002,
      clock_s: 45_747.145,
      mail_host: 'mx.example.net',
      ip: '2001:db8::1a',
    });
    expect(events.at(-1)).toMatchObject({ pid: 3004, ip: '192.0.2.7', text: 'Connection refused' });
    expect(events.filter((e) => e.kind.startsWith('smtp')).map((e) => e.text)).toEqual([
      '220',
      'MAIL',
      'BDAT',
      '250 2.1.0',
    ]);
    expect(JSON.stringify(events)).not.toMatch(/alice|secret|content/);
  });

  it('is known without its beginning and without stamps, and other text is not taken for it', () => {
    const bare = DEBUG.split('\n')
      .slice(7)
      .map((l) => l.replace(/^\S+ +\d+ /, ''))
      .join('\n');
    expect(detectEximDebug(Buffer.from(bare))).toBe(true);
    expect(readEximDebug(bare).events.every((e) => e.pid === null && e.clock_s === null)).toBe(true);
    for (const text of [
      '',
      'Exim version 4.96 #2 built 27-May-2026 16:52:26\n',
      'SMTP<< 250 in a letter\n'.padEnd(3_000, 'x\n'),
    ])
      expect(detectEximDebug(Buffer.from(text)), text.slice(0, 30)).toBe(false);
  });

  it.skipIf(REAL.error !== undefined)('of this machine’s Exim is known, with its version', () => {
    expect(detectEximDebug(Buffer.from(REAL.stderr))).toBe(true);
    expect(readEximDebug(REAL.stderr).version).toBe(REAL.stdout.trim());
  });

  it('hostile text takes no time', () => {
    const texts = [
      'Connecting to '.repeat(100_000),
      `Connecting to ${'a ['.repeat(200_000)}`,
      `${' '.repeat(500_000)}x`,
      'SMTP('.repeat(200_000),
      'a\n'.repeat(400_000),
    ];
    const began = performance.now();
    for (const text of texts) {
      readEximDebug(text);
      detectEximDebug(Buffer.from(text).subarray(0, 65_536));
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
