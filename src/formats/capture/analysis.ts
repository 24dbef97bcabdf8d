import { ConnectionTable, grown } from './analysis-connections.js';
import { RecentPackets } from './analysis-duplicates.js';
import { commandStep, isGoAhead, isSmtpPort, isTlsRecord, replyStep } from './analysis-smtp.js';
import { Analysis, SmtpStep, TcpFlag } from './columns.js';
import type { Packet } from './packet.js';

/** Connections that are held at a time. What each costs is 400 bytes. */
const OPEN_CONNECTIONS = 200_000;

// Of each direction of a connection ("flow"), unsigned 32-bit:
const NEXT = 0; // sequence number after the highest byte sent
const ACKED_BEYOND = 1; // gaps below this were acknowledged, and told
const ISN = 2;
const LAST_ACK = 3; // of its newest packet
const WINDOW = 4; // of its newest packet, as in the header
const SCALE = 5; // what it offered in its SYN; NO_SCALE: nothing
const KNOWN = 6; // bits, below
const LAST_SAID = 7; // Analysis bits of its newest packet
const DUPLICATES = 8; // duplicate ACKs in a row
// The highest ACK it sent, at three ages: for certain longer than a round trip ago, on its way there, newest.
const ACK_SETTLED = 9;
const ACK_PENDING = 10;
const ACK_NEWEST = 11;
const LOW = 12; // what was sent before this is not known
const HOLES = 13; // count, then left and right of up to MAX_HOLES stretches below NEXT that were not seen
const MAX_HOLES = 4;
const SACKS = HOLES + 1 + MAX_HOLES * 2; // count, then left and right of the blocks in its newest packet
const STRIDE = SACKS + 1 + 8;

// Microseconds, of each flow:
const NEXT_AT = 0; // when NEXT rose
const SEEN_AT = 1; // newest packet
const PENDING_AT = 2;
const NEWEST_AT = 3;
const TIMES = 4;

// Of each connection, microseconds, NaN for not seen:
const SYN_AT = 0;
const SYN_ACK_AT = 1;
const ROUND_TRIP_1 = 2; // capture point to responder and back
const ROUND_TRIP_2 = 3; // capture point to originator and back
const CONNECTION_TIMES = 4;

/** KNOWN: which of the numbers of a flow are set, and what it has done. */
const Known = { isn: 1, next: 2, ack: 4, syn: 8, ended: 16, beyond: 32, acks: 64, settled: 128 } as const;
/** Of a connection. */
const State = { originatorIsHigh: 1, doubled: 2, tls: 4, inMessage: 8 } as const;

const NO_SCALE = 255;

/**
 * How long an ACK must have been here, beyond the round trip to its receiver and back, before a segment that ignores it
 * counts: more than queues and busy machines delay a packet by, no more than Linux waits before it sends again
 * (TCP_RTO_MIN, include/net/tcp.h). A sender that gets no ACK sends again and again, ever later, so nothing is missed.
 */
const SETTLING_US = 200_000;
/** With no handshake to tell the round trip by. */
const UNKNOWN_ROUND_TRIP_US = 1_000_000;
/** tshark: packet-tcp.c, tcp_analyze_sequence_number(). */
const FAST_RETRANSMISSION_US = 20_000;
const REORDERING_US = 3000;

/** In LAST_SAID, beside the Analysis bits: it was a SYN. */
const SAID_SYN = 0x4000_0000;

const { fin: FIN, syn: SYN, rst: RST, ack: ACK } = TcpFlag;

/** a before b, modulo 2^32 (RFC 9293, section 3.4). */
const before = (a: number, b: number) => ((a - b) | 0) < 0;

