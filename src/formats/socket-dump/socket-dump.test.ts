import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { detectSocketDump, readSocketDump } from './socket-dump.js';

function ss(args: string[]): string | null {
  try {
    return execFileSync('ss', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}
const SS = ss(['-tin']) !== null;

const DUMP = `### 2026-11-23 12:41:28
Failed to find cgroup2 mount
State Recv-Q Send-Q Local Address:Port   Peer Address:PortProcess                                  
ESTAB 0      181769     [fd80::2]:40120 [fd80:10::1a]:25   users:(("exim4",pid=812,fd=7)) timer:(on,424ms,4) uid:103 ino:185997 sk:10a5 <->
\t ts sack cubic wscale:8,10 rto:3584 backoff:4 rtt:20.11/1.18 ato:40 mss:1428 pmtu:1500 cwnd:1 ssthresh:70 bytes_sent:277543 bytes_retrans:5712 bytes_acked:129032 lastsnd:3160 busy:6948ms unacked:100 retrans:1/4 lost:100 notsent:38969 snd_wnd:202496 fastopen
LISTEN 0      100        0.0.0.0:25         0.0.0.0:*

### 2026-11-23 12:41:48
State      Recv-Q Send-Q Local Address:Port   Peer Address:PortProcess
SYN-SENT   0      1      10.80.0.2:56658 10.80.10.26:smtp
what is this
`;

describe('ss', () => {
  it('has each socket of each dump', () => {
    expect(detectSocketDump(Buffer.from(DUMP))).toBe(true);
    const { sockets, lines, unread } = readSocketDump(DUMP);
    expect([lines, unread]).toEqual([11, [11]]);
    expect(sockets).toHaveLength(3);
    expect(sockets[0]).toMatchObject({
      seen_at: '2026-11-23T12:41:28',
      state: 'ESTAB',
      send_q: 181_769,
      local_ip: 'fd80::2',
      local_port: '40120',
      peer_ip: 'fd80:10::1a',
      peer_port: '25',
      process: 'exim4',
      pid: 812,
      timer: 'on',
      timer_tries: 4,
      fast_open: true,
      peer_wscale: 8,
      own_wscale: 10,
      line: 4,
      numbers: {
        rto: 3584,
        rtt: 20.11,
        retrans: 1,
        retrans_total: 4,
        unacked: 100,
        snd_wnd: 202_496,
        pmtu: 1500,
      },
    });
    expect(sockets[2]).toMatchObject({
      seen_at: '2026-11-23T12:41:48',
      state: 'SYN-SENT',
      peer_port: 'smtp',
      numbers: {},
    });
  });

  it('is not taken for other text, nor held up by it', () => {
    for (const text of ['', 'State of things\n', 'ESTAB 0 0 nothing here\n'])
      expect(detectSocketDump(Buffer.from(text)), text).toBe(false);
    const hostile = [
      `ESTAB 0 0 a:1 b:2 ${'x '.repeat(300_000)}`,
      `ESTAB 0 0 a:1 b:2\n${'\t rto:1\n'.repeat(100_000)}`,
      `ESTAB${' '.repeat(500_000)}x`,
      `ESTAB 0 0 ${':'.repeat(280)} ${'['.repeat(280)}\n`.repeat(2_000),
      `${'1-'.repeat(300_000)}\n`,
    ];
    const began = performance.now();
    for (const text of hostile) {
      readSocketDump(text);
      detectSocketDump(Buffer.from(text));
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.skipIf(!SS).each([[['-tin']], [['-tinmoe']], [['-tinpO']], [['-tanHi']], [['-atuni']]])(
    'of this machine with %j: is read whole, with our own connection in it',
    async (args) => {
      const server = createServer((s) => s.on('error', () => {})).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const client = connect(port, '127.0.0.1');
      await once(client, 'connect');
      client.write('x'.repeat(1_000));
      await new Promise((r) => setTimeout(r, 50));
      const text = ss(args)!;
      client.destroy();
      server.close();
      expect(detectSocketDump(Buffer.from(text))).toBe(true);
      const { sockets, unread } = readSocketDump(text);
      expect(unread).toEqual([]);
      const own = sockets.find((s) => s.peer_port === String(port) && s.state === 'ESTAB')!;
      expect(own).toMatchObject({ peer_ip: '127.0.0.1', local_ip: '127.0.0.1' });
      expect(own.numbers.bytes_sent).toBe(1_000);
      expect(own.numbers.bytes_acked! - 1_000).toBeLessThanOrEqual(1);
      if (args[0]!.includes('p')) expect(own.pid).toBe(process.pid);
    },
  );
});
