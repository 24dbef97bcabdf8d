import { describe, expect, it } from 'vitest';
import type { Verification } from '../../findings/verification.js';
import { plainPaint } from './style.js';
import { renderVerify } from './verify.js';

const days = (from: number, values: number[]) =>
  values.map((value, i) => ({ at: `2022-04-${String(from + i).padStart(2, '0')}`, value }));

const result: Verification = {
  finding: 'mail-stalls:google',
  title: 'Large mail to Google stalls',
  measure: 'messages to Google that timed out, a day',
  split: '2022-04-12T12:00:00',
  before: { days: 3, median: { value: 20, unit: 'message' }, from: '2022-04-10', to: '2022-04-12' },
  after: { days: 2, median: { value: 1, unit: 'message' }, from: '2022-04-13', to: '2022-04-14' },
  change: 0.05,
  pValue: 0.00021,
  test: 'Mann-Whitney U',
  verdict: 'fixed',
  because: 'the median fell to a twentieth',
  blips: [],
  series: { title: 'Timed out, a day', unit: 'message', points: days(10, [18, 20, 22, 1, 0]) },
};
const shown = (change: Partial<Verification> = {}, width = 80) =>
  renderVerify({ ...result, ...change }, { width, paint: plainPaint, unicode: true });

describe('renderVerify', () => {
  it('gives the verdict first, then before and after with the test, then the course', () => {
    expect(shown()).toBe(`fixed  Large mail to Google stalls
messages to Google that timed out, a day · split at 12 Apr 12:00

   BEFORE    20 messages    median of 3 days, 10 – 12 Apr
   AFTER     1 message      median of 2 days, 13 – 14 Apr
   CHANGE    −95 %          by chance: p = 2.1e-4 (Mann-Whitney U)

   BECAUSE   the median fell to a twentieth

   COURSE    Timed out, a day
             ▇██ | ▁▁
             10 Apr  18  ████████████████████████▌
             11 Apr  20  ███████████████████████████▎
             12 Apr  22  ██████████████████████████████
             fix, 12 Apr 12:00
             13 Apr   1  █▍
             14 Apr   0
`);
  });

  it.each([
    ['fixed', /^fixed {2}/],
    ['improved', /^improved, not gone {2}/],
    ['not-fixed', /^not fixed {2}/],
    ['cannot-tell', /^cannot tell {2}/],
  ] as const)('says %s in words', (verdict, begins) => {
    expect(shown({ verdict })).toMatch(begins);
  });

  it('writes a rise, a standstill and what cannot be computed', () => {
    expect(shown({ change: 1.5 })).toContain('CHANGE    +50 %');
    expect(shown({ change: 1 })).toContain('CHANGE    none');
    expect(shown({ change: Number.NaN, pValue: Number.NaN })).toMatch(
      /CHANGE {4}not known +no test possible \(Mann-Whitney U\)/,
    );
  });

  it('does not pretend to more certainty than a test gives', () => {
    expect(shown({ pValue: 1e-40 })).toContain('p < 1e-12');
    expect(shown({ pValue: 0.04321 })).toContain('p = 0.043');
  });

  it('tells of what came in between', () => {
    const amount = { value: 31, unit: 'message' } as const;
    const blips = [{ from: '2022-04-13', to: '2022-04-13', amount, explanation: 'a newsletter' }];
    expect(shown({ blips })).toContain('   BLIPS     13 Apr · 31 messages · a newsletter\n');
  });

  it('has an answer when there are no days after the fix', () => {
    const after = { ...result.after, days: 0 };
    expect(shown({ after, verdict: 'cannot-tell' })).toContain('   AFTER     no days to measure\n');
  });

  it('draws a long course as a line only', () => {
    const points = Array.from({ length: 100 }, (_, i) => ({ at: '2022-04-10', value: i }));
    const text = shown({ series: { ...result.series, points } });
    expect(text).toMatch(/^ +[▁-█]{67}$/m);
    expect(text).not.toContain('fix, ');
  });
});