/**
 * What TCP packets say of their connection: adds connection, side, window in bytes, analysis and SMTP step.
 *
 * Shape:  `see` takes the TCP packets of a capture in file order; `restart` begins another capture.
 * Units:  of Packet: microseconds, bytes, sequence numbers modulo 2^32.
 * Errors: none; any numbers are taken as they are.
 * Memory: bounded by `open` connections; the one silent longest is forgotten first, and begun anew if it speaks
 *         again. `forgotten` counts them.
 * Source: Wireshark User's Guide, "TCP Analysis", and its epan/dissectors/packet-tcp.c for the bits of its names.
 *         Segments are told by ranges of bytes, not by packets, since offloading makes and splits packets at will;
 *         where that or our own bits depart from tshark stands in docs/capture-agreement.md.
 *
 * `resentAfterAck` is for a segment all of whose bytes were seen before, and whose ACK had been in the capture for
 * longer than it takes to the sender and back, and then some: whoever sent it had not got the ACK. Selective ACKs do not count, since
 * a sender may forget them when its timer runs out (RFC 2018, section 8).
 */
export class TcpAnalysis {
  readonly #open: ConnectionTable;
  #flows = new Uint32Array(0);
  #times = new Float64Array(0);
  #numbers = new Uint32Array(0);
  #states = new Uint32Array(0);
  #moments = new Float64Array(0);
  #connections = 0;
  readonly #recent = new RecentPackets();

  constructor(open = OPEN_CONNECTIONS) {
    this.#open = new ConnectionTable(open);
    this.#allot();
  }

  restart(): void {
    this.#open.clear();
    this.#connections = 0;
    this.#recent.clear();
    this.#flows = new Uint32Array(0);
    this.#times = new Float64Array(0);
    this.#numbers = new Uint32Array(0);
    this.#states = new Uint32Array(0);
    this.#moments = new Float64Array(0);
    this.#allot();
  }

  /** Connections that were silent longest and forgotten to make room. */
  get forgotten(): number {
    return this.#open.forgotten;
  }

  see(packet: Packet, buffer: Uint8Array): void {
    const { srcIp, dstIp, srcPort, dstPort } = packet;
    const high = srcIp > dstIp || (srcIp === dstIp && srcPort > dstPort) ? 1 : 0;
    let slot = high
      ? this.#open.slot(dstIp, dstPort, srcIp, srcPort)
      : this.#open.slot(srcIp, srcPort, dstIp, dstPort);
    let said = 0;
    if (slot < 0) {
      slot = -1 - slot;
      if (this.#open.size !== this.#numbers.length) this.#allot();
      this.#begin(slot, packet, high);
      said = Analysis.opens;
    } else if (packet.tcpFlags & SYN && this.#isAnother(slot, packet, high)) {
      this.#begin(slot, packet, high);
      said = Analysis.opens | Analysis.portsReused;
    }
    packet.connection = this.#numbers[slot]!;
    const state = this.#states[slot]!;
    packet.fromResponder = (state & State.originatorIsHigh) === high ? 0 : 1;
    const doubled = (state & State.doubled) !== 0;
    if (this.#recent.has(packet, slot * 2 + high, doubled)) {
      this.#states[slot] = state | State.doubled;
      packet.windowBytes = this.#windowBytes(slot, high, packet);
      packet.analysis = Analysis.duplicatePacket;
      return;
    }
    const from = slot * 2 + high;
    const to = slot * 2 + 1 - high;
    if (packet.tcpFlags & SYN) this.#handshake(slot, from, packet);
    packet.windowBytes = this.#windowBytes(slot, high, packet);
    packet.analysis = said | this.#analyse(slot, from, to, packet);
    if (packet.payloadBytes > 0 && (isSmtpPort(srcPort) || isSmtpPort(dstPort)))
      packet.smtp = this.#smtp(slot, from, packet, buffer);
  }

  /** Whether a SYN on known ports opens another connection. */
  #isAnother(slot: number, packet: Packet, high: number): boolean {
    const flows = this.#flows;
    const from = (slot * 2 + high) * STRIDE;
    const to = (slot * 2 + 1 - high) * STRIDE;
    if (!(flows[from + KNOWN]! & Known.isn)) return false;
    if (flows[from + ISN] !== packet.seq)
      // A SYN-ACK with another number may answer the same SYN, where the first answer was lost with its server.
      return (
        !(packet.tcpFlags & ACK) ||
        !(flows[to + KNOWN]! & Known.isn) ||
        flows[to + ISN] !== (packet.ack - 1) >>> 0
      );
    return !(packet.tcpFlags & ACK) && ((flows[from + KNOWN]! | flows[to + KNOWN]!) & Known.ended) !== 0;
  }

