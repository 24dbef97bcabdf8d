/** What stands in packet_facts; the numbers are those of formats/capture/columns.ts, which a test holds them to. */
export const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
export const FAST_OPEN = { none: 0, request: 1, cookie: 2 } as const;
export const ANALYSIS = {
  retransmission: 1,
  fastRetransmission: 2,
  spuriousRetransmission: 4,
  resentAfterAck: 8,
  /** Any of the above. */
  resent: 15,
  outOfOrder: 16,
  lostSegment: 32,
  zeroWindowProbe: 512,
  windowFull: 2048,
  windowUpdate: 4096,
  keepAlive: 8192,
  duplicatePacket: 65_536,
} as const;
export const SMTP = {
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
} as const;
