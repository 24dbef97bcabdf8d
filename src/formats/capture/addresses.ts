import type { Dictionary } from '../dictionary.js';
import { MIX_A, MIX_B } from '../dictionary.js';
import { be32 } from './byte-order.js';

/** Addresses looked up without making their text; one that falls on another's place is made again. */
const PLACES = 1 << 14;

/** The longest text of an address: eight groups. */
export const LONGEST_ADDRESS = 39;

/** MurmurHash3's finaliser: every bit of the input reaches every bit of the result. */
function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Where the texts of new addresses go. */
export interface AddressTexts {
  buffer: Uint8Array;
  intern(dictionary: Dictionary, start: number, end: number): number;
}

/**
 * Addresses of packets: the number that stands for each, and its id in the dictionary.
 *
 * Shape: `read4` and `read6` set `number` (31 bits of a keyed hash: the same throughout a case; two addresses share
 *        one by chance, once in 2^31) and `id`.
 */
export class Addresses {
  number = 0;
  id = 0;
  private readonly keys4 = new Int32Array(PLACES);
  private readonly ids4 = new Int32Array(PLACES);
  private readonly keys6 = new Int32Array(PLACES * 4);
  private readonly ids6 = new Int32Array(PLACES);

  constructor(
    private readonly texts: AddressTexts,
    private readonly dictionary: Dictionary,
    private readonly seedA: number,
    private readonly seedB: number,
  ) {}

  /** The dictionary starts again: no id holds any more. */
  forget(): void {
    this.ids4.fill(0);
    this.ids6.fill(0);
  }

  read4(b: Uint8Array, at: number): void {
    const raw = be32(b, at) | 0;
    this.number = mix(Math.imul(raw ^ this.seedA, MIX_A) + this.seedB) >>> 1;
    const place = this.number & (PLACES - 1);
    let id = this.keys4[place] === raw ? this.ids4[place]! : 0;
    if (id === 0) {
      const end = writeIpv4(this.texts.buffer, b, at);
      id = this.texts.intern(this.dictionary, 0, end);
      this.keys4[place] = raw;
      this.ids4[place] = id;
    }
    this.id = id;
  }

  read6(b: Uint8Array, at: number): void {
    const w0 = be32(b, at) | 0;
    const w1 = be32(b, at + 4) | 0;
    const w2 = be32(b, at + 8) | 0;
    const w3 = be32(b, at + 12) | 0;
    let h = Math.imul(w0 ^ this.seedA, MIX_A);
    h = Math.imul((h ^ (h >>> 15)) + w1, MIX_B) + this.seedB;
    h = Math.imul((h ^ (h >>> 15)) + w2, MIX_A);
    h = Math.imul((h ^ (h >>> 15)) + w3, MIX_B);
    this.number = mix(h) >>> 1;
    const place = this.number & (PLACES - 1);
    const { keys6: keys } = this;
    const k = place * 4;
    let id = this.ids6[place]!;
    if (id === 0 || keys[k] !== w0 || keys[k + 1] !== w1 || keys[k + 2] !== w2 || keys[k + 3] !== w3) {
      const end = writeIpv6(this.texts.buffer, b, at);
      id = this.texts.intern(this.dictionary, 0, end);
      keys[k] = w0;
      keys[k + 1] = w1;
      keys[k + 2] = w2;
      keys[k + 3] = w3;
      this.ids6[place] = id;
    }
    this.id = id;
  }
}

const DOT = 46;
const COLON = 58;

function writeDecimal(out: Uint8Array, to: number, value: number): number {
  if (value > 99) out[to++] = 48 + Math.floor(value / 100);
  if (value > 9) out[to++] = 48 + (Math.floor(value / 10) % 10);
  out[to++] = 48 + (value % 10);
  return to;
}

/** Writes the dotted quad of four bytes to the beginning of `out`; returns its end. */
function writeIpv4(out: Uint8Array, b: Uint8Array, at: number, to = 0): number {
  for (let i = 0; i < 4; i++) {
    if (i > 0) out[to++] = DOT;
    to = writeDecimal(out, to, b[at + i]!);
  }
  return to;
}

/**
 * Writes the text of an IPv6 address to the beginning of `out`; returns its end.
 * Source: RFC 5952, section 4: lower case, no leading zeros, the first longest run of two or more zero groups as
 * `::`; section 5: IPv4-mapped ones end in a dotted quad.
 */
function writeIpv6(out: Uint8Array, b: Uint8Array, at: number): number {
  const group = (i: number) => (b[at + 2 * i]! << 8) | b[at + 2 * i + 1]!;
  let run = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && group(j) === 0) j++;
    if (j - i > runLength) {
      run = i;
      runLength = j - i;
    }
    if (j > i) i = j - 1;
  }
  const mapped = run === 0 && runLength === 5 && group(5) === 0xffff;
  let to = 0;
  for (let i = 0; i < 8; i++) {
    if (i === run) {
      out[to++] = COLON;
      if (i + runLength === 8) out[to++] = COLON;
      i += runLength - 1;
      continue;
    }
    if (i > 0) out[to++] = COLON;
    if (mapped && i === 6) return writeIpv4(out, b, at + 12, to);
    const value = group(i);
    for (let shift = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0; shift >= 0; shift -= 4) {
      const digit = (value >> shift) & 15;
      out[to++] = digit < 10 ? 48 + digit : 87 + digit;
    }
  }
  return to;
}
