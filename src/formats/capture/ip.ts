import type { Addresses } from './addresses.js';
import { be16, be32 } from './byte-order.js';
import { Decode } from './columns.js';
import type { Packet } from './packet.js';
import { readTcp } from './tcp-header.js';

/** Source: IANA, "Protocol Numbers". */
const Protocol = {
  hopByHop: 0,
  icmp: 1,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  authentication: 51,
  icmp6: 58,
  noNext: 59,
  destination: 60,
  mobility: 135,
  hostIdentity: 139,
  shim6: 140,
} as const;

export const EtherType = { ipv4: 0x0800, ipv6: 0x86dd } as const;

/** Packets within packets (6in4, IP in IP, GRE) are followed so far; the innermost addresses count. */
const DEEPEST = 4;
/** Jumbo frames are seldom larger; what is came from or goes to a network card that cuts or joins segments. */
const LARGEST_DATAGRAM = 9216;

/**
 * Reads an IP packet of either version into the packet, and what it carries.
 *
 * @param at    where its header begins
 * @param end   of what was captured
 * @param wire  bytes from `at` to the end of the frame on the wire, padding included
 * @param mayBeLarge  on a loopback interface 64 kB are a common packet
 */
export function readIp(
  p: Packet,
  b: Uint8Array,
  at: number,
  end: number,
  wire: number,
  addresses: Addresses,
  mayBeLarge: boolean,
  depth = 0,
): void {
  if (at >= end) {
    p.decode |= wire > 0 && p.decode & Decode.snapped ? Decode.other : Decode.other | Decode.malformed;
    return;
  }
  const version = b[at]! >> 4;
  if (version === 4) readIpv4(p, b, at, end, wire, addresses, mayBeLarge, depth);
  else if (version === 6) readIpv6(p, b, at, end, wire, addresses, mayBeLarge, depth);
  else p.decode |= Decode.other | Decode.malformed;
}

/** Source: RFC 791, section 3.1. */
function readIpv4(
  p: Packet,
  b: Uint8Array,
  at: number,
  end: number,
  wire: number,
  addresses: Addresses,
  mayBeLarge: boolean,
  depth: number,
): void {
  const header = (b[at]! & 15) << 2;
  if (end - at < 20 || header < 20) {
    p.decode |= Decode.other;
    if (wire < 20 || header < 20) p.decode |= Decode.malformed;
    return;
  }
  const total = be16(b, at + 2);
  p.ipId = be16(b, at + 4);
  const fragment = be16(b, at + 6) & 0x3fff;
  p.ttl = b[at + 8]!;
  p.ipProtocol = b[at + 9]!;
  addresses.read4(b, at + 12);
  p.srcIp = addresses.number;
  p.srcIpId = addresses.id;
  addresses.read4(b, at + 16);
  p.dstIp = addresses.number;
  p.dstIpId = addresses.id;
  // 0: a super-segment that the network card will cut; the header is filled in only then.
  const length = total === 0 ? wire : Math.min(total, wire);
  if (total > wire || (total !== 0 && total < header) || header > wire) p.decode |= Decode.malformed;
  if (length > LARGEST_DATAGRAM && !mayBeLarge) p.decode |= Decode.offloaded;
  if (fragment !== 0) p.decode |= Decode.ipFragment;
  if (length < header) {
    p.decode |= Decode.other;
    return;
  }
  const here = at + header;
  readPayload(
    p,
    b,
    here,
    Math.min(end, at + length),
    length - header,
    (fragment & 0x1fff) === 0,
    addresses,
    mayBeLarge,
    depth,
  );
}

