/**
 * The kernel that runs here, asked what its connection tracking makes of packets: in network namespaces that end with
 * the script, nft logs what is INVALID to a group that tcpdump reads.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { frame, pcap, type Segment, segments } from './pcap.js';

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

/** Why the kernel cannot be asked here, or null. Tests print it. */
export function whyNoKernel(): string | null {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  for (const program of ['unshare', 'ip', 'nft', 'tc', 'tcpdump', 'tcpreplay'])
    if (spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH } }).status !== 0)
      return `${program} is missing (apt-get install util-linux iproute2 nftables tcpdump tcpreplay)`;
  const tried = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset'], { env: { PATH } });
  if (tried.status !== 0) return `the kernel refuses: ${tried.stderr.toString().trim()}`;
  // The model is of 6.1 and later; what this kernel says of an older one would be noise.
  return Number.parseFloat(release()) < 6.1 ? `this kernel is ${release()}; 6.1 or later is asked for` : null;
}

export interface Run {
  /** Names under net.netfilter, without nf_conntrack_. */
  sysctls: Record<string, 0 | 1>;
  /** In the order in which the kernel is to see them; `id` is theirs alone within all runs. */
  segments: readonly Segment[];
}

export interface Judged {
  invalid: Set<number>;
  /** By the originator's port: what /proc/net/nf_conntrack says after the run. */
  states: Map<number, string>;
}

// All packets come in by one wire in one order, and go out by another, so that entries are confirmed on the way.
const ROUTER = `
set -e
cd "$1"
ip link add in0 mtu 65535 type veth peer name in1 mtu 65535
ip link add out0 mtu 65535 type veth peer name out1 mtu 65535
for card in lo in0 in1 out0 out1; do ip link set $card up; done
ip link set in1 address 02:00:00:00:00:02
echo 1 >/proc/sys/net/ipv4/ip_forward
for conf in /proc/sys/net/ipv4/conf/*/; do echo 0 >$conf/rp_filter; echo 0 >$conf/send_redirects; done
ip addr add 192.0.2.1/24 dev out0
ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:09 dev out0 nud permanent
ip route add 10.0.0.0/8 via 192.0.2.2
nft -f - <<'END'
table ip lab {
  chain seen {
    type filter hook prerouting priority 0
    ct state invalid log group 5 snaplen 64
    ct state != invalid log group 6 snaplen 64
  }
}
END
for group in 5 6; do
  tcpdump -i nflog:$group -B 16384 -U -w group$group.pcap 2>group$group.log &
  until grep -q listening group$group.log; do sleep 0.05; done
done
for run in run*.pcap; do
  . ./\${run%.pcap}.sh
  tcpreplay --pps=12000 -i in0 $run >/dev/null 2>replay.log || { cat replay.log >&2; exit 1; }
  cat /proc/net/nf_conntrack >\${run%.pcap}.states
done
# The kernel keeps what it logs for up to a second.
sleep 1.3
kill $(jobs -p)
wait
`;

/** Gives each run's packets to the kernel, one after the other. Throws when a packet got no verdict. */
export async function judge(runs: readonly Run[]): Promise<Judged[]> {
  return inFolder(async (folder) => {
    for (const [i, { sysctls, segments: packets }] of runs.entries()) {
      await writeFile(join(folder, `run${i}.pcap`), pcap(packets.map(frame)));
      const lines = Object.entries(sysctls).map(
        ([name, value]) => `echo ${value} >/proc/sys/net/netfilter/nf_conntrack_${name}\n`,
      );
      await writeFile(join(folder, `run${i}.sh`), lines.join(''));
    }
    await script(ROUTER, folder);
    const read = async (group: number) =>
      new Set(segments(await readFile(join(folder, `group${group}.pcap`)), () => true).map(({ id }) => id));
    const [invalid, others] = [await read(5), await read(6)];
    const judged: Judged[] = [];
    for (const [i, run] of runs.entries()) {
      const without = run.segments.filter(({ id }) => !invalid.has(id) && !others.has(id));
      if (without.length) throw new Error(`lab: the kernel said nothing of ${without.length} packets`);
      const states = new Map<number, string>();
      const table = await readFile(join(folder, `run${i}.states`), 'latin1');
      for (const [, state, rest] of table.matchAll(/^ipv4 .* tcp +6 \d+ (\S+) src=(.*)$/gm)) {
        const ports = [...rest!.matchAll(/sport=(\d+)/g)].map(([, port]) => Number(port));
        states.set(ports.find((port) => port !== 25) ?? 0, state!);
      }
      judged.push({
        invalid: new Set(run.segments.map(({ id }) => id).filter((id) => invalid.has(id))),
        states,
      });
    }
    return judged;
  });
}

