import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, sparkline } from './chart.js';

describe('sparkline', () => {
  it('counts from zero and has its top at the largest value', () => {
    expect(sparkline([0, 1, 4, 8], 10, true)).toBe('▁▁▄█');
    expect(sparkline([0, 1, 4, 8], 10, false)).toBe('__-#');
  });

  it('is flat when there is nothing', () => {
    expect(sparkline([0, 0], 10, true)).toBe('▁▁');
    expect(sparkline([], 10, true)).toBe('');
  });

  it('keeps a single peak however little room there is', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i === 777 ? 100 : 1));
    expect(sparkline(values, 20, true)).toMatch(/^▁+█▁+$/);
  });

  it('has one mark a value or fills the width, and takes nonsense for zero', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double()),
        fc.integer({ min: 0, max: 30 }),
        fc.boolean(),
        (values, width, unicode) => {
          const line = sparkline(values, width, unicode);
          expect(line).toHaveLength(Math.min(values.length, width));
          expect(line).toMatch(unicode ? /^[▁-█]*$/ : /^[_.:\-=+*#]*$/);
        },
      ),
    );
  });
});

describe('bar', () => {
  it('shows a share in eighths of a column', () => {
    expect(bar(1, 4, true)).toBe('████');
    expect(bar(0.5, 3, true)).toBe('█▌');
    expect(bar(0.5, 4, false)).toBe('##');
  });

  it('shows nothing for nothing, and a sliver for next to nothing', () => {
    expect([bar(0, 10, true), bar(Number.NaN, 10, true), bar(-1, 10, true)]).toEqual(['', '', '']);
    expect([bar(1e-9, 10, true), bar(1e-9, 10, false)]).toEqual(['▏', '#']);
    expect(bar(7, 4, true)).toBe('████');
  });
});