/** Source: RFC 8200, sections 3 and 4; RFC 4302, section 2, for the authentication header. */
function readIpv6(
  p: Packet,
  b: Uint8Array,
  at: number,
  end: number,
  wire: number,
  addresses: Addresses,
  mayBeLarge: boolean,
  depth: number,
): void {
  if (end - at < 40) {
    p.decode |= Decode.other;
    if (wire < 40) p.decode |= Decode.malformed;
    return;
  }
  const said = be16(b, at + 4);
  p.ipId = -1;
  p.ttl = b[at + 7]!;
  addresses.read6(b, at + 8);
  p.srcIp = addresses.number;
  p.srcIpId = addresses.id;
  addresses.read6(b, at + 24);
  p.dstIp = addresses.number;
  p.dstIpId = addresses.id;
  // 0: a super-segment, or a jumbogram (RFC 2675), whose length is the frame's.
  const stop = said === 0 ? at + wire : at + Math.min(40 + said, wire);
  if (40 + said > wire) p.decode |= Decode.malformed;
  if (stop - at > LARGEST_DATAGRAM && !mayBeLarge) p.decode |= Decode.offloaded;
  if (end > stop) end = stop;
  let next = b[at + 6]!;
  let here = at + 40;
  let first = true;
  for (;;) {
    p.ipProtocol = next;
    let length: number;
    switch (next) {
      case Protocol.hopByHop:
      case Protocol.routing:
      case Protocol.destination:
      case Protocol.mobility:
      case Protocol.hostIdentity:
      case Protocol.shim6:
        length = (b[here + 1]! + 1) << 3;
        break;
      case Protocol.fragment:
        length = 8;
        break;
      case Protocol.authentication:
        length = (b[here + 1]! + 2) << 2;
        break;
      default:
        readPayload(p, b, here, end, stop - here, first, addresses, mayBeLarge, depth);
        return;
    }
    if (here + 2 > end || here + length > stop || (next === Protocol.fragment && here + 8 > end)) {
      p.decode |= Decode.other;
      if (here + 2 > stop || (here + 2 <= end && here + length > stop)) p.decode |= Decode.malformed;
      return;
    }
    if (next === Protocol.fragment) {
      const field = be16(b, here + 2);
      // A fragment that is the whole packet (RFC 6946) is as good as none.
      if ((field & 0xfff9) !== 0) p.decode |= Decode.ipFragment;
      if (field >> 3 !== 0) first = false;
    }
    next = b[here]!;
    here += length;
    if (!first) {
      p.ipProtocol = next;
      return;
    }
  }
}

/**
 * @param length  bytes of the payload on the wire
 * @param first   it begins with the header of its protocol: no fragment, or the first
 */
function readPayload(
  p: Packet,
  b: Uint8Array,
  at: number,
  end: number,
  length: number,
  first: boolean,
  addresses: Addresses,
  mayBeLarge: boolean,
  depth: number,
): void {
  if (!first) return;
  switch (p.ipProtocol) {
    case Protocol.tcp:
      readTcp(p, b, at, end, length);
      return;
    case Protocol.udp:
      if (length < 8) p.decode |= Decode.malformed;
      if (end - at < 4) return;
      p.srcPort = be16(b, at);
      p.dstPort = be16(b, at + 2);
      return;
    case Protocol.icmp:
    case Protocol.icmp6:
      readIcmp(p, b, at, end, length);
      return;
    case Protocol.ipv4:
    case Protocol.ipv6:
      if (depth < DEEPEST) readIp(p, b, at, end, length, addresses, mayBeLarge, depth + 1);
      return;
    case Protocol.gre:
      readGre(p, b, at, end, length, addresses, mayBeLarge, depth);
      return;
    default:
      p.decode |= Decode.other;
  }
}

/** Source: RFC 792 and RFC 1191, section 4 (type 3, code 4); RFC 4443, sections 2.1 and 3.2 (type 2). */
function readIcmp(p: Packet, b: Uint8Array, at: number, end: number, length: number): void {
  if (length < 8) p.decode |= Decode.malformed;
  if (end - at < 2) return;
  const type = b[at]!;
  const code = b[at + 1]!;
  p.icmpType = type;
  p.icmpCode = code;
  if (end - at < 8) return;
  if (p.ipProtocol === Protocol.icmp && type === 3 && code === 4) p.icmpMtu = be16(b, at + 6);
  if (p.ipProtocol === Protocol.icmp6 && type === 2) p.icmpMtu = Math.min(be32(b, at + 4), 0x7fffffff);
}

/** Source: RFC 2784, section 2, and RFC 2890 (key and sequence number). */
function readGre(
  p: Packet,
  b: Uint8Array,
  at: number,
  end: number,
  length: number,
  addresses: Addresses,
  mayBeLarge: boolean,
  depth: number,
): void {
  p.decode |= Decode.other;
  if (end - at < 4 || depth >= DEEPEST) return;
  const flags = be16(b, at);
  const type = be16(b, at + 2);
  const header = 4 + (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
  // Version 1 is PPTP's; routing (RFC 1701) is not read.
  if ((flags & 0x4007) !== 0 || (type !== EtherType.ipv4 && type !== EtherType.ipv6) || header > length)
    return;
  p.decode &= ~Decode.other;
  readIp(p, b, at + header, end, length - header, addresses, mayBeLarge, depth + 1);
}