// The provider's network loses packets; the sender's host tracks and, if it is told to, drops what is INVALID. With
// `blind`, its tracker does not get to see the window-scale option of the SYN-ACK: the kind (at byte 37 of Linux's
// SYN-ACK) is another one while the packet passes the tracker.
const TRANSFER = `
set -e
cd "$1"
unshare --net sleep 60 &
peer=$!
sleep 0.2
ip link add wire0 type veth peer name wire1 netns $peer
ip link set lo up
ip addr add 10.1.0.2/24 dev wire0
ip link set wire0 up
nsenter -t $peer -n sh -c 'ip link set lo up; ip addr add 10.1.0.1/24 dev wire1; ip link set wire1 up'
# ACKs take their time, so that there is something in flight.
nsenter -t $peer -n tc qdisc add dev wire1 root tbf rate 30kbit burst 400 limit 20000
echo 0 >/proc/sys/net/netfilter/nf_conntrack_checksum
nft -f - <<END
table ip lab {
  chain hide {
    type filter hook prerouting priority -300
    $BLIND tcp flags & (syn|ack) == syn|ack @th,296,8 3 @th,296,8 set 254
  }
  chain show {
    type filter hook prerouting priority -150
    tcp flags & (syn|ack) == syn|ack @th,296,8 254 @th,296,8 set 3
  }
  chain out {
    type filter hook output priority 0
    ct state invalid log group 5 snaplen 120
  }
  chain in {
    type filter hook input priority 0
    ct state invalid log group 5 snaplen 120
    ct state invalid $DROP
  }
}
END
nsenter -t $peer -n nft -f - <<END
table ip lab {
  chain in { type filter hook prerouting priority 0; tcp sport 40001 numgen random mod 1000 < $LOSS drop; }
  chain out { type filter hook postrouting priority 0; tcp dport 40001 numgen random mod 1000 < $LOSS drop; }
}
END
tcpdump -i nflog:5 -B 16384 -U -w invalid.pcap 2>invalid.log &
tcpdump -i wire0 -s 120 -B 16384 -U -w all.pcap tcp 2>all.log &
for log in invalid all; do until grep -q listening $log.log; do sleep 0.05; done; done
nsenter -t $peer -n "$NODE" -e '
const net = require("node:net");
net.createServer((socket) => {
  socket.write("220 lab.example.net ESMTP\\r\\n");
  let last = 0;
  socket.on("error", () => {}).on("data", (data) => {
    if (Date.now() - last > 20) socket.write("250 OK\\r\\n");
    last = Date.now();
  }).on("end", () => socket.end());
}).listen(25, "10.1.0.1", () => console.log("up"));
' >server.log 2>&1 &
until grep -q up server.log; do sleep 0.05; done
timeout "$SECONDS_LONG" "$NODE" -e '
const net = require("node:net");
const socket = net.connect({ host: "10.1.0.1", port: 25, localPort: 40001 });
let left = Number(process.argv[1]);
socket.on("error", () => {}).once("data", () => {
  const more = () => {
    if (left <= 0) return socket.end();
    const size = Math.min(left, 40000);
    left -= size;
    socket.write(Buffer.alloc(size), () => setTimeout(more, left % 3 ? 0 : 30));
  };
  more();
});
' "$BYTES" || true
sleep 1.3
kill $(jobs -p)
wait 2>/dev/null || true
`;

export interface Transfer {
  /** Thousandths of packets lost each way. */
  loss: number;
  bytes: number;
  seconds: number;
  /** The tracker does not see the window scale of the SYN-ACK. */
  blind: boolean;
  /** The host drops what its tracker calls INVALID. */
  drop: boolean;
}

/** A real transfer between two real stacks, as the sender's host captured it, and what its tracker called INVALID. */
export async function transfer(options: Transfer): Promise<{ packets: Segment[]; invalid: Set<string> }> {
  return inFolder(async (folder) => {
    await script(TRANSFER, folder, {
      BLIND: options.blind ? '' : 'ip saddr 0.0.0.0',
      DROP: options.drop ? 'drop' : 'counter',
      LOSS: String(options.loss),
      BYTES: String(options.bytes),
      SECONDS_LONG: String(options.seconds),
      NODE: process.execPath,
    });
    const read = async (name: string) =>
      segments(await readFile(join(folder, name)), ({ fromPort }) => fromPort === 40_001);
    return { packets: await read('all.pcap'), invalid: new Set((await read('invalid.pcap')).map(signature)) };
  });
}

/** Tells the packets of one connection apart: the capture's and the log's copies of one are alike. */
export function signature({ fromPort, id, seq, ack, payload, flags }: Segment): string {
  return [fromPort, id, seq, ack, payload, flags].join(' ');
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'culprit-conntrack-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function script(text: string, folder: string, env: Record<string, string> = {}): Promise<void> {
  // A process namespace, too: whatever the script leaves behind ends with it.
  const bash = spawn(
    'unshare',
    [
      '--net',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'bash',
      '-c',
      text,
      'lab',
      folder,
    ],
    { env: { PATH, ...env }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  bash.stderr.setEncoding('latin1').on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(bash, 'exit');
  if (code !== 0) throw new Error(`lab: the script ended with ${code}: ${said.trim()}`);
}
