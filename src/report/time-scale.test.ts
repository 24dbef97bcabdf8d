import { describe, expect, it } from 'vitest';
import { clock, roundSteps, timeScale } from './time-scale.js';

describe('timeScale', () => {
  it('is even where nothing pauses for long', () => {
    const scale = timeScale([0, 0.1, 0.2, 0.3, 0.4], 0.4);
    expect(scale.shortened).toBe(false);
    expect(scale.at(0.1)).toBeCloseTo(0.25);
    expect(scale.ticks(4)).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
  });

  it('shortens pauses, in order and the longer ones less', () => {
    const moments = [0, 0.1, 0.2, 0.3, 1.3, 31.3, 131.3];
    const scale = timeScale(moments, 131.3);
    expect(scale.shortened).toBe(true);
    expect(scale.at(0.3)).toBeGreaterThan(0.5);
    const places = moments.map((m) => scale.at(m));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places.at(-1)).toBe(1);
    expect(scale.at(131.3) - scale.at(31.3)).toBeGreaterThan(scale.at(31.3) - scale.at(1.3));
    for (const tick of scale.ticks(8)) expect(scale.at(tick)).toBeGreaterThanOrEqual(0);
    expect(scale.ticks(8).at(-1)).toBeCloseTo(131.3);
  });

  it('has an answer for a single moment', () => {
    expect(timeScale([0], 0).at(0)).toBe(0);
    expect(timeScale([], 0).ticks(3)[0]).toBe(0);
  });
});

it('labels', () => {
  expect(roundSteps(1050, 5)).toEqual([0, 500, 1000]);
  expect(roundSteps(0, 5)).toEqual([0]);
  expect([clock(0, 1), clock(0.45, 0.1), clock(12, 5), clock(118, 10)]).toEqual([
    '0',
    '0.5 s',
    '12 s',
    '1:58',
  ]);
});
