import { execFileSync } from 'node:child_process';
import { Decode } from '../src/formats/capture/columns.js';
import type { ReadPacket } from './read-capture.js';

const version = (() => {
  try {
    return execFileSync('tshark', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
})();

export const hasTshark = version !== null;

const FIELDS = [
  'frame.number',
  'frame.time_epoch',
  'frame.len',
  'frame.cap_len',
  'frame.interface_id',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'ip.ttl',
  'ipv6.hlim',
  'ip.proto',
  'ip.frag_offset',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.flags',
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
  'tcp.options.experimental.exid',
  'icmp.type',
  'icmp.code',
  'icmp.mtu',
  'icmpv6.type',
  'icmpv6.code',
  'icmpv6.mtu',
] as const;
type Field = (typeof FIELDS)[number];

/** What tshark says of each packet: each field's values, in the order in which it met them. */
export type TsharkPacket = Record<Field, string[]>;

export function tshark(path: string): TsharkPacket[] {
  const options = [
    'ip.defragment:FALSE',
    'ipv6.defragment:FALSE',
    'tcp.desegment_tcp_streams:FALSE',
    'tcp.analyze_sequence_numbers:FALSE',
    'ip.check_checksum:FALSE',
  ].flatMap((option) => ['-o', option]);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  let out: string;
  try {
    out = execFileSync(
      'tshark',
      ['-n', '-r', path, '-T', 'fields', '-E', 'separator=/t', '-E', 'aggregator=;', ...options, ...fields],
      { encoding: 'latin1', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] },
    );
  } catch (error) {
    // It reads what comes before damage, and then says that there is damage.
    out = (error as { stdout: string }).stdout;
  }
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const values = line.split('\t');
      return Object.fromEntries(
        FIELDS.map((field, i) => [field, values[i] ? values[i].split(';') : []]),
      ) as TsharkPacket;
    });
}

const number = (text: string | undefined, absent: number): number => (text ? Number(text) : absent);

/** Names of what differs, with both sides; empty where culprit and tshark agree on a packet. */
export function differences(ours: ReadPacket, theirs: TsharkPacket, severalSections = false): string[] {
  const found: string[] = [];
  const same = (name: string, mine: number | string, its: number | string) => {
    if (mine !== its) found.push(`packet ${ours.line! + 1}: ${name} ${mine}, tshark ${its}`);
  };
  const icmp = theirs['icmp.type'].length + theirs['icmpv6.type'].length > 0;
  // Within an ICMP error the packet that it is about follows; of tunnelled packets the innermost counts.
  const pick = (field: Field) => theirs[field].at(icmp ? 0 : -1);
  same('number', ours.line! + 1, number(pick('frame.number'), -1));
  const [seconds, fraction] = (pick('frame.time_epoch') ?? '').split('.');
  if (seconds)
    same('time', ours.captured_at!, Number(seconds) * 1e6 + Math.floor(Number(fraction ?? '0') / 1000));
  same('wire', ours.wire_bytes!, number(pick('frame.len'), -1));
  same('captured', ours.captured_bytes!, number(pick('frame.cap_len'), -1));
  // tshark's numbers begin anew in each section; number 0 is also said of pcap.
  if (!severalSections) same('interface', ours.interface!, number(pick('frame.interface_id'), 0));
  const inner6 = theirs['ipv6.src'].length > 0 && !(theirs['ip.src'].length > 0 && icmp);
  const inner4 = theirs['ip.src'].length > 0;
  if (!(inner4 && inner6)) {
    same('src', ours.src, pick(inner6 ? 'ipv6.src' : 'ip.src') ?? '');
    same('dst', ours.dst, pick(inner6 ? 'ipv6.dst' : 'ip.dst') ?? '');
    same('ttl', ours.ttl!, number(pick(inner6 ? 'ipv6.hlim' : 'ip.ttl'), -1));
    if (inner4) same('protocol', ours.ip_protocol!, number(pick('ip.proto'), -1));
  }
  if (icmp) {
    const six = theirs['icmpv6.type'].length > 0;
    same('icmp type', ours.icmp_type!, number(pick(six ? 'icmpv6.type' : 'icmp.type'), -1));
    same('icmp code', ours.icmp_code!, number(pick(six ? 'icmpv6.code' : 'icmp.code'), -1));
    same('icmp mtu', ours.icmp_mtu!, number(pick(six ? 'icmpv6.mtu' : 'icmp.mtu'), -1));
    return found;
  }
  const tcp = theirs['tcp.srcport'].length > 0;
  same('src port', ours.src_port!, number(pick(tcp ? 'tcp.srcport' : 'udp.srcport'), -1));
  same('dst port', ours.dst_port!, number(pick(tcp ? 'tcp.dstport' : 'udp.dstport'), -1));
  if (!tcp) return found;
  same('seq', ours.seq!, number(pick('tcp.seq_raw'), 0));
  same('ack', ours.ack!, number(pick('tcp.ack_raw'), 0));
  same('flags', ours.tcp_flags!, number(pick('tcp.flags'), 0) & 0xff);
  same('window', ours.window_raw!, number(pick('tcp.window_size_value'), -1));
  // Of a first fragment tshark does not say it; culprit counts what is in the fragment.
  if ((ours.decode! & Decode.ipFragment) === 0)
    same('payload', ours.payload_bytes!, number(pick('tcp.len'), 0));
  same('mss', ours.mss!, number(pick('tcp.options.mss_val'), -1));
  same('window scale', ours.window_scale!, number(pick('tcp.options.wscale.shift'), -1));
  same('sack permitted', ours.sack_permitted!, theirs['tcp.options.sack_perm'].length > 0 ? 1 : 0);
  same('sack blocks', ours.sack_blocks!, theirs['tcp.options.sack_le'].length);
  for (let i = 1; i <= ours.sack_blocks!; i++) {
    same(`sack left ${i}`, ours[`sack_left_${i}`]!, number(theirs['tcp.options.sack_le'][i - 1], -1));
    same(`sack right ${i}`, ours[`sack_right_${i}`]!, number(theirs['tcp.options.sack_re'][i - 1], -1));
  }
  same('ts value', ours.ts_value!, number(pick('tcp.options.timestamp.tsval'), 0));
  same('ts echo', ours.ts_echo!, number(pick('tcp.options.timestamp.tsecr'), 0));
  const experimental = theirs['tcp.options.experimental.exid'].includes('0xf989');
  const cookie = theirs['tcp.options.tfo.cookie'].length > 0;
  const request = theirs['tcp.options.tfo.request'].length > 0;
  if (!experimental || cookie || request) same('fast open', ours.fast_open!, cookie ? 2 : request ? 1 : 0);
  else if (ours.fast_open === 0) found.push(`packet ${ours.line! + 1}: no experimental fast open`);
  if ((ours.decode! & Decode.malformed) === 0 && number(pick('tcp.len'), 0) < 0)
    found.push('negative length');
  return found;
}
