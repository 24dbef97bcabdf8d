import { Unread } from '../unread.js';
import { be16, be32, le16, le32 } from './byte-order.js';
import { LONGEST_FRAME, type PacketSink, type Records, withFraction } from './records.js';

export const PCAP_HEADER = 24;

/** What the header of a pcap file says. */
export interface PcapHow {
  kind: 'pcap';
  bigEndian: boolean;
  nanoseconds: boolean;
  /** Records of 24 bytes, with the interface: the format that A. Kuznetsov's libpcap wrote. */
  modified: boolean;
  link: number;
  /** Version 2.3 and older: some programs wrote the two lengths of a record the other way round. */
  old: boolean;
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const MODIFIED = 0xa1b2cd34;
/** The link type's bits; those above hold the length of the frame check sequence. */
const LINK_BITS = 0x03ffffff;

/**
 * Reads a pcap file's header, 24 bytes; null where there is none.
 * Source: pcap-savefile(5); the magic of modified files: libpcap, sf-pcap.c.
 */
export function readPcapHeader(b: Uint8Array, at: number): PcapHow | null {
  const magic = be32(b, at);
  const bigEndian = magic === MICROSECONDS || magic === NANOSECONDS || magic === MODIFIED;
  const number = bigEndian ? magic : le32(b, at);
  if (number !== MICROSECONDS && number !== NANOSECONDS && number !== MODIFIED) return null;
  const [u16, u32] = bigEndian ? [be16, be32] : [le16, le32];
  if (u16(b, at + 4) !== 2) return null;
  return {
    kind: 'pcap',
    bigEndian,
    nanoseconds: number === NANOSECONDS,
    modified: number === MODIFIED,
    link: u32(b, at + 20) & LINK_BITS,
    old: u16(b, at + 6) < 4,
  };
}

/** Records on either side of damage are believed to be of one capture where they are no further apart. */
const A_DAY = 86_400;

/**
 * The records of a pcap file.
 *
 * Shape:  a header may stand before any record (files put one behind the other); it must be of the same kind.
 * Errors: a length that cannot be is `unread`; reading goes on where two records follow one another that look like
 *         such: sane lengths, a fraction below a second, times within a day.
 * Source: pcap-savefile(5).
 */
export class PcapRecords implements Records {
  lost = false;
  private link: number;
  private old: boolean;
  private seconds = 0;
  private readonly header: number;
  private readonly fractions: number;

  constructor(
    private readonly how: PcapHow,
    private readonly sink: PacketSink,
  ) {
    this.link = how.link;
    this.old = how.old;
    this.header = how.modified ? 24 : 16;
    this.fractions = how.nanoseconds ? 1e9 : 1e6;
  }

  restart(): void {
    this.lost = false;
    this.link = this.how.link;
    this.old = this.how.old;
    this.seconds = 0;
  }

  next(b: Uint8Array, at: number, end: number, last: boolean): number {
    if (this.lost) return this.search(b, at, end, last);
    const { header, how } = this;
    if (end - at < header) return 0;
    const big = how.bigEndian;
    const seconds = big ? be32(b, at) : le32(b, at);
    if (seconds === MICROSECONDS || seconds === NANOSECONDS || seconds === MODIFIED) {
      if (end - at < PCAP_HEADER) return 0;
      const again = readPcapHeader(b, at);
      if (again && again.modified === how.modified && again.nanoseconds === how.nanoseconds) {
        this.link = again.link;
        this.old = again.old;
        return PCAP_HEADER;
      }
    }
    const fraction = big ? be32(b, at + 4) : le32(b, at + 4);
    let captured = big ? be32(b, at + 8) : le32(b, at + 8);
    let wire = big ? be32(b, at + 12) : le32(b, at + 12);
    if (this.old && captured > wire) [captured, wire] = [wire, captured];
    if (captured > LONGEST_FRAME) {
      this.sink.unread(Unread.captureLength, at, header);
      this.lost = true;
      return 1;
    }
    const length = header + captured;
    if (end - at < length) return 0;
    this.seconds = seconds;
    const microseconds = how.nanoseconds ? Math.floor(fraction / 1000) : fraction;
    let time = seconds * 1e6 + microseconds;
    if (how.nanoseconds) time = withFraction(time, fraction / 1000 - microseconds);
    this.sink.packet(this.link, time, 0, at + header, captured, wire);
    return length;
  }

  /** Discards bytes up to what looks like a record that is followed by another. */
  private search(b: Uint8Array, at: number, end: number, last: boolean): number {
    const { header } = this;
    let i = at;
    for (; i + header <= end; i++) {
      if (!this.plausible(b, i)) continue;
      const next = i + header + this.lengthAt(b, i);
      if (next + header > end && !last) return i - at;
      // The last packet has none behind it.
      if (next !== end && !this.follow(b, i, next, end)) continue;
      this.lost = false;
      return i > at ? i - at : this.next(b, at, end, last);
    }
    return i - at;
  }

  /** What stands at `next` looks like a record, and like one of the same capture as that at `at`. */
  private follow(b: Uint8Array, at: number, next: number, end: number): boolean {
    return (
      next + this.header <= end &&
      this.plausible(b, next) &&
      Math.abs(this.u32(b, next) - this.u32(b, at)) <= A_DAY
    );
  }

  private u32(b: Uint8Array, at: number): number {
    return this.how.bigEndian ? be32(b, at) : le32(b, at);
  }

  private lengthAt(b: Uint8Array, at: number): number {
    const length = this.u32(b, at + 8);
    return this.old ? Math.min(length, this.u32(b, at + 12)) : length;
  }

  private plausible(b: Uint8Array, at: number): boolean {
    const length = this.lengthAt(b, at);
    const wire = this.u32(b, at + 12);
    return (
      length > 0 &&
      length <= LONGEST_FRAME &&
      (this.old || (length <= wire && wire <= LONGEST_FRAME)) &&
      this.u32(b, at + 4) < this.fractions &&
      (this.seconds === 0 || Math.abs(this.u32(b, at) - this.seconds) <= A_DAY)
    );
  }
}
