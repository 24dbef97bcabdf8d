import type { FactTable } from '../bulk.js';

/** TCP flags as in the header (RFC 9293, section 3.1; RFC 3168 for ECE and CWR). */
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

/** What kinds of TCP Fast Open option a segment carried (RFC 7413; experimental: option 254 with magic 0xF989). */
export const FastOpen = { none: 0, request: 1, cookie: 2 } as const;

/** What the analysis of the connection says of a packet. Bits of `analysis`; names are tshark's where it has one. */
export const Analysis = {
  retransmission: 1,
  fastRetransmission: 2,
  /** All of it had been acknowledged when the sender sent it again. */
  spuriousRetransmission: 4,
  /** Sent again although the ACK for all of it stands in this capture before it: the sender never saw that ACK. */
  resentAfterAck: 8,
  outOfOrder: 16,
  /** A segment before this one is not in the capture. */
  lostSegment: 32,
  ackedUnseen: 64,
  duplicateAck: 128,
  zeroWindow: 256,
  zeroWindowProbe: 512,
  zeroWindowProbeAck: 1024,
  windowFull: 2048,
  windowUpdate: 4096,
  keepAlive: 8192,
  keepAliveAck: 16_384,
  portsReused: 32_768,
  /** The same packet once more: captured on two interfaces (any). */
  duplicatePacket: 65_536,
  /** First packet of its connection in the capture. */
  opens: 131_072,
} as const;

/** Where the bytes of a packet were cut or could not be decoded. Bits of `decode`. */
export const Decode = {
  /** The capture holds less of it than was on the wire. */
  snapped: 1,
  ipFragment: 2,
  /** A header says a length that cannot be. */
  malformed: 4,
  /** Larger than any link carries: an offloaded super-segment, as the stack saw it. */
  offloaded: 8,
  /** Not IP, or not TCP, UDP or ICMP: counted, nothing more. */
  other: 16,
  mptcp: 32,
  vlan: 64,
  /** The capture holds no time for it (a pcapng simple packet block), or one before 1970 or after 2255. */
  untimed: 128,
} as const;

/**
 * One row a packet, in file order.
 *
 * Units:  times in UTC, microseconds; lengths in bytes on the wire; -1 is "not there".
 */
export const PACKET_FACTS: FactTable = {
  name: 'packet_facts',
  columns: [
    { name: 'line', type: 'UINTEGER', about: 'packet number, from 1, as tshark counts' },
    { name: 'captured_at', type: 'TIMESTAMP', nullable: true, about: 'NULL: see Decode.untimed' },
    { name: 'interface', type: 'SMALLINT', about: 'number of the pcapng interface; 0' },
    { name: 'wire_bytes', type: 'INTEGER', about: 'of the frame' },
    { name: 'captured_bytes', type: 'INTEGER' },
    { name: 'decode', type: 'USMALLINT', about: 'bits of Decode' },
    { name: 'ip_protocol', type: 'SMALLINT', about: '6 TCP, 17 UDP, 1 and 58 ICMP; -1: not IP' },
    { name: 'src_ip_id', type: 'INTEGER', text: 'mail_ip' },
    { name: 'dst_ip_id', type: 'INTEGER', text: 'mail_ip' },
    { name: 'src_port', type: 'INTEGER' },
    { name: 'dst_port', type: 'INTEGER' },
    { name: 'ttl', type: 'SMALLINT' },
    { name: 'connection', type: 'INTEGER', about: 'TCP connection within the capture, from 1; 0: none' },
    { name: 'from_responder', type: 'UTINYINT', about: '1: sent by the side that was connected to' },
    { name: 'tcp_flags', type: 'USMALLINT', about: 'bits of TcpFlag' },
    { name: 'seq', type: 'UINTEGER', about: 'as in the header' },
    { name: 'ack', type: 'UINTEGER', about: 'as in the header' },
    { name: 'window_raw', type: 'INTEGER', about: 'as in the header' },
    { name: 'window_bytes', type: 'INTEGER', about: 'scaled; -1 where the scale is not known' },
    { name: 'payload_bytes', type: 'INTEGER', about: 'TCP payload on the wire' },
    { name: 'mss', type: 'INTEGER' },
    { name: 'window_scale', type: 'SMALLINT' },
    { name: 'sack_permitted', type: 'UTINYINT' },
    { name: 'sack_blocks', type: 'UTINYINT' },
    { name: 'sack_left_1', type: 'UINTEGER' },
    { name: 'sack_right_1', type: 'UINTEGER' },
    { name: 'sack_left_2', type: 'UINTEGER' },
    { name: 'sack_right_2', type: 'UINTEGER' },
    { name: 'sack_left_3', type: 'UINTEGER' },
    { name: 'sack_right_3', type: 'UINTEGER' },
    { name: 'sack_left_4', type: 'UINTEGER' },
    { name: 'sack_right_4', type: 'UINTEGER' },
    { name: 'ts_value', type: 'UINTEGER', about: '0 with no timestamps' },
    { name: 'ts_echo', type: 'UINTEGER' },
    { name: 'fast_open', type: 'UTINYINT', about: 'FastOpen' },
    { name: 'analysis', type: 'INTEGER', about: 'bits of Analysis' },
    { name: 'icmp_type', type: 'SMALLINT' },
    { name: 'icmp_code', type: 'SMALLINT' },
    { name: 'icmp_mtu', type: 'INTEGER', about: 'of "fragmentation needed" and "packet too big"' },
    { name: 'smtp', type: 'UTINYINT', about: 'SmtpStep, where a payload in clear shows one' },
  ],
};

/** What a payload in clear on an SMTP port begins with. The numbers stand in the case. */
export const SmtpStep = {
  none: 0,
  banner: 1,
  ehlo: 2,
  startTls: 3,
  mail: 4,
  rcpt: 5,
  data: 6,
  bdat: 7,
  endOfData: 8,
  quit: 9,
  reply: 10,
  replyTemporary: 11,
  replyPermanent: 12,
  tls: 13,
  other: 14,
} as const;
