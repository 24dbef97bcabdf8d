/**
 * The TCP connections that are open, found by their two ends: a hash table over typed arrays, oldest use first out.
 *
 * A slot is what the table gives for a connection; who uses it keeps state by slot number. Slots are made as needed
 * up to `limit`; then the connection that was silent longest is forgotten. One that speaks again is a new one.
 */
export class ConnectionTable {
  /** Slots that exist: state by slot has to have this many places. */
  size = 0;
  /** Connections forgotten so far to make room. */
  forgotten = 0;

  readonly #limit: number;
  #lowIp = new Uint32Array(0);
  #highIp = new Uint32Array(0);
  /** Port of the low end times 65536, plus that of the high end. */
  #ports = new Uint32Array(0);
  /** Next slot of the same bucket; -1 ends. */
  #chain = new Int32Array(0);
  #buckets = new Int32Array(0);
  #older = new Int32Array(0);
  #newer = new Int32Array(0);
  #oldest = -1;
  #newest = -1;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.clear();
  }

  clear(): void {
    this.#used = 0;
    this.#oldest = -1;
    this.#newest = -1;
    this.forgotten = 0;
    this.#allot(Math.min(1024, this.#limit));
  }

  /** The slot of the connection between these ends (low end first), now the newest; -1 - slot where it is a new one. */
  slot(lowIp: number, lowPort: number, highIp: number, highPort: number): number {
    const ports = (lowPort * 65536 + highPort) >>> 0;
    const newest = this.#newest;
    // Packets come in bursts.
    if (
      newest >= 0 &&
      this.#ports[newest] === ports &&
      this.#lowIp[newest] === lowIp &&
      this.#highIp[newest] === highIp
    )
      return newest;
    let bucket = this.#bucket(lowIp, highIp, ports);
    for (let slot = this.#buckets[bucket]!; slot >= 0; slot = this.#chain[slot]!) {
      if (this.#ports[slot] !== ports || this.#lowIp[slot] !== lowIp || this.#highIp[slot] !== highIp)
        continue;
      this.#unlink(slot);
      this.#append(slot);
      return slot;
    }
    let slot = this.#used;
    if (slot < this.#limit) {
      if (slot === this.size) {
        this.#allot(Math.min(this.size * 2, this.#limit));
        bucket = this.#bucket(lowIp, highIp, ports);
      }
      this.#used++;
    } else slot = this.#forget();
    this.#lowIp[slot] = lowIp;
    this.#highIp[slot] = highIp;
    this.#ports[slot] = ports;
    this.#chain[slot] = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot;
    this.#append(slot);
    return -1 - slot;
  }

  #bucket(lowIp: number, highIp: number, ports: number): number {
    let hash = Math.imul(lowIp, 0x9e3779b1) ^ Math.imul(highIp, 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & (this.#buckets.length - 1);
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = -1;
    if (this.#newest >= 0) this.#newer[this.#newest] = slot;
    else this.#oldest = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    if (older >= 0) this.#newer[older] = newer;
    else this.#oldest = newer;
    if (newer >= 0) this.#older[newer] = older;
    else this.#newest = older;
  }

  #forget(): number {
    const slot = this.#oldest;
    this.#unlink(slot);
    const bucket = this.#bucket(this.#lowIp[slot]!, this.#highIp[slot]!, this.#ports[slot]!);
    if (this.#buckets[bucket] === slot) this.#buckets[bucket] = this.#chain[slot]!;
    else {
      let before = this.#buckets[bucket]!;
      while (this.#chain[before] !== slot) before = this.#chain[before]!;
      this.#chain[before] = this.#chain[slot]!;
    }
    this.forgotten++;
    return slot;
  }

  #allot(size: number): void {
    this.size = size;
    this.#lowIp = grown(this.#lowIp, new Uint32Array(size));
    this.#highIp = grown(this.#highIp, new Uint32Array(size));
    this.#ports = grown(this.#ports, new Uint32Array(size));
    this.#older = grown(this.#older, new Int32Array(size));
    this.#newer = grown(this.#newer, new Int32Array(size));
    this.#chain = new Int32Array(size);
    let buckets = 1024;
    while (buckets < size) buckets *= 2;
    this.#buckets = new Int32Array(buckets).fill(-1);
    for (let slot = 0; slot < this.#used; slot++) {
      const bucket = this.#bucket(this.#lowIp[slot]!, this.#highIp[slot]!, this.#ports[slot]!);
      this.#chain[slot] = this.#buckets[bucket]!;
      this.#buckets[bucket] = slot;
    }
  }
}

/** The larger array with the content of the smaller. Where it is the other way round: empty. */
export function grown<T extends Uint32Array | Int32Array | Float64Array>(from: T, into: T): T {
  if (from.length <= into.length) into.set(from);
  return into;
}
