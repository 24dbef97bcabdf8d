import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CulpritError } from '../../errors/culprit-error.js';
import type { Report } from '../../findings/finding.js';
import type { Verification } from '../../findings/verification.js';
import { renderError } from './error.js';
import { renderReport } from './examine.js';
import { renderFinding } from './show.js';
import { renderSources } from './sources.js';
import { plainPaint, type Screen } from './style.js';
import { displayWidth } from './text.js';
import { renderTop } from './top.js';
import { renderVerify } from './verify.js';

/** What must hold for everything that is shown, at every width, with every kind of evidence. */
const NAMES = ['story', 'all-clear', 'cannot-tell', 'hostile'] as const;
const WIDTHS = [40, 80, 120, 200];

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), 'utf8')) as Report;

const reports = new Map(NAMES.map((name) => [name, read(name)]));
// The host name of the hostile case holds all at once: ESC, OSC, CR LF, bidi override, zero width, C1, DEL.
const STRANGER = reports.get('hostile')!.hosts[0]!;

const verification = (report: Report): Verification => ({
  finding: 'x',
  title: report.findings[0]?.title ?? 'a title',
  measure: `bytes a day to ${STRANGER}`,
  split: '2022-03-16T12:00:00',
  before: { days: 16, median: { value: 6e9, unit: 'byte/day' }, from: '2022-03-01', to: '2022-03-16' },
  after: { days: 15, median: { value: 3e8, unit: 'byte/day' }, from: '2022-03-17', to: '2022-03-31' },
  change: 0.05,
  pValue: 0.00021,
  test: 'Mann-Whitney U',
  verdict: 'fixed',
  because: `the median fell to a twentieth: ${STRANGER}`,
  blips: [
    { from: '2022-03-22', to: '2022-03-22', amount: { value: 31, unit: 'request' }, explanation: STRANGER },
  ],
  series: report.findings[0]?.series[0] ?? { title: 'empty', unit: 'byte', points: [] },
});

const VIEWS: Record<string, (report: Report, screen: Screen) => string> = {
  examine: (report, screen) => renderReport(report, { ...screen, totals: { seconds: 4.2 } }),
  'examine, many findings': (report, screen) =>
    renderReport(
      { ...report, findings: Array.from({ length: 3 }, () => report.findings).flat() },
      { ...screen, totals: { seconds: 4.2 } },
    ),
  show: (report, screen) =>
    report.findings.map((f, i) => renderFinding(f, i + 1, { ...screen, period: report.period })).join(''),
  sources: (report, screen) =>
    renderSources(
      report.sources,
      [
        {
          path: report.sources[0]!.path,
          line: 88,
          reason: STRANGER,
          excerpt: STRANGER.repeat(9),
          count: 1201,
        },
      ],
      screen,
    ),
  top: (report, screen) =>
    renderTop(
      {
        by: ['vhost', 'path'],
        measure: 'bytes',
        total: 77e9,
        rows: report.sources.map((s) => ({
          key: [s.stream, s.path],
          value: s.bytes,
          requests: s.records,
          share: s.bytes / 77e9,
          series: [s.bytes, s.records, s.unread],
        })),
      },
      screen,
    ),
  verify: (report, screen) => renderVerify(verification(report), screen),
  error: (report, screen) =>
    renderError(
      new CulpritError({
        what: 'cannot read this evidence',
        why: `the line reads "${STRANGER}"`,
        at: report.sources[0]!.path,
        help: `run again with --host ${STRANGER}`,
      }),
      screen,
    ),
};

/** Lines that are there to be copied and may be longer than the screen. */
function isVerbatim(report: Report, line: string): boolean {
  const copied = report.findings.flatMap((f) => [
    ...f.remedies.flatMap((r) => r.change.split('\n')),
    f.check?.command.slice(0, 8) ?? '\n',
  ]);
  const text = line.replace(/^ *(CHECK)? */, '');
  return copied.some((c) => text.startsWith(c.trim()));
}

const combinations = NAMES.flatMap((name) => Object.keys(VIEWS).map((view) => ({ name, view })));

describe.each(combinations)('$view of $name', ({ name, view }) => {
  const report = reports.get(name)!;
  const render = (width: number, screen: Partial<Screen> = {}) =>
    VIEWS[view]!(report, { width, paint: plainPaint, unicode: true, ...screen });
  const everyWidth = (screen: Partial<Screen> = {}) => WIDTHS.map((width) => render(width, screen));

  it('has no line longer than the width, except what is there to be copied', () => {
    for (const width of WIDTHS) {
      for (const unicode of [true, false]) {
        const tooLong = render(width, { unicode })
          .split('\n')
          .filter((line) => displayWidth(line) > width);
        expect(tooLong.filter((line) => view !== 'show' || !isVerbatim(report, line))).toEqual([]);
      }
    }
  });

  it('lets no control character, ESC, bidi override or surrogate out, and no colour when it is plain', () => {
    for (const text of everyWidth()) {
      expect(text.replaceAll('\n', '')).not.toMatch(
        /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u,
      );
    }
  });

  it('lets evidence begin no line of its own', () => {
    // At 40 columns, wrapping may break just there, inside what is visibly one text.
    for (const text of everyWidth().slice(1)) expect(text).not.toMatch(/^\s*forged line/m);
  });

  it('is ASCII only when the screen can show no more', () => {
    for (const text of everyWidth({ unicode: false })) expect(text).toMatch(/^[\n -~]*$/);
  });

  it('has neither blanks at the ends of lines nor two empty lines', () => {
    for (const text of everyWidth()) {
      expect(text).not.toMatch(/[ \t]+$/m);
      expect(text).not.toContain('\n\n\n');
      expect(text === '' || /[^\n]\n$/.test(text)).toBe(true);
    }
  });

  it('says the same with colour as without', () => {
    const painted = everyWidth({ paint: (_, s) => (s === '' ? '' : `\x1b[1m${s}\x1b[22m`) });
    expect(painted.map((text) => text.replaceAll(/\x1b\[\d+m/g, ''))).toEqual(everyWidth());
  });

  it('shows no hole where a value should be', () => {
    for (const text of everyWidth()) expect(text).not.toMatch(/undefined|NaN|\[object|\bnull\b/);
  });
});
