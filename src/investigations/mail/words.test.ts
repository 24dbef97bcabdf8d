import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count, duration, plural, share } from './words.js';

describe('words for numbers', () => {
  it.each([
    [0, '0.0 s'],
    [0.25, '0.3 s'],
    [9.96, '10 s'],
    [42.4, '42 s'],
    [59.6, '1 min'],
    [60, '1 min'],
    [200, '3 min 20 s'],
    [3599.7, '1 h'],
    [8100, '2 h 15 min'],
    [7199, '2 h'],
    [86_399, '1 d'],
    [86_400, '1 d'],
    [273_600, '3 d 4 h'],
    [345_599, '4 d'],
    [-3, '0.0 s'],
    [Number.NaN, 'an unknown time'],
    [Number.POSITIVE_INFINITY, 'an unknown time'],
  ])('%f seconds: %s', (seconds, says) => expect(duration(seconds)).toBe(says));

  it('never says 60 s, 60 min or 24 h', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 3e6, noNaN: true }), (seconds) => {
        expect(duration(seconds)).not.toMatch(/\b(60 s|60 min|24 h)\b/);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    [0, '0 %'],
    [0.004, '0.4 %'],
    [0.5, '50 %'],
    [0.994, '99.4 %'],
    [0.9999, '100 %'],
    [1, '100 %'],
    [-0.1, '0 %'],
  ])('a part of %f: %s', (part, says) => expect(share(part)).toBe(says));

  it('counts', () => {
    expect(count(1_234_567)).toBe('1,234,567');
    expect(plural(1, 'recipient')).toBe('1 recipient');
    expect(plural(0, 'recipient')).toBe('0 recipients');
  });
});
