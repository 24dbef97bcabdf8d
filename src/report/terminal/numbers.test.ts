import { describe, expect, it } from 'vitest';
import type { Amount, Unit } from '../../findings/finding.js';
import {
  amount,
  amountShort,
  bytes,
  bytesShort,
  count,
  countShort,
  date,
  dateRange,
  hasFigure,
  percent,
  seconds,
  tacitYear,
  weight,
} from './numbers.js';

describe('counts and sizes', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [12_097_802, '12,097,802'],
    [-1234, '-1,234'],
    [2.345, '2.35'],
    [1234.6, '1,235'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('counts %d as %s', (value, text) => {
    expect(count(value)).toBe(text);
  });

  it('shortens a count only where the exact one says no more', () => {
    expect(countShort(310_221)).toBe('310,221');
    expect(countShort(999_499)).toBe('999,499');
    expect(countShort(999_500)).toBe('1 M');
    expect(countShort(12_097_802)).toBe('12.1 M');
    expect(countShort(2.4e9)).toBe('2.4 G');
  });

  it('gives the size of one object exactly, and large amounts with three digits', () => {
    expect(bytes(1)).toBe('1 byte');
    expect(bytes(500_600)).toBe('500,600 bytes');
    expect(bytes(73_200_000_000)).toBe('73.2 GB');
    expect(bytesShort(500_600)).toBe('501 kB');
  });

  it('moves on to the next unit instead of writing 1000', () => {
    expect(bytesShort(999_499)).toBe('999 kB');
    expect(bytesShort(999_500)).toBe('1 MB');
    expect(bytesShort(999.6e15)).toBe('1000 PB');
  });
});

describe('percent', () => {
  it.each([
    [95.19999, '95.2 %'],
    [100, '100 %'],
    [99.97, '99.97 %'],
    [99.99999, '99.99999 %'],
    [0, '0 %'],
    [0.016, '0.016 %'],
    [0.0000001, '< 0.001 %'],
  ])('writes %d as %s: never rounded to all or nothing', (value, text) => {
    expect(percent(value)).toBe(text);
  });
});

describe('seconds', () => {
  it.each([
    [0, '0 s'],
    [0.0042, '4.2 ms'],
    [0.9999, '1 s'],
    [4.23, '4.2 s'],
    [59.4, '59 s'],
    [59.5, '1 min'],
    [90, '1.5 min'],
    [31_320, '8.7 h'],
    [86_400, '24 h'],
    [172_800, '2 days'],
    [Number.NaN, '–'],
  ])('writes %d as %s', (value, text) => {
    expect(seconds(value)).toBe(text);
  });
});

describe('amounts', () => {
  const EXAMPLES: Record<Unit, string> = {
    byte: '2 bytes',
    'byte/day': '2 bytes/day',
    second: '2 s',
    message: '2 messages',
    recipient: '2 recipients',
    refusal: '2 refusals',
    attempt: '2 attempts',
    request: '2 requests',
    'request/day': '2 requests/day',
    percent: '2 %',
    object: '2 objects',
    address: '2 addresses',
    day: '2 days',
    ratio: '2×',
  };
  it.each(Object.entries(EXAMPLES) as [Unit, string][])('writes the unit %s', (unit, text) => {
    expect(amount({ value: 2, unit })).toBe(text);
  });

  it('says one of a thing in the singular', () => {
    expect(amount({ value: 1, unit: 'address' })).toBe('1 address');
  });

  it('never throws and never writes NaN', () => {
    for (const unit of Object.keys(EXAMPLES) as Unit[]) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300]) {
        expect(amount({ value, unit }) + amountShort({ value, unit })).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  });

  it('writes a unit it does not know as it is', () => {
    expect(amount({ value: 3, unit: 'widget' } as unknown as Amount)).toBe('3 widget');
  });

  it('finds a figure in a sentence only as a number of its own', () => {
    const four: Amount = { value: 4, unit: 'message' };
    expect(hasFigure('4 of 9 were late', four)).toBe(true);
    expect(hasFigure('41 of 41 were late', four)).toBe(false);
    expect(hasFigure('14 and then 4', four)).toBe(true);
    expect(hasFigure('4,120 smaller ones, 0.4 GB, 4.1', four)).toBe(false);
    expect(hasFigure('took 73.2 GB.', { value: 73.2e9, unit: 'byte' })).toBe(true);
  });

  it('signs a weight of evidence', () => {
    expect([21.4, -9.2, 0].map(weight)).toEqual(['+21.4', '−9.2', '0.0']);
  });
});

describe('dates', () => {
  it('leaves out the year that a whole report shares, and a time of midnight', () => {
    const tacit = tacitYear({ first: '2022-03-01T06:25:02', last: '2022-04-28T06:24:58' });
    expect(date('2022-04-11T21:42:00', tacit)).toBe('11 Apr 21:42');
    expect(date('2022-04-11T00:00:00', tacit)).toBe('11 Apr');
    expect(date('2022-04-11T00:00:09', tacit)).toBe('11 Apr 00:00');
    expect(date('2021-04-11', tacit)).toBe('11 Apr 2021');
  });

  it('has no tacit year when the period spans two, or is not known', () => {
    expect(tacitYear({ first: '2021-12-31', last: '2022-01-01' })).toBeNull();
    expect(tacitYear({ first: null, last: null })).toBeNull();
  });

  it('shows the hour as the evidence has it, whatever the zone of this machine', () => {
    expect(date('2022-03-27T02:30:00')).toBe('27 Mar 2022 02:30');
  });

  it('shows what is no date as it is', () => {
    expect([date('yesterday'), date('2022-13-01'), date(null)]).toEqual(['yesterday', '2022-13-01', '–']);
  });

  it.each([
    ['2015-10-31', '2016-01-19', '31 Oct 2015 – 19 Jan 2016'],
    ['2015-10-31T08:00:00', '2015-12-19T09:00:00', '31 Oct – 19 Dec 2015'],
    ['2022-04-01', '2022-04-28', '1 – 28 Apr 2022'],
    ['2022-03-03T04:10:00', '2022-03-03T06:00:00', '3 Mar 2022 04:10 – 06:00'],
    ['2022-03-03T00:00:00', '2022-03-03T06:00:00', '3 Mar 2022 00:00 – 06:00'],
    ['2022-03-03', '2022-03-03', '3 Mar 2022'],
    ['2022-03-03', null, '3 Mar 2022'],
    [null, null, '–'],
  ])('writes the range from %s to %s as %s', (first, last, text) => {
    expect(dateRange(first, last)).toBe(text);
  });
});
