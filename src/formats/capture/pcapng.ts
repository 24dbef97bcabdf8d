import { Unread } from '../unread.js';
import { be16, be32, le16, le32 } from './byte-order.js';
import { LONGEST_FRAME, type PacketSink, type Records, withFraction } from './records.js';

export const SECTION_HEADER = 0x0a0d0d0a;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const Block = {
  interface: 1,
  packet: 2,
  simplePacket: 3,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  secrets: 10,
} as const;

/** Options of an interface description block. */
const InterfaceOption = { end: 0, resolution: 9, offset: 14 } as const;

/** A longer block is never waited for: the longest frame, and as much again for options. */
const LONGEST_BLOCK = 2 * LONGEST_FRAME;
/** Keys and names may be longer; this is also Wireshark's limit. */
const LONGEST_PASSED_OVER = 16 << 20;
/** Interfaces of one section that are remembered; a machine has a few. */
const MOST_INTERFACES = 4096;
/** No block is shorter: type, length, and length again. */
const LEAST_BLOCK = 12;

/** How the times of an interface are counted. */
type Clock =
  | { unit: 'microseconds' | 'nanoseconds'; offset: number }
  | { unit: 'other'; ticksPerSecond: bigint; offset: number };

interface Interface {
  link: number;
  snaplen: number;
  clock: Clock;
}

/** Later, a number of microseconds is no longer exact (the year 2255). */
const LATEST = Number.MAX_SAFE_INTEGER;

/**
 * The blocks of a pcapng file.
 *
 * Shape:  packets of enhanced, simple and obsolete packet blocks; interface numbers go on from section to section.
 *         Names, statistics, secrets and options say nothing of packets and are passed over.
 * Units:  times by if_tsresol and if_tsoffset of the interface.
 * Errors: blocks of any other kind are `unread`, one each, and passed over by their length. A length that cannot be
 *         is `unread`, and reading goes on at the next block of a known kind whose two lengths agree.
 * Source: draft-ietf-opsawg-pcapng, sections 3 and 4, and appendix A for the obsolete block.
 */
export class PcapngBlocks implements Records {
  lost = false;
  private big = false;
  private interfaces: Interface[] = [];
  /** Interfaces of this section, the forgotten ones too; of all sections before. */
  private described = 0;
  private before = 0;

  constructor(private readonly sink: PacketSink) {}

  restart(): void {
    this.lost = false;
    this.big = false;
    this.interfaces = [];
    this.described = 0;
    this.before = 0;
  }

  next(b: Uint8Array, at: number, end: number, last: boolean): number {
    if (this.lost) return this.search(b, at, end, last);
    if (end - at < LEAST_BLOCK) return 0;
    const type = this.u32(b, at);
    if (type === SECTION_HEADER) return this.section(b, at, end);
    const said = this.u32(b, at + 4);
    // Some programs leave the padding out of the length.
    const length = Math.ceil(said / 4) * 4;
    if (said < LEAST_BLOCK || said > LONGEST_PASSED_OVER) return this.lose(at, Unread.captureLength);
    switch (type) {
      case Block.interface:
      case Block.packet:
      case Block.simplePacket:
      case Block.enhancedPacket:
        if (length > LONGEST_BLOCK) {
          if (type === Block.interface) this.describe({ link: -1, snaplen: 0, clock: MICROSECONDS });
          return this.lose(at, Unread.captureLength);
        }
        if (end - at < length) return 0;
        if (this.u32(b, at + length - 4) !== said) return this.lose(at, Unread.captureLength);
        this.block(type, b, at, length);
        return length;
      case Block.nameResolution:
      case Block.interfaceStatistics:
      case Block.secrets:
        return length;
      default:
        this.sink.unread(Unread.captureBlock, at, LEAST_BLOCK);
        return length;
    }
  }

  private section(b: Uint8Array, at: number, end: number): number {
    const little = le32(b, at + 8) === BYTE_ORDER_MAGIC;
    if (!little && be32(b, at + 8) !== BYTE_ORDER_MAGIC) return this.lose(at, Unread.captureSection);
    const length = little ? le32(b, at + 4) : be32(b, at + 4);
    if (length < 28 || length % 4 !== 0 || length > LONGEST_BLOCK)
      return this.lose(at, Unread.captureSection);
    if (end - at < length) return 0;
    const major = little ? le16(b, at + 12) : be16(b, at + 12);
    const agrees = (little ? le32(b, at + length - 4) : be32(b, at + length - 4)) === length;
    if (major !== 1 || !agrees) return this.lose(at, Unread.captureSection);
    this.big = !little;
    this.before += this.described;
    this.described = 0;
    this.interfaces = [];
    return length;
  }

  private lose(at: number, reason: Exclude<Unread, 0>): number {
    this.sink.unread(reason, at, LEAST_BLOCK);
    this.lost = true;
    return 1;
  }

