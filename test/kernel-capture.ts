import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Dice } from '../lab/dice.js';
import { be32, le32 } from '../src/formats/capture/byte-order.js';

/** What is needed to have this machine's kernel make traffic of its own and capture it. */
export const canCapture = (() => {
  try {
    execFileSync(
      'unshare',
      ['--net', 'sh', '-c', 'ip link set lo up && nft list ruleset && tcpdump --version'],
      {
        stdio: 'ignore',
      },
    );
    return true;
  } catch {
    return false;
  }
})();

/**
 * What happens in a network of its own: nft statements on packets that come in (after they were captured) or go out
 * (before that), and a program that talks on port 2525.
 */
export interface Scene {
  incoming?: string[];
  outgoing?: string[];
  /** The kernel hands over large segments, as with offloading; otherwise what fits a wire of 1500 bytes. */
  offloaded?: boolean;
  talk: string;
}

const NETWORK = `
set -e
ip link set lo up mtu 1500 $SEGMENTS
nft add table inet lab
nft 'add chain inet lab in { type filter hook input priority 0; }'
nft 'add chain inet lab out { type filter hook output priority 0; }'
eval "$RULES"
sysctl -qw net.ipv4.tcp_rmem='4096 16384 65536' net.ipv4.tcp_fastopen=3
tcpdump -q -i lo -s 128 -w "$CAPTURE" --immediate-mode -U -Z root 2>/dev/null &
while [ ! -s "$CAPTURE" ]; do sleep 0.02; done
"$NODE" -e "$TALK"
sleep 0.2
kill %1
wait || true
`;

const PRELUDE = `
const net = require('node:net');
const { once } = require('node:events');
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const serve = async (how) => { const s = net.createServer(how); s.listen(2525, '127.0.0.1'); await once(s, 'listening'); return s; };
const connect = async (localPort) => {
  const s = net.connect({ port: 2525, host: '127.0.0.1', ...(localPort ? { localPort } : {}) });
  s.on('error', () => {});
  await once(s, 'connect');
  return s;
};
`;

/** Captures what `scene` makes the kernel send; the file is a pcap of the loopback interface. */
export function kernelCapture(path: string, scene: Scene): void {
  const rules = (['in', 'out'] as const).flatMap((chain) =>
    ((chain === 'in' ? scene.incoming : scene.outgoing) ?? []).map(
      (rule) => `nft 'add rule inet lab ${chain} ${rule}'`,
    ),
  );
  execFileSync('unshare', ['--net', '--kill-child', '--fork', 'bash', '-c', NETWORK], {
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      CAPTURE: path,
      SEGMENTS: scene.offloaded ? '' : 'gso_max_segs 1',
      RULES: rules.join('\n'),
      NODE: process.execPath,
      TALK: `${PRELUDE}(async () => {${scene.talk}\nprocess.exit(0);})()`,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 60_000,
  });
}

/** Both ways, in some connections: requests and answers, then much data; `bytes` up, half of it down. */
export const transfer = (bytes: number, times = 4, patienceMs = 8000) => `
const server = await serve((s) => {
  let got = 0;
  s.on('error', () => {});
  s.write('220 ready\\r\\n');
  s.on('data', (d) => { got += d.length; if (got === 100) s.write('250 go on\\r\\n'); if (got >= 100 + ${bytes}) s.end(Buffer.alloc(${bytes} / 2, 66)); });
});
for (let i = 0; i < ${times}; i++) {
  const c = await connect();
  c.write(Buffer.alloc(100, 65));
  await sleep(5);
  c.write(Buffer.alloc(${bytes}, 65));
  c.resume();
  await Promise.race([once(c, 'end'), sleep(${patienceMs})]);
  c.destroy();
}
`;

/** The reader takes nothing for a while, as a server whose disk is full. */
export const stoppedReader = `
let paused;
await serve((s) => { s.on('error', () => {}); s.pause(); paused = s; });
const c = await connect();
c.write(Buffer.alloc(1 << 20, 65));
await sleep(3000);
paused.resume();
await sleep(500);
c.end();
await sleep(200);
`;

/** The same two ports again and again: after a reset, after a refusal, after an end. */
export const reusedPorts = `
for (let i = 0; i < 3; i++) {
  const server = await serve((s) => { s.on('error', () => {}); s.write('220 hello\\r\\n'); s.resume(); });
  const c = await connect(40000);
  await once(c, 'data');
  c.write('EHLO me\\r\\n');
  await sleep(20);
  c.resetAndDestroy();
  server.close();
  await sleep(30);
  const refused = net.connect({ port: 2525, host: '127.0.0.1', localPort: 40001 });
  await once(refused, 'error');
}
`;

/** A connection that says nothing for a while, with keep-alives. */
export const keptAlive = `
const server = await serve((s) => { s.on('error', () => {}); s.resume(); });
const c = await connect();
c.setKeepAlive(true, 1000);
c.write('hello');
await sleep(3500);
c.end();
await sleep(100);
`;

/** A pcap file's records, header of each included. */
function records(bytes: Buffer): { head: Buffer; packets: Buffer[] } {
  const u32 = le32(bytes, 0) === 0xa1b2c3d4 || le32(bytes, 0) === 0xa1b23c4d ? le32 : be32;
  const packets: Buffer[] = [];
  for (let at = 24; at + 16 <= bytes.length; ) {
    const next = at + 16 + u32(bytes, at + 8);
    packets.push(bytes.subarray(at, next));
    at = next;
  }
  return { head: bytes.subarray(0, 24), packets };
}

/** Writes a copy of a capture as a busy machine would have taken it: packets missing, in wrong order, twice. */
export function disturbed(
  from: string,
  to: string,
  dice: Dice,
  odds: { missing?: number; swapped?: number; twice?: number },
): void {
  const { head, packets } = records(readFileSync(from));
  const out: Buffer[] = [head];
  for (let i = 0; i < packets.length; i++) {
    if (dice.chance(odds.missing ?? 0)) continue;
    const next = packets[i + 1];
    if (next && dice.chance(odds.swapped ?? 0)) {
      // Bytes move, times stay in order.
      out.push(packets[i]!.subarray(0, 8), next.subarray(8), next.subarray(0, 8), packets[i]!.subarray(8));
      i++;
      continue;
    }
    out.push(packets[i]!);
    if (dice.chance(odds.twice ?? 0)) out.push(packets[i]!);
  }
  writeFileSync(to, Buffer.concat(out));
}
