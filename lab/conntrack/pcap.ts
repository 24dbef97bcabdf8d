/**
 * Just enough of pcap for this lab: packets of ours in, what tcpdump wrote of the kernel out. IPv4 and TCP only.
 *
 * Source: pcap-savefile(5); link types EN10MB and NFLOG (https://www.tcpdump.org/linktypes.html); RFC 791, RFC 9293.
 */
import type { TrackedPacket } from '../../src/investigations/mail-stalls/conntrack.js';

/** A segment with its addresses; the IP identification tells copies of one packet by. */
export interface Segment extends TrackedPacket {
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
  id: number;
}

/** An Ethernet frame from the lab's first card to its second. */
export function frame(segment: Segment): Buffer {
  const options = optionsOf(segment);
  const tcp = Buffer.alloc(20 + options.length + segment.payload);
  tcp.writeUInt16BE(segment.fromPort, 0);
  tcp.writeUInt16BE(segment.toPort, 2);
  tcp.writeUInt32BE(segment.seq, 4);
  tcp.writeUInt32BE(segment.ack, 8);
  tcp[12] = ((20 + options.length) / 4) << 4;
  tcp[13] = segment.flags;
  tcp.writeUInt16BE(segment.window, 14);
  options.copy(tcp, 20);
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + tcp.length, 2);
  ip.writeUInt16BE(segment.id, 4);
  ip[8] = 64;
  ip[9] = 6;
  address(segment.from).copy(ip, 12);
  address(segment.to).copy(ip, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const pseudo = Buffer.alloc(12);
  ip.copy(pseudo, 0, 12, 20);
  pseudo[9] = 6;
  pseudo.writeUInt16BE(tcp.length, 10);
  tcp.writeUInt16BE(checksum(Buffer.concat([pseudo, tcp])), 16);
  return Buffer.concat([Buffer.from('0200000000020200000000010800', 'hex'), ip, tcp]);
}

export function pcap(frames: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(1, 20);
  return Buffer.concat([
    header,
    ...frames.flatMap((bytes, i) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(Math.floor(i / 1e6), 0);
      record.writeUInt32LE(i % 1e6, 4);
      record.writeUInt32LE(bytes.length, 8);
      record.writeUInt32LE(bytes.length, 12);
      return [record, bytes];
    }),
  ]);
}

/** The TCP segments of a capture of tcpdump's (Ethernet or NFLOG), those that `originator` sent marked so. */
export function segments(file: Buffer, originator: (segment: Segment) => boolean): Segment[] {
  const found: Segment[] = [];
  const link = file.readUInt32LE(20);
  const perSecond = file.readUInt32LE(0) === 0xa1b23c4d ? 1e9 : 1e6;
  for (let at = 24, number = 1; at + 16 <= file.length; number++) {
    const length = file.readUInt32LE(at + 8);
    const time = file.readUInt32LE(at) + file.readUInt32LE(at + 4) / perSecond;
    const bytes = file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    const ip =
      link === 239 ? nflogPayload(bytes) : bytes.readUInt16BE(12) === 0x800 ? bytes.subarray(14) : null;
    if (ip?.[9] !== 6) continue;
    const segment = read(ip, number, time);
    segment.fromOriginator = originator(segment);
    found.push(segment);
  }
  return found;
}

function read(ip: Buffer, number: number, at: number): Segment {
  const tcp = ip.subarray((ip[0]! & 15) * 4);
  const header = (tcp[12]! >> 4) * 4;
  const segment: Segment = {
    number,
    at,
    fromOriginator: true,
    from: [...ip.subarray(12, 16)].join('.'),
    to: [...ip.subarray(16, 20)].join('.'),
    fromPort: tcp.readUInt16BE(0),
    toPort: tcp.readUInt16BE(2),
    id: ip.readUInt16BE(4),
    flags: tcp[13]!,
    seq: tcp.readUInt32BE(4),
    ack: tcp.readUInt32BE(8),
    window: tcp.readUInt16BE(14),
    payload: ip.readUInt16BE(2) - (ip[0]! & 15) * 4 - header,
    windowScale: null,
    sackPermitted: false,
    sacks: [],
    timestamp: null,
    hasOptions: header > 20,
  };
  for (let i = 20; i < header && tcp[i] !== 0; i += tcp[i] === 1 ? 1 : tcp[i + 1]!) {
    const kind = tcp[i]!;
    if (kind === 3) segment.windowScale = tcp[i + 2]!;
    if (kind === 4) segment.sackPermitted = true;
    if (kind === 5)
      segment.sacks = Array.from({ length: (tcp[i + 1]! - 2) / 8 }, (_, block) => [
        tcp.readUInt32BE(i + 2 + block * 8),
        tcp.readUInt32BE(i + 6 + block * 8),
      ]);
    if (kind === 8) segment.timestamp = { value: tcp.readUInt32BE(i + 2), echo: tcp.readUInt32BE(i + 6) };
    if (kind !== 1 && tcp[i + 1]! < 2) break;
  }
  return segment;
}

/** NFULA_PAYLOAD among the attributes of a packet that nft's `log group` sent. */
function nflogPayload(bytes: Buffer): Buffer | null {
  for (let at = 4; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if ((bytes.readUInt16LE(at + 2) & 0x7fff) === 9) return bytes.subarray(at + 4, at + length);
    at += Math.max(4, (length + 3) & ~3);
  }
  return null;
}

function optionsOf({ windowScale, sackPermitted, sacks, timestamp }: Segment): Buffer {
  const bytes: number[] = [];
  const u32 = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  if (sackPermitted) bytes.push(4, 2);
  if (timestamp) bytes.push(8, 10, ...u32(timestamp.value), ...u32(timestamp.echo));
  if (windowScale !== null) bytes.push(3, 3, windowScale);
  if (sacks.length) bytes.push(5, 2 + sacks.length * 8, ...sacks.flat().flatMap(u32));
  while (bytes.length % 4) bytes.push(1);
  return Buffer.from(bytes);
}

function address(dotted: string): Buffer {
  return Buffer.from(dotted.split('.').map(Number));
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
