import type { Addresses } from './addresses.js';
import { be16, be32, le32 } from './byte-order.js';
import { Decode } from './columns.js';
import { EtherType, readIp } from './ip.js';
import type { Packet } from './packet.js';

/** Source: tcpdump.org, "Link-layer header types"; 12 and 14 are the numbers that some systems write for raw IP. */
const Link = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  raw12: 12,
  raw14: 14,
  pppHdlc: 50,
  raw: 101,
  loop: 108,
  cooked: 113,
  ipv4: 228,
  ipv6: 229,
  cooked2: 276,
} as const;

const NAMES: Partial<Record<number, string>> = {
  0: 'BSD loopback',
  1: 'Ethernet',
  9: 'PPP',
  12: 'raw IP',
  14: 'raw IP',
  50: 'PPP in HDLC framing',
  101: 'raw IP',
  108: 'OpenBSD loopback',
  113: 'Linux cooked',
  228: 'raw IPv4',
  229: 'raw IPv6',
  276: 'Linux cooked v2',
};

/** The name of a link type, as shown. */
export const linkName = (link: number): string => NAMES[link] ?? `link type ${link}`;

/** Source: IEEE 802.1Q and 802.1ad; 0x9100 was in use before that; RFC 2516 for PPPoE. */
const VLAN = 0x8100;
const VLAN_SERVICE = 0x88a8;
const VLAN_OLD = 0x9100;
const PPPOE_SESSION = 0x8864;
/** PPP protocol numbers of IP (RFC 1332, RFC 5072). */
const PPP_IPV4 = 0x21;
const PPP_IPV6 = 0x57;
/** Linux: ARPHRD_LOOPBACK. */
const ARPHRD_LOOPBACK = 772;

/**
 * Reads a frame into the packet, from the link layer up.
 *
 * @param at    where the frame begins
 * @param end   of what was captured
 * @param wire  length of the frame on the wire
 * @returns false for a link type that is not read
 */
export function readFrame(
  p: Packet,
  b: Uint8Array,
  link: number,
  at: number,
  end: number,
  wire: number,
  addresses: Addresses,
): boolean {
  const there = end - at;
  switch (link) {
    case Link.ethernet: {
      if (there < 14) return short(p, wire, 14);
      const local = be32(b, at) === 0 && be32(b, at + 4) === 0 && be32(b, at + 8) === 0;
      readTyped(p, b, be16(b, at + 12), at, at + 14, end, wire, addresses, local);
      return true;
    }
    case Link.cooked:
      if (there < 16) return short(p, wire, 16);
      readTyped(
        p,
        b,
        be16(b, at + 14),
        at,
        at + 16,
        end,
        wire,
        addresses,
        be16(b, at + 2) === ARPHRD_LOOPBACK,
      );
      return true;
    case Link.cooked2:
      if (there < 20) return short(p, wire, 20);
      readTyped(p, b, be16(b, at), at, at + 20, end, wire, addresses, be16(b, at + 8) === ARPHRD_LOOPBACK);
      return true;
    case Link.raw:
    case Link.raw12:
    case Link.raw14:
    case Link.ipv4:
    case Link.ipv6:
      readIp(p, b, at, end, wire, addresses, false);
      return true;
    case Link.null:
    case Link.loop: {
      if (there < 4) return short(p, wire, 4);
      // Address family in the order of the machine that captured (loop: of the network); 2 is IPv4 everywhere.
      const family = Math.min(be32(b, at), le32(b, at));
      if (family === 2 || family === 10 || family === 24 || family === 28 || family === 30)
        readIp(p, b, at + 4, end, wire - 4, addresses, true);
      else p.decode |= Decode.other;
      return true;
    }
    case Link.ppp:
    case Link.pppHdlc: {
      // Address and control, where they are not left out (RFC 1662, section 3.1).
      const framing = there >= 2 && b[at] === 0xff && b[at + 1] === 3 ? 2 : 0;
      readPpp(p, b, at + framing, end, wire - framing, addresses);
      return true;
    }
    default:
      return false;
  }
}

function short(p: Packet, wire: number, least: number): true {
  p.decode |= wire < least ? Decode.other | Decode.malformed : Decode.other;
  return true;
}

/** What an EtherType tells of, behind any VLAN tags. */
function readTyped(
  p: Packet,
  b: Uint8Array,
  type: number,
  start: number,
  at: number,
  end: number,
  wire: number,
  addresses: Addresses,
  local: boolean,
): void {
  while (type === VLAN || type === VLAN_SERVICE || type === VLAN_OLD) {
    p.decode |= Decode.vlan;
    if (at + 4 > end) {
      short(p, wire, at + 4 - start);
      return;
    }
    type = be16(b, at + 2);
    at += 4;
  }
  // IEEE 802.3: a length, then LLC and SNAP (RFC 1042), which carries the type.
  if (type <= 1500 && at + 8 <= end && be32(b, at) === 0xaaaa0300 && b[at + 4] === 0 && b[at + 5] === 0) {
    type = be16(b, at + 6);
    at += 8;
  }
  if (type === EtherType.ipv4 || type === EtherType.ipv6)
    readIp(p, b, at, end, wire - (at - start), addresses, local);
  else if (type === PPPOE_SESSION && at + 6 <= end)
    readPpp(p, b, at + 6, end, wire - (at + 6 - start), addresses);
  else p.decode |= Decode.other;
}

/** @param at  where the protocol field begins: two bytes, or one where it is compressed (RFC 1661, section 6.5) */
function readPpp(
  p: Packet,
  b: Uint8Array,
  at: number,
  end: number,
  wire: number,
  addresses: Addresses,
): void {
  if (at >= end) {
    short(p, wire, 1);
    return;
  }
  const compressed = (b[at]! & 1) === 1;
  if (!compressed && at + 2 > end) {
    short(p, wire, 2);
    return;
  }
  const protocol = compressed ? b[at]! : be16(b, at);
  const header = compressed ? 1 : 2;
  if (protocol === PPP_IPV4 || protocol === PPP_IPV6)
    readIp(p, b, at + header, end, wire - header, addresses, false);
  else p.decode |= Decode.other;
}
