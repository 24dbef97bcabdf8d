import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offBy, type Stamp, truestOf } from './clocks.js';

const stamps = (...seconds: number[]): Stamp[] =>
  seconds.map((s, hop) => ({ hop, at: s * 1000, clock: `host ${hop}`, belief: 1 }));
const keptHops = (list: Stamp[]) => truestOf(list).kept.map((s) => s.hop);

describe('clocks', () => {
  it('are all true where no stamp falls, however long a wait is', () => {
    expect(keptHops(stamps(0, 1, 40_000, 40_001))).toEqual([0, 1, 2, 3]);
    expect(keptHops(stamps(0, 400, 800, 90_000, 200_000))).toEqual([0, 1, 2, 3, 4]);
  });

  it('may differ by a few seconds', () => {
    expect(truestOf(stamps(0, -3, 2, 1)).skewed).toEqual([]);
  });

  it.each<[string, number[], number, number]>([
    ['ahead, in the middle', [0, 3605, 10, 12], 1, 3595],
    ['behind, in the middle', [0, 5, -3600, 12], 2, -3605],
    ['behind, the last', [0, 5, 10, -3600], 3, -3610],
    ['ahead, the first', [3600, 5, 10, 12], 0, 3595],
  ])('one that is %s is named, with how much at least', (_, seconds, hop, off) => {
    const { skewed } = truestOf(stamps(...seconds));
    expect(skewed.map((s) => [s.hop, offBy(s), s.isAmbiguous])).toEqual([[hop, off, false]]);
  });

  it('of two hosts alone cannot be told apart', () => {
    const { kept, skewed } = truestOf(stamps(3600, 0));
    expect([kept.length, skewed.length]).toEqual([1, 1]);
    expect(skewed[0]!.isAmbiguous).toBe(true);
  });

  it('one wrong among prompt ones is found, and makes no wait', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        fc.integer({ min: 600, max: 10_000_000 }),
        fc.boolean(),
        (steps, which, off, ahead) => {
          let at = 0;
          const list = stamps(...[0, ...steps].map((step) => (at += step)));
          const n = list.length;
          // At the ends a clock that is behind (first) or ahead (last) looks like a wait: nothing contradicts it.
          const hop = ahead ? which % (n - 1) : 1 + (which % (n - 1));
          list[hop]!.at += (ahead ? off : -off) * 1000;
          const { kept, skewed } = truestOf(list);
          expect(skewed.map((s) => s.hop)).toEqual([hop]);
          expect(Math.sign(offBy(skewed[0]!))).toBe(ahead ? 1 : -1);
          expect(Math.abs(offBy(skewed[0]!))).toBeLessThanOrEqual(off);
          for (const [i, s] of kept.slice(1).entries())
            expect(s.at - kept[i]!.at).toBeLessThanOrEqual(40_000);
        },
      ),
    );
  });

  it('of a thousand hops are judged at once', () => {
    const begun = performance.now();
    truestOf(stamps(...Array.from({ length: 1001 }, (_, i) => (i * 7919) % 1000)));
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
