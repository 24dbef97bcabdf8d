import type { Unread } from '../unread.js';

/** Takes what is found in a capture file. Positions are in the buffer that `next` was called with. */
export interface PacketSink {
  /**
   * @param link  link type; see link.ts
   * @param at    microseconds since 1970, with a fraction; NaN where there is none
   * @param start, captured  where the captured bytes of the frame lie
   * @param wire  length of the frame on the wire
   */
  packet(link: number, at: number, face: number, start: number, captured: number, wire: number): void;
  /** @param start, bytes  the beginning of what could not be read: it is shown */
  unread(reason: Exclude<Unread, 0>, start: number, bytes: number): void;
}

/** A way to put packets into a file: cuts bytes into records and hands what they hold to a sink. */
export interface Records {
  /** What was read last cannot be trusted to tell where the next record begins. */
  readonly lost: boolean;
  restart(): void;
  /**
   * Reads the record that begins at `at`, if all of it that is needed lies before `end`.
   *
   * @param last  no more bytes will come: what needs some is no record
   * @returns its length (it may end behind `end`: then what is left of it is of no interest), or 0: more is needed
   */
  next(b: Uint8Array, at: number, end: number, last: boolean): number;
}

/**
 * Longest frame that is believed: tcpdump(1) captures no more than 262,144 bytes of one. Anything that is longer
 * is a length that lies, and is never waited for.
 */
export const LONGEST_FRAME = 1 << 18;

/** A fraction of a microsecond must not round up to the next one. */
export function withFraction(whole: number, fraction: number): number {
  const at = whole + fraction;
  return at < whole + 1 ? at : whole;
}
