/**
 * One decoded packet, reused for each: the decoder fills it, the analysis reads it and adds what it finds, the rows
 * take it. Numbers only.
 */
export class Packet {
  /** From 1, as tshark counts. */
  number = 0;
  /**
   * Microseconds since 1970 (UTC), with a fraction where the capture has nanoseconds. An untimed packet has the time
   * of the one before it.
   */
  at = 0;
  interface = 0;
  wireBytes = 0;
  capturedBytes = 0;
  decode = 0;
  ipProtocol = -1;
  /**
   * A number that stands for the address: the same throughout the capture, 31 bits of a keyed hash. The ids below
   * cannot be that, as dictionaries start again from 1 when they are full.
   */
  srcIp = 0;
  dstIp = 0;
  /** Ids in the dictionary `mail_ip`, for the rows of this batch only. */
  srcIpId = 0;
  dstIpId = 0;
  srcPort = -1;
  dstPort = -1;
  ttl = -1;
  /** IPv4 identification; -1 for IPv6. */
  ipId = -1;
  tcpFlags = 0;
  /** Unsigned 32-bit, as plain numbers. */
  seq = 0;
  ack = 0;
  windowRaw = -1;
  payloadBytes = 0;
  /** Where the captured part of the payload lies in the reader's buffer: [start, end). */
  payloadStart = 0;
  payloadEnd = 0;
  mss = -1;
  windowScale = -1;
  sackPermitted = 0;
  sackBlocks = 0;
  /** left, right, left, right … of up to four blocks. */
  readonly sacks = new Float64Array(8);
  tsValue = 0;
  tsEcho = 0;
  fastOpen = 0;
  icmpType = -1;
  icmpCode = -1;
  icmpMtu = -1;

  /** Filled by the analysis. */
  connection = 0;
  fromResponder = 0;
  windowBytes = -1;
  analysis = 0;
  smtp = 0;

  clear(): void {
    this.decode = 0;
    this.ipProtocol = -1;
    this.srcIp = 0;
    this.dstIp = 0;
    this.srcIpId = 0;
    this.dstIpId = 0;
    this.srcPort = -1;
    this.dstPort = -1;
    this.ttl = -1;
    this.ipId = -1;
    this.tcpFlags = 0;
    this.seq = 0;
    this.ack = 0;
    this.windowRaw = -1;
    this.payloadBytes = 0;
    this.payloadStart = 0;
    this.payloadEnd = 0;
    this.mss = -1;
    this.windowScale = -1;
    this.sackPermitted = 0;
    this.sackBlocks = 0;
    this.tsValue = 0;
    this.tsEcho = 0;
    this.fastOpen = 0;
    this.icmpType = -1;
    this.icmpCode = -1;
    this.icmpMtu = -1;
    this.connection = 0;
    this.fromResponder = 0;
    this.windowBytes = -1;
    this.analysis = 0;
    this.smtp = 0;
  }
}
