/** The TCP packets of a capture as tshark decodes them, with what it says of each: the other side of a comparison. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Analysis, FastOpen } from '../src/formats/capture/columns.js';
import { Packet } from '../src/formats/capture/packet.js';

export const hasTshark = spawnSync('tshark', ['--version'], { stdio: 'ignore' }).status === 0;

/** tshark's field for each of our bits that it has. */
export const TSHARK_NAMES: readonly (readonly [field: string, bit: number])[] = [
  ['retransmission', Analysis.retransmission],
  ['fast_retransmission', Analysis.fastRetransmission],
  ['spurious_retransmission', Analysis.spuriousRetransmission],
  ['out_of_order', Analysis.outOfOrder],
  ['lost_segment', Analysis.lostSegment],
  ['ack_lost_segment', Analysis.ackedUnseen],
  ['duplicate_ack', Analysis.duplicateAck],
  ['zero_window', Analysis.zeroWindow],
  ['zero_window_probe', Analysis.zeroWindowProbe],
  ['zero_window_probe_ack', Analysis.zeroWindowProbeAck],
  ['window_full', Analysis.windowFull],
  ['window_update', Analysis.windowUpdate],
  ['keep_alive', Analysis.keepAlive],
  ['keep_alive_ack', Analysis.keepAliveAck],
  ['reused_ports', Analysis.portsReused],
];

const FIELDS = [
  'frame.number',
  'frame.time_epoch',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'ip.id',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.flags',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.window_size_value',
  'tcp.len',
  'tcp.options.mss_val',
  'tcp.options.wscale.shift',
  'tcp.options.sack_perm',
  'tcp.options.sack_le',
  'tcp.options.sack_re',
  'tcp.options.timestamp.tsval',
  'tcp.options.timestamp.tsecr',
  'tcp.options.tfo.request',
  'tcp.options.tfo.cookie',
  'tcp.payload',
  'tcp.stream',
  'tcp.window_size',
];

/** What tshark says of a packet. */
export interface Told {
  stream: number;
  windowBytes: number;
  analysis: number;
}

/** The TCP packets of a file in its order. The packet and its buffer are reused. */
export async function* tsharkPackets(path: string): AsyncGenerator<[Packet, Uint8Array, Told]> {
  const fields = [...FIELDS, ...TSHARK_NAMES.map(([field]) => `tcp.analysis.${field}`)];
  // Packets quoted by ICMP are none of their own. Checksums and reassembly are no matter here.
  const child = spawn(
    'tshark',
    [
      '-r',
      path,
      '-Y',
      'tcp && !icmp && !icmpv6',
      '-T',
      'fields',
      ...fields.flatMap((field) => ['-e', field]),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = once(child, 'close');
  const ids = new Map<string, number>();
  const addressId = (text: string) => {
    const id = ids.get(text) ?? ids.size + 1;
    ids.set(text, id);
    return id;
  };
  const packet = new Packet();
  for await (const line of createInterface({ input: child.stdout })) {
    const row = line.split('\t');
    const text = (field: string) => row[FIELDS.indexOf(field)] ?? '';
    const number = (field: string, absent = 0) =>
      text(field) === '' ? absent : Number(text(field).split(',')[0]);
    packet.clear();
    packet.number = number('frame.number');
    packet.at = Math.round(number('frame.time_epoch') * 1e6);
    packet.ipProtocol = 6;
    packet.srcIp = addressId(text('ip.src') || text('ipv6.src'));
    packet.dstIp = addressId(text('ip.dst') || text('ipv6.dst'));
    packet.ipId = number('ip.id', -1);
    packet.srcPort = number('tcp.srcport');
    packet.dstPort = number('tcp.dstport');
    packet.tcpFlags = number('tcp.flags') & 0xff;
    packet.seq = number('tcp.seq_raw');
    packet.ack = number('tcp.ack_raw');
    packet.windowRaw = number('tcp.window_size_value');
    packet.payloadBytes = number('tcp.len');
    packet.mss = number('tcp.options.mss_val', -1);
    packet.windowScale = number('tcp.options.wscale.shift', -1);
    packet.sackPermitted = text('tcp.options.sack_perm') === '' ? 0 : 1;
    const lefts = text('tcp.options.sack_le').split(',').filter(Boolean);
    const rights = text('tcp.options.sack_re').split(',').filter(Boolean);
    packet.sackBlocks = Math.min(lefts.length, 4);
    for (let i = 0; i < packet.sackBlocks; i++) {
      packet.sacks[i * 2] = Number(lefts[i]);
      packet.sacks[i * 2 + 1] = Number(rights[i]);
    }
    packet.tsValue = number('tcp.options.timestamp.tsval');
    packet.tsEcho = number('tcp.options.timestamp.tsecr');
    if (text('tcp.options.tfo.request')) packet.fastOpen = FastOpen.request;
    if (text('tcp.options.tfo.cookie')) packet.fastOpen = FastOpen.cookie;
    const payload = Buffer.from(text('tcp.payload').replaceAll(':', ''), 'hex');
    packet.payloadEnd = payload.length;
    let analysis = 0;
    for (const [i, [, bit]] of TSHARK_NAMES.entries()) if (row[FIELDS.length + i]) analysis |= bit;
    // It says retransmission also of those that it has a better name for.
    if (analysis & (Analysis.fastRetransmission | Analysis.spuriousRetransmission))
      analysis &= ~Analysis.retransmission;
    yield [
      packet,
      payload,
      { stream: number('tcp.stream'), windowBytes: number('tcp.window_size'), analysis },
    ];
  }
  const [code] = await ended;
  // 2: the file is cut short in the middle of a packet.
  if (code !== 0 && code !== 2) throw new Error(`tshark ended with ${code} on ${path}`);
}
