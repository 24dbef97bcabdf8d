import { TcpFlag } from './columns.js';
import type { Packet } from './packet.js';

/** A capture on all interfaces shows a packet on each that it passes, at most this much later. Microseconds. */
const WITHIN_US = 1000;
/** What a millisecond holds at some millions of packets a second, and what fits a processor cache. */
const PLACES = 4096;

/**
 * The packets just seen, to tell one that was captured twice from one that was sent twice.
 *
 * Equal are: flow, sequence and acknowledgment number, flags, length, window, timestamp, first SACK block and IP
 * identification, which a host counts up for each packet that it sends. IPv6 has none, nor have resets, so that a bare
 * ACK or a reset without it is taken for the same one only where the connection's other packets came twice. A place each, the newer takes it: what is forgotten early is not
 * recognised, nothing is recognised wrongly.
 */
export class RecentPackets {
  readonly #at = new Float64Array(PLACES).fill(Number.NEGATIVE_INFINITY);
  readonly #flow = new Uint32Array(PLACES);
  readonly #seq = new Uint32Array(PLACES);
  readonly #ack = new Uint32Array(PLACES);
  readonly #lengthFlags = new Uint32Array(PLACES);
  readonly #idWindow = new Float64Array(PLACES);
  readonly #timestamp = new Uint32Array(PLACES);
  readonly #sack = new Uint32Array(PLACES);

  clear(): void {
    this.#at.fill(Number.NEGATIVE_INFINITY);
  }

  /** Whether this packet was seen just before; remembers it. `doubled`: others of its connection were. */
  has(packet: Packet, flow: number, doubled: boolean): boolean {
    const { seq, ack, at, ipId, tsValue } = packet;
    const sack = packet.sackBlocks > 0 ? packet.sacks[1]! : 0;
    const lengthFlags = (packet.payloadBytes * 256 + packet.tcpFlags) >>> 0;
    const idWindow = (ipId + 1) * 65_536 + packet.windowRaw;
    let hash = Math.imul(seq, 0x9e3779b1) ^ Math.imul(ack, 0x85ebca6b) ^ Math.imul(flow, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ Math.imul(lengthFlags, 0x27d4eb2f) ^ ipId;
    const place = (hash ^ (hash >>> 16)) & (PLACES - 1);
    const since = at - this.#at[place]!;
    const same =
      since <= WITHIN_US &&
      since >= -WITHIN_US &&
      this.#flow[place] === flow &&
      this.#seq[place] === seq &&
      this.#ack[place] === ack &&
      this.#lengthFlags[place] === lengthFlags &&
      this.#idWindow[place] === idWindow &&
      this.#timestamp[place] === tsValue &&
      this.#sack[place] === sack;
    const bare = packet.payloadBytes === 0 && !(packet.tcpFlags & (TcpFlag.syn | TcpFlag.fin));
    if (same && (ipId > 0 || !bare || doubled)) return true;
    this.#at[place] = at;
    this.#flow[place] = flow;
    this.#seq[place] = seq;
    this.#ack[place] = ack;
    this.#lengthFlags[place] = lengthFlags;
    this.#idWindow[place] = idWindow;
    this.#timestamp[place] = tsValue;
    this.#sack[place] = sack;
    return false;
  }
}