  /** Discards bytes up to a block of a known kind. */
  private search(b: Uint8Array, at: number, end: number, last: boolean): number {
    let i = at;
    for (; i + LEAST_BLOCK <= end; i++) {
      const type = this.u32(b, i);
      const section = type === SECTION_HEADER;
      if (!section && !(type >= Block.interface && type <= Block.enhancedPacket) && type !== Block.secrets)
        continue;
      const big = section ? be32(b, i + 8) === BYTE_ORDER_MAGIC : this.big;
      const length = big ? be32(b, i + 4) : le32(b, i + 4);
      if (length < LEAST_BLOCK || length % 4 !== 0 || length > LONGEST_BLOCK) continue;
      if (i + length > end && last) continue;
      if (i + length > end) return i - at;
      if ((big ? be32(b, i + length - 4) : le32(b, i + length - 4)) !== length) continue;
      this.lost = false;
      return i > at ? i - at : this.next(b, at, end, last);
    }
    return i - at;
  }

  /** @param length  of the block, all of which is there */
  private block(type: number, b: Uint8Array, at: number, length: number): void {
    const { sink } = this;
    const body = at + 8;
    const bodyEnd = at + length - 4;
    if (type === Block.interface) {
      this.describe(this.readInterface(b, body, bodyEnd));
      return;
    }
    const header = type === Block.simplePacket ? 4 : 20;
    if (bodyEnd - body < header) {
      sink.unread(Unread.captureLength, at, LEAST_BLOCK);
      return;
    }
    const id =
      type === Block.enhancedPacket ? this.u32(b, body) : type === Block.packet ? this.u16(b, body) : 0;
    const face = id < MOST_INTERFACES ? this.interfaces[id] : undefined;
    if (!face || face.link < 0) {
      sink.unread(Unread.captureInterface, at, LEAST_BLOCK);
      return;
    }
    const number = Math.min(this.before + id, 0x7fff);
    if (type === Block.simplePacket) {
      const wire = this.u32(b, body);
      const most = face.snaplen === 0 ? wire : Math.min(wire, face.snaplen);
      sink.packet(face.link, Number.NaN, number, body + 4, Math.min(most, bodyEnd - body - 4), wire);
      return;
    }
    const captured = this.u32(b, body + 12);
    if (captured > bodyEnd - body - 20) {
      sink.unread(Unread.captureLength, at, LEAST_BLOCK);
      return;
    }
    const time = timeOf(face.clock, this.u32(b, body + 4), this.u32(b, body + 8));
    sink.packet(face.link, time, number, body + 20, captured, this.u32(b, body + 16));
  }

  private describe(face: Interface): void {
    this.described++;
    if (this.interfaces.length < MOST_INTERFACES) this.interfaces.push(face);
  }

  private readInterface(b: Uint8Array, body: number, end: number): Interface {
    if (end - body < 8) return { link: -1, snaplen: 0, clock: MICROSECONDS };
    let resolution = 6;
    let offset = 0;
    for (let at = body + 8; at + 4 <= end; ) {
      const code = this.u16(b, at);
      const length = this.u16(b, at + 2);
      if (code === InterfaceOption.end || at + 4 + length > end) break;
      if (code === InterfaceOption.resolution && length === 1) resolution = b[at + 4]!;
      if (code === InterfaceOption.offset && length === 8) offset = this.signed64(b, at + 4) * 1e6;
      at += 4 + ((length + 3) & ~3);
    }
    return { link: this.u16(b, body), snaplen: this.u32(b, body + 4), clock: clockOf(resolution, offset) };
  }

  private u16(b: Uint8Array, at: number): number {
    return this.big ? be16(b, at) : le16(b, at);
  }

  private u32(b: Uint8Array, at: number): number {
    return this.big ? be32(b, at) : le32(b, at);
  }

  private signed64(b: Uint8Array, at: number): number {
    const high = this.u32(b, this.big ? at : at + 4) | 0;
    return high * 4294967296 + this.u32(b, this.big ? at + 4 : at);
  }
}

const MICROSECONDS: Clock = { unit: 'microseconds', offset: 0 };

/** @param resolution  if_tsresol: a negative power of 10, or of 2 where the highest bit is set */
function clockOf(resolution: number, offset: number): Clock {
  if (resolution === 6) return { unit: 'microseconds', offset };
  if (resolution === 9) return { unit: 'nanoseconds', offset };
  const ticksPerSecond = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
  return { unit: 'other', ticksPerSecond, offset };
}

/** Microseconds since 1970; NaN for a time before that, or one that is too late to be exact. */
function timeOf(clock: Clock, high: number, low: number): number {
  let at = clock.offset;
  switch (clock.unit) {
    case 'microseconds':
      at += high * 4294967296 + low;
      break;
    case 'nanoseconds': {
      // 2^32 ns are 4,294,967 µs and 296 ns: the whole microseconds stay exact.
      const rest = high * 296 + low;
      const whole = Math.floor(rest / 1000);
      at += high * 4294967 + whole;
      if (at >= 0 && at <= LATEST) return withFraction(at, (rest - whole * 1000) / 1000);
      break;
    }
    case 'other': {
      const scaled = ((BigInt(high) << 32n) | BigInt(low)) * 1_000_000n;
      const whole = scaled / clock.ticksPerSecond;
      if (whole <= BigInt(LATEST)) at += Number(whole);
      else at = Number.NaN;
      break;
    }
  }
  return at >= 0 && at <= LATEST ? at : Number.NaN;
}
