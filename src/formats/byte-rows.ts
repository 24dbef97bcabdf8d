import type { StoredColumn, TextTable } from './bulk.js';
import { Dictionary, MIX_A, MIX_B } from './dictionary.js';
import { type Escaping, textOf } from './texts.js';

/** The last steps of MurmurHash3's finaliser: every bit of the input reaches every bit of the lane. */
function finish(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * The bytes that fields are cut from, the dictionaries they go to, and the batch being filled. Each format adds
 * the fields of its own row; nothing here makes an object or string for a line.
 */
export abstract class ByteRows<D extends TextTable = TextTable> {
  /** Rows in the batch. */
  count = 0;
  /** Wall time of the batch's records: see Tally. */
  first = Number.NaN;
  last = Number.NaN;
  readonly dictionaries: Record<D, Dictionary>;
  readonly all: readonly (readonly [D, Dictionary])[];

  /**
   * @param view  the same bytes; it must reach 4 bytes past the last field
   * @param seedA, seedB  the case's hash key, so that ids of all workers and all runs agree
   */
  constructor(
    public buffer: Uint8Array,
    public view: DataView,
    readonly seedA: number,
    readonly seedB: number,
    names: readonly D[],
    public escaping: Escaping = 'log',
  ) {
    this.dictionaries = Object.fromEntries(names.map((name) => [name, new Dictionary()])) as Record<
      D,
      Dictionary
    >;
    this.all = names.map((name) => [name, this.dictionaries[name]] as const);
  }

  abstract get full(): boolean;
  /** Hands out the batch's columns and begins another. */
  abstract take(): StoredColumn[];

  /** The record's wall time counts towards the period that its source covers. */
  protected met(wall: number): void {
    if (!(wall >= this.first)) this.first = wall;
    if (!(wall <= this.last)) this.last = wall;
  }

  /** The id of the bytes [start, end) in a dictionary; 0 for nothing and for a lone `-`. */
  intern(dictionary: Dictionary, start: number, end: number): number {
    const length = end - start;
    if (length <= 0 || (length === 1 && this.buffer[start] === 45)) return 0;
    const view = this.view;
    let a = this.seedA;
    let b = this.seedB;
    let i = start;
    for (const stop = end - 3; i < stop; i += 4) {
      const w = view.getInt32(i, true);
      a = Math.imul(a ^ w, MIX_A);
      a ^= a >>> 15;
      b = Math.imul((b + w) | 0, MIX_B);
      b = (b << 13) | (b >>> 19);
    }
    if (i < end) {
      const w = view.getInt32(i, true) & ((1 << ((end - i) << 3)) - 1);
      a = Math.imul(a ^ w, MIX_A);
      a ^= a >>> 15;
      b = Math.imul((b + w) | 0, MIX_B);
      b = (b << 13) | (b >>> 19);
    }
    return this.internHashed(dictionary, start, end, finish(a ^ length), finish(b + length));
  }

  /** `intern` where the hash is known already. */
  internHashed(dictionary: Dictionary, start: number, end: number, a: number, b: number): number {
    if (end <= start || (end - start === 1 && this.buffer[start] === 45)) return 0;
    return (
      dictionary.index.find(a, b) ||
      dictionary.add(a, b, textOf(this.buffer.subarray(start, end), this.escaping))
    );
  }

  /** Nothing but spaces and tabs. */
  isBlank(start: number, end: number): boolean {
    let i = start;
    while (i < end && (this.buffer[i] === 32 || this.buffer[i] === 9)) i++;
    return i >= end;
  }

  /** Position of a byte in [start, end), or `end`. Four bytes a step (Hacker's Delight, 6-1). */
  indexOfByte(byte: number, start: number, end: number): number {
    const { view, buffer } = this;
    const pattern = Math.imul(byte, 0x01010101);
    let i = start;
    for (; i < end; i += 4) {
      const x = view.getInt32(i, true) ^ pattern;
      if (((x - 0x01010101) & ~x & 0x80808080) !== 0) break;
    }
    for (; i < end; i++) if (buffer[i] === byte) return i;
    return end;
  }
}
