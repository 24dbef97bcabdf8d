/**
 * Chance that can be thrown again: the same seed gives the same evidence on every machine.
 *
 * Every part of a case forks its own dice by name, so that adding a throw in one part leaves all others alone.
 */
export class Dice {
  readonly #name: string;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(name: string) {
    this.#name = name;
    let hash = 0x811c9dc5;
    for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
    [this.#a, this.#b, this.#c] = [hash | 0, Math.imul(hash, 0x9e3779b1) | 0, ~hash | 0];
    for (let warm = 0; warm < 15; warm++) this.next();
  }

  fork(part: string): Dice {
    return new Dice(`${this.#name}/${part}`);
  }

  /** In [0, 1). sfc32, by Chris Doty-Humphrey (public domain). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.next());
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(from.length * this.next())]!;
  }

  /** The first few are drawn much more often than the rest, as with pages of a site. */
  pickEarly<T>(from: readonly T[]): T {
    return from[Math.floor(from.length * this.next() ** 2.2)]!;
  }

  /** A few of them, each at most once, in any order. */
  some<T>(from: readonly T[], count: number): T[] {
    const left = [...from];
    return Array.from(
      { length: Math.min(count, left.length) },
      () => left.splice(this.int(0, left.length - 1), 1)[0]!,
    );
  }

  /** An index, by weight. */
  weighted(weights: readonly number[]): number {
    let left = this.next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return index;
    }
    return weights.length - 1;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  lognormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  poisson(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    let [count, left] = [0, this.next()];
    for (let p = Math.exp(-mean); left > p; p *= mean / ++count) left -= p;
    return count;
  }
}
