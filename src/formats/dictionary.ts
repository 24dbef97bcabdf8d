/**
 * Interned byte strings. A value is known by a keyed 64-bit hash (two 32-bit lanes); its bytes are looked at
 * once, when it is first met. With 64 bits and a seed that is drawn for each case, two values of the same hash
 * are expected once in 10^9 values squared over 2^65, and cannot be prepared by whoever writes the log.
 *
 * Units:  ids count from 1; id 0 is "absent" (a `-`, an empty or a missing field).
 * Memory: 12 bytes a slot, about `MOST` entries; past that the dictionary starts again between two batches and
 *         says so, and whoever collects the additions finds the old id by its hash.
 */
const MOST = 1 << 18;

/** The multipliers are those of xxHash32 (primes 1 and 2), good odd constants with no pattern. */
export const MIX_A = 0x9e3779b1 | 0;
export const MIX_B = 0x85ebca77 | 0;

/** What one batch adds to one dictionary: the texts in UTF-8, one after the other, and their hashes. */
export interface Additions {
  /** True when ids start again from 1: everything known of this dictionary's ids is void. */
  restarted: boolean;
  count: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** End of each text in `bytes`. */
  ends: Uint32Array<ArrayBuffer>;
  /** Two lanes an entry: a, b, a, b … */
  hashes: Int32Array<ArrayBuffer>;
}

/** Where a hash leads to its id: open addressing, never more than three quarters full. */
export class HashIndex {
  size = 0;
  private mask = 1023;
  /** Slots of three: lane a, lane b, id (0 = empty). */
  private slots = new Int32Array(1024 * 3);

  /** The id of a hash, or 0 when it is not known. */
  find(a: number, b: number): number {
    const { slots, mask } = this;
    for (let i = a & mask; ; i = (i + 1) & mask) {
      const at = i * 3;
      const id = slots[at + 2]!;
      if (id === 0 || (slots[at] === a && slots[at + 1] === b)) return id;
    }
  }

  /** Adds a hash that is not there yet. */
  add(a: number, b: number, id: number): void {
    if (++this.size * 4 > this.mask * 3) this.grow();
    this.place(a, b, id);
  }

  clear(): void {
    this.size = 0;
    this.mask = 1023;
    this.slots = new Int32Array(1024 * 3);
  }

  private place(a: number, b: number, id: number): void {
    const { slots, mask } = this;
    let i = a & mask;
    while (slots[i * 3 + 2] !== 0) i = (i + 1) & mask;
    slots[i * 3] = a;
    slots[i * 3 + 1] = b;
    slots[i * 3 + 2] = id;
  }

  private grow(): void {
    const old = this.slots;
    this.mask = this.mask * 2 + 1;
    this.slots = new Int32Array((this.mask + 1) * 3);
    for (let at = 0; at < old.length; at += 3)
      if (old[at + 2] !== 0) this.place(old[at]!, old[at + 1]!, old[at + 2]!);
  }
}

/** A reading thread's own dictionary: numbers texts from 1, and hands out what is new with each batch. */
export class Dictionary {
  readonly index = new HashIndex();
  private restarted = false;
  private bytes = new Uint8Array(4096);
  private used = 0;
  private ends: number[] = [];
  private hashes: number[] = [];

  /** The value met last, for fields of few values: a key of the caller's choice, its length and id. */
  lastKey = 0;
  lastLength = 0;
  lastId = 0;

  constructor(private readonly most = MOST) {}

  remember(key: number, length: number, id: number): void {
    this.lastKey = key;
    this.lastLength = length;
    this.lastId = id;
  }

  /** Gives a new hash its id. `text` is valid UTF-8; it is copied. */
  add(a: number, b: number, text: Uint8Array): number {
    const id = this.index.size + 1;
    this.index.add(a, b, id);
    if (this.used + text.length > this.bytes.length) {
      const wider = new Uint8Array(Math.max(this.bytes.length * 2, this.used + text.length));
      wider.set(this.bytes.subarray(0, this.used));
      this.bytes = wider;
    }
    this.bytes.set(text, this.used);
    this.used += text.length;
    this.ends.push(this.used);
    this.hashes.push(a, b);
    return id;
  }

  /** Hands out what was added since the last call; its buffers may be transferred. */
  take(): Additions | null {
    if (this.ends.length === 0 && !this.restarted) return null;
    const additions: Additions = {
      restarted: this.restarted,
      count: this.ends.length,
      bytes: this.bytes.slice(0, this.used),
      ends: Uint32Array.from(this.ends),
      hashes: Int32Array.from(this.hashes),
    };
    this.restarted = false;
    this.forgetAdditions();
    return additions;
  }

  get nearlyFull(): boolean {
    return this.index.size >= this.most;
  }

  /** Starts again from id 1. Only between batches: rows already filled would point at other texts. */
  restart(): void {
    this.index.clear();
    this.remember(0, 0, 0);
    this.restarted = true;
    this.forgetAdditions();
  }

  private forgetAdditions(): void {
    if (this.bytes.length > 1 << 20) this.bytes = new Uint8Array(4096);
    this.used = 0;
    this.ends = [];
    this.hashes = [];
  }
}
