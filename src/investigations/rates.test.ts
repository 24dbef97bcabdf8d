import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fisherExact, stretchOf } from './rates.js';

/** Chance that can be thrown again (mulberry32). */
function dice(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('Fisher’s exact test', () => {
  // Fisher's tea (The Design of Experiments, 1935, chapter II); R's fisher.test documents 0.4857 and 0.0005367 (Convictions).
  it.each([
    [3, 1, 1, 3, 0.485714],
    [2, 10, 15, 3, 0.000537],
    [8, 2, 1, 5, 0.034965],
    [4, 0, 0, 4, 2 / 70],
    [1, 9, 11, 3, 0.002759],
  ])('of [[%i, %i], [%i, %i]] is %f', (a, b, c, d, p) => {
    expect(fisherExact(a, b, c, d)).toBeCloseTo(p, 5);
  });

  it('says nothing of nothing, and stands large tables', () => {
    expect(fisherExact(0, 0, 0, 0)).toBe(1);
    expect(fisherExact(0, 5, 0, 9)).toBe(1);
    expect(fisherExact(10, 200_000, 1_000, 900_000)).toBeLessThan(1e-9);
    expect(fisherExact(1_000, 99_000, 1_010, 98_990)).toBeGreaterThan(0.5);
  });

  it('is a probability, and minds neither which row nor which column comes first', () => {
    const n = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(n, n, n, n, (a, b, c, d) => {
        const p = fisherExact(a, b, c, d);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        for (const q of [fisherExact(c, d, a, b), fisherExact(b, a, d, c), fisherExact(a, c, b, d)])
          expect(q).toBeCloseTo(p, 8);
      }),
    );
  });

  it('grows less likely the further a table leans', () => {
    const ps = [0, 1, 2, 3, 4, 5].map((x) => fisherExact(10 + x, 10 - x, 10 - x, 10 + x));
    expect(ps).toEqual(ps.toSorted((a, b) => b - a));
  });
});

describe('a stretch of a series', () => {
  it('is found where it was planted: in the middle, at either end, in a long series', () => {
    for (const [n, from, to, inside, outside] of [
      [200, 80, 120, 0.9, 0.02],
      [200, 150, 200, 0.9, 0.02],
      [200, 0, 60, 0.9, 0.02],
      [9000, 5000, 6000, 0.6, 0.05],
    ] as const)
      for (let seed = 1; seed <= 20; seed++) {
        const random = dice(seed);
        const series = Array.from(
          { length: n },
          (_, i) => random() < (i >= from && i < to ? inside : outside),
        );
        const found = stretchOf(series)!;
        expect(found, `seed ${seed}`).not.toBeNull();
        const near = Math.max(5, n / 50);
        expect(Math.abs(found.from - from)).toBeLessThanOrEqual(near);
        expect(Math.abs(found.to - to)).toBeLessThanOrEqual(near);
        expect(found.inside).toBeGreaterThan(found.outside);
      }
  });

  it('is not found in chance: at most one alarm in a hundred series', () => {
    for (const [length, rate] of [
      [30, 0.3],
      [80, 0.1],
      [120, 0.5],
      [300, 0.05],
      [400, 0.3],
    ] as const) {
      let alarms = 0;
      for (let seed = 0; seed < 500; seed++) {
        const random = dice(seed * 31 + length);
        if (stretchOf(Array.from({ length }, () => random() < rate))) alarms++;
      }
      expect(alarms, `${length} at ${rate}`).toBeLessThanOrEqual(5);
    }
  });

  it('is none where all are alike, or hardly any are there', () => {
    for (const series of [[], [true], [true, false, true], Array(500).fill(false), Array(500).fill(true)])
      expect(stretchOf(series as boolean[])).toBeNull();
  });

  it('is quick for a million', () => {
    const began = performance.now();
    const found = stretchOf(Array.from({ length: 1_000_000 }, (_, i) => i > 400_000 && i < 500_000))!;
    expect(Math.abs(found.from - 400_000)).toBeLessThan(2_600);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
