import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMailDate } from './mail-date.js';

const iso = (text: string) => {
  const date = readMailDate(text);
  return date && new Date(date.at).toISOString();
};
const AT = '2022-04-11T09:40:02.000Z';

describe('a date of a mail header', () => {
  it.each([
    // RFC 5322 3.3
    ['Mon, 11 Apr 2022 11:40:02 +0200', AT],
    ['11 Apr 2022 05:40:02 -0400', AT],
    ['Mon, 11 Apr 2022 15:10:02 +0530', AT],
    ['Mon, 11 Apr 2022 09:40:02 -0000', AT],
    ['Mon,11 Apr 2022 09:40:02 +0000 (UTC)', AT],
    ['Mon, 11 Apr 2022 11:40:02 +0200 (CEST) (envelope-from <a@b.example>)', AT],
    ['Mon, 11 (a (nested) one) Apr 2022 09:40:02 +0000', AT],
    ['Fri, 31 Dec 2016 23:59:60 +0000', '2017-01-01T00:00:00.000Z'],
    // RFC 5322 4.3
    ['Mon, 11 Apr 22 09:40:02 GMT', AT],
    ['Sun, 11 Apr 99 09:40:02 UT', '1999-04-11T09:40:02.000Z'],
    ['11 Apr 122 09:40:02 GMT', AT],
    ['Mon, 11 Apr 2022 09:40 +0000', '2022-04-11T09:40:00.000Z'],
    ['Mon, 11 Apr 2022 05:40:02 EDT', AT],
    ['Mon, 11 Apr 2022 01:40:02 PST', AT],
    ['Monday, 11 April 2022 9:40:02 GMT', AT],
    // As servers write it
    ['Mon Apr 11 09:40:02 2022 +0000', AT],
    ['Mon Apr 11 11:40:02 CEST 2022', AT],
    ['Apr 11 2022 09:40:02 +0000', AT],
    ['2022-04-11 09:40:02.028704749 +0000 UTC', '2022-04-11T09:40:02.028Z'],
    ['2022-04-11T11:40:02+02:00', AT],
    ['2022-04-11T09:40:02Z', AT],
    ['Mon, 11 Apr 2022 09:40:02.102 +0000 (UTC)', '2022-04-11T09:40:02.102Z'],
    ['4/20/2022 11:40:02 PM -0400 (EDT)', '2022-04-21T03:40:02.000Z'],
    ['20/4/2022 12:40:02 AM +0000', '2022-04-20T00:40:02.000Z'],
    ['11-Apr-2022 09:40:02 GMT', AT],
    ['Mon, 11 Apr 2022 11:40:02 GMT+0200', AT],
  ])('%s', (text, expected) => {
    expect(iso(text)).toBe(expected);
    expect(readMailDate(text)!.problem).toBeNull();
  });

  it.each([
    ['Mon, 11 Apr 2022 09:40:02', 'no zone'],
    ['Mon, 11 Apr 2022 09:40:02 XYZT', 'unknown zone'],
    ['Mon, 11 Apr 2022 09:40:02 A', 'unknown zone'],
    ['Mon, 11 Apr 2022 09:40:02 +9900', 'unknown zone'],
    ['4/5/2022 09:40:02 +0000', 'day and month may be swapped'],
  ])('%s is read, and not relied on: %s', (text, problem) => {
    expect(readMailDate(text)!.problem).toBe(problem);
  });

  it('takes the zone from a comment where it stands nowhere else', () => {
    expect(readMailDate('Mon, 11 Apr 2022 05:40:02 (EDT)')).toEqual({ at: Date.parse(AT), problem: null });
  });

  it.each([
    '',
    '22 Apr 2018',
    'Sun, 31 Apr 2022 09:40:02 +0000',
    '11 Apr 2022 24:40:02 +0000',
    '11 Apr 2022 09:61 +0000',
    '11 Foo 2022 09:40:02 +0000',
    '1 Jan 1901 00:00:00 +0000',
    'yesterday',
    '11 Apr 2022 13:00:00 PM +0000',
    `11 Apr 2022 09:40:02 +0000${' '.repeat(300)}`,
  ])('%j is none', (text) => {
    expect(readMailDate(text)).toBeNull();
  });

  it('gives back every moment that Date writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-02'), max: new Date('2099-12-31'), noInvalidDate: true }),
        (date) => {
          const whole = Math.floor(date.getTime() / 1000) * 1000;
          expect(readMailDate(new Date(whole).toUTCString())?.at).toBe(whole);
        },
      ),
    );
  });

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const date = readMailDate(text);
        expect(date === null || Number.isFinite(date.at)).toBe(true);
      }),
    );
  });
});
