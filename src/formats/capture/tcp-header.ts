import { be16, be32 } from './byte-order.js';
import { Decode, FastOpen } from './columns.js';
import type { Packet } from './packet.js';

/** Source: IANA, "TCP Option Kind Numbers"; RFC 9293 (0 to 2), 7323 (3, 8), 2018 (4, 5), 8684 (30), 7413 (34). */
const Option = {
  end: 0,
  noOperation: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  mptcp: 30,
  fastOpen: 34,
  experiment1: 253,
  experiment2: 254,
} as const;
/** Experiment identifier of Fast Open before it had a kind of its own (RFC 7413, section 4.1.1; RFC 6994). */
const FAST_OPEN_EXPERIMENT = 0xf989;
const MOST_SACK_BLOCKS = 4;

/**
 * Reads a TCP header and its options into the packet.
 *
 * @param at      where the header begins
 * @param end     of what was captured
 * @param length  of header and payload on the wire, as the IP header says it
 * Source: RFC 9293, section 3.1.
 */
export function readTcp(p: Packet, b: Uint8Array, at: number, end: number, length: number): void {
  const there = end - at;
  if (length < 20) p.decode |= Decode.malformed;
  if (there < 4) return;
  p.srcPort = be16(b, at);
  p.dstPort = be16(b, at + 2);
  if (there < 8) return;
  p.seq = be32(b, at + 4);
  if (there < 12) return;
  p.ack = be32(b, at + 8);
  if (there < 14) return;
  p.tcpFlags = b[at + 13]!;
  const header = (b[at + 12]! >> 4) << 2;
  if (header < 20 || header > length) p.decode |= Decode.malformed;
  else {
    p.payloadBytes = length - header;
    p.payloadStart = Math.min(at + header, end);
    p.payloadEnd = Math.min(at + length, end);
  }
  if (there < 16) return;
  p.windowRaw = be16(b, at + 14);
  if (header > 20) readOptions(p, b, at + 20, Math.min(at + header, end), at + header > end);
}

/** @param cut  there are more options than were captured */
function readOptions(p: Packet, b: Uint8Array, at: number, end: number, cut: boolean): void {
  while (at < end) {
    const kind = b[at]!;
    if (kind === Option.end) return;
    if (kind === Option.noOperation) {
      at++;
      continue;
    }
    const length = at + 1 < end ? b[at + 1]! : 0;
    if (length < 2 || at + length > end) {
      if (!cut || (length < 2 && at + 1 < end)) p.decode |= Decode.malformed;
      // Of a cookie the length is enough.
      else if (at + 4 <= end && (kind === Option.fastOpen || kind >= Option.experiment1))
        readOption(p, b, kind, at, length);
      return;
    }
    readOption(p, b, kind, at, length);
    at += length;
  }
}

function readOption(p: Packet, b: Uint8Array, kind: number, at: number, length: number): void {
  switch (kind) {
    case Option.timestamps:
      if (length !== 10) break;
      p.tsValue = be32(b, at + 2);
      p.tsEcho = be32(b, at + 6);
      return;
    case Option.mss:
      if (length !== 4) break;
      p.mss = be16(b, at + 2);
      return;
    case Option.windowScale:
      if (length !== 3) break;
      p.windowScale = b[at + 2]!;
      return;
    case Option.sackPermitted:
      if (length !== 2) break;
      p.sackPermitted = 1;
      return;
    case Option.sack: {
      if (length < 10 || (length & 7) !== 2) break;
      const blocks = Math.min((length - 2) >> 3, MOST_SACK_BLOCKS);
      p.sackBlocks = blocks;
      for (let i = 0; i < blocks * 2; i++) p.sacks[i] = be32(b, at + 2 + i * 4);
      return;
    }
    case Option.mptcp:
      p.decode |= Decode.mptcp;
      return;
    case Option.fastOpen:
      p.fastOpen = length === 2 ? FastOpen.request : FastOpen.cookie;
      return;
    case Option.experiment1:
    case Option.experiment2:
      if (length < 4 || be16(b, at + 2) !== FAST_OPEN_EXPERIMENT) return;
      p.fastOpen = length === 4 ? FastOpen.request : FastOpen.cookie;
      return;
    default:
      return;
  }
  // A length that this option cannot have.
  p.decode |= Decode.malformed;
}