  #begin(slot: number, packet: Packet, high: number): void {
    this.#numbers[slot] = ++this.#connections;
    const { srcPort, dstPort, tcpFlags } = packet;
    let fromOriginator = true;
    if (tcpFlags & SYN) fromOriginator = (tcpFlags & ACK) === 0;
    else if (srcPort !== dstPort && Math.min(srcPort, dstPort) < 1024) fromOriginator = dstPort < srcPort;
    this.#states[slot] = (high === 1) === fromOriginator ? State.originatorIsHigh : 0;
    this.#flows.fill(0, slot * 2 * STRIDE, (slot * 2 + 2) * STRIDE);
    this.#flows[slot * 2 * STRIDE + WINDOW] = 0xffffffff;
    this.#flows[(slot * 2 + 1) * STRIDE + WINDOW] = 0xffffffff;
    this.#times.fill(Number.NaN, slot * 2 * TIMES, (slot * 2 + 2) * TIMES);
    this.#moments.fill(Number.NaN, slot * CONNECTION_TIMES, (slot + 1) * CONNECTION_TIMES);
  }

  #handshake(slot: number, from: number, packet: Packet): void {
    const flow = from * STRIDE;
    const moments = slot * CONNECTION_TIMES;
    if (packet.tcpFlags & ACK) {
      this.#moments[moments + SYN_ACK_AT] = packet.at;
      const roundTrip = packet.at - this.#moments[moments + SYN_AT]!;
      if (roundTrip >= 0) this.#moments[moments + ROUND_TRIP_1] = roundTrip;
    } else this.#moments[moments + SYN_AT] = packet.at;
    this.#flows[flow + SCALE] = packet.windowScale < 0 ? NO_SCALE : Math.min(packet.windowScale, 14);
    this.#flows[flow + KNOWN]! |= Known.syn;
  }

  /** RFC 7323, section 2.2: the window of a SYN is never scaled, and scaling needs the option in both SYNs. */
  #windowBytes(slot: number, high: number, packet: Packet): number {
    if (packet.tcpFlags & SYN) return packet.windowRaw;
    const shift = this.#shift(slot * 2 + high, slot * 2 + 1 - high);
    return shift < 0 ? -1 : packet.windowRaw << shift;
  }

  /** What windows sent by a flow are shifted by; -1: unknown. */
  #shift(from: number, to: number): number {
    const flows = this.#flows;
    const knownFrom = flows[from * STRIDE + KNOWN]! & Known.syn;
    const knownTo = flows[to * STRIDE + KNOWN]! & Known.syn;
    const scale = flows[from * STRIDE + SCALE]!;
    if ((knownFrom && scale === NO_SCALE) || (knownTo && flows[to * STRIDE + SCALE] === NO_SCALE)) return 0;
    return knownFrom && knownTo ? scale : -1;
  }

  #analyse(slot: number, from: number, to: number, packet: Packet): number {
    const flows = this.#flows;
    const times = this.#times;
    const fwd = from * STRIDE;
    const rev = to * STRIDE;
    const fwdAt = from * TIMES;
    const { seq, payloadBytes: length, tcpFlags: flags, windowRaw: window, at } = packet;
    const hasAck = (flags & ACK) !== 0;
    const ack = hasAck ? packet.ack : 0;
    const signals = (flags & (SYN | FIN | RST)) !== 0;
    const known = flows[fwd + KNOWN]!;
    const expected = flows[fwd + NEXT]!;
    const follows = (known & Known.next) !== 0 && seq === expected;
    const sameAck = hasAck && (known & Known.ack) !== 0 && ack === flows[fwd + LAST_ACK];
    const end = (seq + length + (flags & (SYN | FIN) ? 1 : 0)) >>> 0;
    let said = 0;

    if (!(known & Known.isn)) {
      flows[fwd + ISN] = flags & SYN ? seq : (seq - 1) >>> 0;
      flows[fwd + LOW] = seq;
      flows[fwd + KNOWN]! |= Known.isn;
    } else if (flags & SYN && flows[fwd + ISN] !== seq) {
      // Another SYN-ACK to the same SYN.
      flows[fwd + ISN] = seq;
      flows[fwd + NEXT] = seq;
      flows[fwd + LOW] = seq;
      flows[fwd + HOLES] = 0;
    }

    const closed = flows[rev + WINDOW] === 0;
    const probe = length === 1 && follows && closed;
    if (probe) said |= Analysis.zeroWindowProbe;
    else {
      if (window === 0 && !signals) said |= Analysis.zeroWindow;
      if (known & Known.next && before(expected, seq) && !(flags & RST)) said |= Analysis.lostSegment;
      if (length <= 1 && known & Known.next && seq === (expected - 1) >>> 0 && !signals) {
        said |= Analysis.keepAlive;
        // Linux probes a closed window with a keep-alive of no bytes (tcp_output.c, tcp_xmit_probe_skb).
        if (closed) said |= Analysis.zeroWindowProbe;
      }
      if (length > 0 && !signals && flows[rev + KNOWN]! & Known.ack) {
        const shift = this.#shift(to, from);
        // A SYN-ACK's own window is unscaled, and the newest until the next packet of its sender.
        const scaled = flows[rev + WINDOW]! << (flows[rev + LAST_SAID]! & SAID_SYN ? 0 : shift);
        if (shift >= 0 && end === (flows[rev + LAST_ACK]! + scaled) >>> 0) said |= Analysis.windowFull;
      }
      if (length === 0 && follows && sameAck && !signals) {
        const same = window === flows[fwd + WINDOW];
        const asked = flows[rev + LAST_SAID]!;
        if (same && asked & Analysis.zeroWindowProbe && window === 0) said |= Analysis.zeroWindowProbeAck;
        else if (same && asked & Analysis.keepAlive && window > 0) said |= Analysis.keepAliveAck;
        else if (same && window > 0) {
          said |= Analysis.duplicateAck;
          flows[fwd + DUPLICATES]!++;
        } else if (window > 0) said |= Analysis.windowUpdate;
      }
    }
    if (!sameAck) flows[fwd + DUPLICATES] = 0;

    if (hasAck && flows[rev + KNOWN]! & Known.next && this.#acksUnseen(rev, ack))
      said |= Analysis.ackedUnseen;

    if ((length > 0 || flags & (SYN | FIN)) && !(said & Analysis.keepAlive)) {
      said |= this.#sentAgain(slot, from, to, packet, end);
    }
    // A byte that probes a closed window is not sent for good; nothing follows a reset.
    if (!probe && !(flags & RST)) this.#sent(fwd, fwdAt, seq, end, at);

    flows[fwd + WINDOW] = window;
    if (hasAck) {
      flows[fwd + LAST_ACK] = ack;
      flows[fwd + KNOWN]! |= Known.ack;
      this.#acked(slot, from, to, ack, at);
    }
    times[fwdAt + SEEN_AT] = at;
    if (flags & (FIN | RST)) flows[fwd + KNOWN]! |= Known.ended;
    const blocks = packet.sackBlocks;
    flows[fwd + SACKS] = blocks;
    for (let i = 0; i < blocks * 2; i++) flows[fwd + SACKS + 1 + i] = packet.sacks[i]!;
    flows[fwd + LAST_SAID] = flags & SYN ? said | SAID_SYN : said;
    return said;
  }

  /** What kind of sending again a segment is that does not begin with new bytes; 0 for none. */
  #sentAgain(slot: number, from: number, to: number, packet: Packet, end: number): number {
    const flows = this.#flows;
    const fwd = from * STRIDE;
    const rev = to * STRIDE;
    const expected = flows[fwd + NEXT]!;
    const { seq, payloadBytes: length, at, tcpFlags: flags } = packet;
    if (!(flows[fwd + KNOWN]! & Known.next) || !before(seq, expected)) return 0;
    const unseen = this.#unseen(fwd, seq, end);
    const acked = (flows[rev + KNOWN]! & Known.ack) !== 0;
    let said = 0;
    if (
      !unseen &&
      !(flags & SYN) &&
      before(flows[fwd + ISN]!, seq) &&
      !before(expected, end) &&
      this.#ackedLongAgo(slot, to, end, at)
    )
      said |= Analysis.resentAfterAck;
    if (!unseen && length > 0 && acked && !before(flows[rev + LAST_ACK]!, end))
      return said | Analysis.spuriousRetransmission;
    // The byte before was a probe of a closed window; now it is sent with others.
    if (length > 1 && seq === (expected - 1) >>> 0) return 0;
    if (
      flows[rev + DUPLICATES]! >= 2 &&
      at - this.#times[to * TIMES + SEEN_AT]! < FAST_RETRANSMISSION_US &&
      (flows[rev + LAST_ACK] === seq || this.#leftOutBySack(rev, seq, end))
    )
      return said | Analysis.fastRetransmission;
    if (unseen && at - this.#times[from * TIMES + NEXT_AT]! < this.#reordering(slot))
      return said | Analysis.outOfOrder;
    return said | Analysis.retransmission;
  }

  /** How much later than its successors a segment may come that was only overtaken. */
  #reordering(slot: number): number {
    const moments = slot * CONNECTION_TIMES;
    const roundTrip = this.#moments[moments + ROUND_TRIP_1]! + this.#moments[moments + ROUND_TRIP_2]!;
    return Number.isNaN(roundTrip) ? REORDERING_US : roundTrip;
  }

  /** The other side has blocks behind this segment, and none that holds it. */
  #leftOutBySack(rev: number, seq: number, end: number): boolean {
    const count = this.#flows[rev + SACKS]!;
    for (let i = 0; i < count; i++) {
      const left = this.#flows[rev + SACKS + 1 + i * 2]!;
      const right = this.#flows[rev + SACKS + 2 + i * 2]!;
      if (!before(seq, left) && !before(right, end)) return false;
    }
    return count > 0;
  }

  /** Whether an ACK for all before `end` had been here long enough for the sender to have it. */
  #ackedLongAgo(slot: number, to: number, end: number, at: number): boolean {
    const rev = to * STRIDE;
    if (!(this.#flows[rev + KNOWN]! & Known.acks)) return false;
    this.#settle(slot, to, at);
    return (this.#flows[rev + KNOWN]! & Known.settled) !== 0 && !before(this.#flows[rev + ACK_SETTLED]!, end);
  }

  /** Keeps the highest ACK that a flow sent, and what it was longer ago than the way to the other side and back. */
  #acked(slot: number, from: number, to: number, ack: number, at: number): void {
    const flows = this.#flows;
    const fwd = from * STRIDE;
    const timesAt = from * TIMES;
    const moments = slot * CONNECTION_TIMES;
    if (
      Number.isNaN(this.#moments[moments + ROUND_TRIP_2]!) &&
      !(flows[fwd + KNOWN]! & Known.acks) &&
      ((this.#states[slot]! & State.originatorIsHigh) === 1) === ((from & 1) === 1) &&
      ack === (flows[to * STRIDE + ISN]! + 1) >>> 0
    )
      this.#moments[moments + ROUND_TRIP_2] = at - this.#moments[moments + SYN_ACK_AT]!;
    if (!(flows[fwd + KNOWN]! & Known.acks)) {
      flows[fwd + KNOWN]! |= Known.acks;
      flows[fwd + ACK_PENDING] = ack;
      flows[fwd + ACK_NEWEST] = ack;
      this.#times[timesAt + PENDING_AT] = at;
      this.#times[timesAt + NEWEST_AT] = at;
      return;
    }
    if (!before(flows[fwd + ACK_NEWEST]!, ack)) return;
    this.#settle(slot, from, at);
    flows[fwd + ACK_NEWEST] = ack;
    this.#times[timesAt + NEWEST_AT] = at;
  }

  /** Moves ACKs on by their age. One that is followed by others soon is kept, so that it gets old. */
  #settle(slot: number, flow: number, at: number): void {
    const flows = this.#flows;
    const fwd = flow * STRIDE;
    const timesAt = flow * TIMES;
    const toOriginator = ((this.#states[slot]! & State.originatorIsHigh) === 1) === ((flow & 1) === 0);
    const way = this.#moments[slot * CONNECTION_TIMES + (toOriginator ? ROUND_TRIP_2 : ROUND_TRIP_1)]!;
    const age = Number.isNaN(way) ? UNKNOWN_ROUND_TRIP_US : way + SETTLING_US;
    if (at - this.#times[timesAt + PENDING_AT]! < age) return;
    flows[fwd + KNOWN]! |= Known.settled;
    flows[fwd + ACK_SETTLED] = flows[fwd + ACK_PENDING]!;
    flows[fwd + ACK_PENDING] = flows[fwd + ACK_NEWEST]!;
    this.#times[timesAt + PENDING_AT] = this.#times[timesAt + NEWEST_AT]!;
    if (at - this.#times[timesAt + PENDING_AT]! >= age) flows[fwd + ACK_SETTLED] = flows[fwd + ACK_PENDING]!;
  }

  /** Takes the bytes [seq, end) as seen. */
  #sent(fwd: number, fwdAt: number, seq: number, end: number, at: number): void {
    const flows = this.#flows;
    const known = flows[fwd + KNOWN]!;
    if (!(known & Known.next)) {
      flows[fwd + KNOWN] = known | Known.next;
    } else {
      const next = flows[fwd + NEXT]!;
      if (!before(next, end)) {
        if (flows[fwd + HOLES]! > 0) this.#fill(fwd, seq, end);
        return;
      }
      if (before(next, seq)) this.#miss(fwd, next, seq);
      else if (flows[fwd + HOLES]! > 0) this.#fill(fwd, seq, end);
    }
    flows[fwd + NEXT] = end;
    this.#times[fwdAt + NEXT_AT] = at;
  }

  /** Whether some of [seq, end) below NEXT was not seen. */
  #unseen(fwd: number, seq: number, end: number): boolean {
    const flows = this.#flows;
    const count = flows[fwd + HOLES]!;
    for (let i = 0; i < count; i++) {
      const left = flows[fwd + HOLES + 1 + i * 2]!;
      const right = flows[fwd + HOLES + 2 + i * 2]!;
      if (before(left, end) && before(seq, right)) return true;
    }
    return false;
  }

  /** Adds a hole behind all others. With no room for it the first is forgotten, and all that was sent before its end. */
  #miss(fwd: number, left: number, right: number): void {
    const flows = this.#flows;
    let count = flows[fwd + HOLES]!;
    if (count === MAX_HOLES) {
      flows[fwd + LOW] = flows[fwd + HOLES + 2]!;
      flows.copyWithin(fwd + HOLES + 1, fwd + HOLES + 3, fwd + HOLES + 1 + count * 2);
      count--;
    }
    flows[fwd + HOLES] = count + 1;
    flows[fwd + HOLES + 1 + count * 2] = left;
    flows[fwd + HOLES + 2 + count * 2] = right;
  }

  /** Takes [seq, end) out of the holes. */
  #fill(fwd: number, seq: number, end: number): void {
    const flows = this.#flows;
    const count = flows[fwd + HOLES]!;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      let left = flows[fwd + HOLES + 1 + i * 2]!;
      let right = flows[fwd + HOLES + 2 + i * 2]!;
      const inside = before(left, seq) && before(end, right);
      if (inside && count < MAX_HOLES) {
        // In two; those behind it move up by one.
        for (let j = count; j > i; j--) {
          flows[fwd + HOLES + 1 + j * 2] = flows[fwd + HOLES - 1 + j * 2]!;
          flows[fwd + HOLES + 2 + j * 2] = flows[fwd + HOLES + j * 2]!;
        }
        flows[fwd + HOLES + 2 + i * 2] = seq;
        flows[fwd + HOLES + 3 + i * 2] = end;
        flows[fwd + HOLES] = count + 1;
        return;
      }
      if (!inside && before(left, end) && before(seq, right)) {
        if (before(left, seq)) right = seq;
        else left = end;
      }
      if (!before(left, right)) continue;
      flows[fwd + HOLES + 1 + kept * 2] = left;
      flows[fwd + HOLES + 2 + kept * 2] = right;
      kept++;
    }
    flows[fwd + HOLES] = kept;
  }

  /** Whether an ACK covers bytes that this flow was not seen to send. Each is told once. */
  #acksUnseen(rev: number, ack: number): boolean {
    const flows = this.#flows;
    const next = flows[rev + NEXT]!;
    // The byte that probed a closed window was taken after all.
    if (flows[rev + LAST_SAID]! & Analysis.zeroWindowProbe && ack === (next + 1) >>> 0)
      flows[rev + NEXT] = ack;
    const told = (flows[rev + KNOWN]! & Known.beyond) !== 0;
    const from = told ? flows[rev + ACKED_BEYOND]! : flows[rev + LOW]!;
    if (!before(from, ack)) return false;
    if (!before(flows[rev + NEXT]!, ack) && !(flows[rev + HOLES]! > 0 && this.#unseen(rev, from, ack)))
      return false;
    flows[rev + ACKED_BEYOND] = ack;
    flows[rev + KNOWN]! |= Known.beyond;
    return true;
  }

  #smtp(slot: number, from: number, packet: Packet, buffer: Uint8Array): number {
    const state = this.#states[slot]!;
    if (state & State.tls) return SmtpStep.tls;
    const { payloadStart: start, payloadEnd: end } = packet;
    if (!(state & State.inMessage) && isTlsRecord(buffer, start, end)) {
      this.#states[slot] = state | State.tls;
      return SmtpStep.tls;
    }
    if (packet.fromResponder) {
      if (isGoAhead(buffer, start, end)) this.#states[slot] = state | State.inMessage;
      else this.#states[slot] = state & ~State.inMessage;
      const first = packet.seq === (this.#flows[from * STRIDE + ISN]! + 1) >>> 0;
      return replyStep(buffer, start, end, first);
    }
    const whole = end - start === packet.payloadBytes;
    const step = commandStep(buffer, start, end, (state & State.inMessage) !== 0, whole);
    if (step === SmtpStep.bdat) this.#states[slot] = state | State.inMessage;
    return step;
  }

  #allot(): void {
    const size = this.#open.size;
    this.#flows = grown(this.#flows, new Uint32Array(size * 2 * STRIDE));
    this.#times = grown(this.#times, new Float64Array(size * 2 * TIMES));
    this.#numbers = grown(this.#numbers, new Uint32Array(size));
    this.#states = grown(this.#states, new Uint32Array(size));
    this.#moments = grown(this.#moments, new Float64Array(size * CONNECTION_TIMES));
  }
}
