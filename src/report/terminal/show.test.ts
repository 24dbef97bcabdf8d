import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Finding, Report } from '../../findings/finding.js';
import { renderFinding } from './show.js';
import { plainPaint } from './style.js';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), 'utf8')) as Report;

const story = read('story');
const mail = story.findings[0]!;
const shown = (finding: Finding, width = 100) =>
  renderFinding(finding, 1, { width, paint: plainPaint, unicode: true, period: story.period });

describe('renderFinding', () => {
  it.each([40, 100])('cuts nothing at %d columns: every word of every fact and remedy is there', (width) => {
    const squeezed = (text: string) => text.replaceAll(/\s/g, '');
    for (const finding of [...story.findings, ...read('cannot-tell').findings]) {
      const text = squeezed(shown(finding, width));
      const all = [
        ...finding.impact.map((i) => i.says),
        ...finding.hypotheses.flatMap((h) => [h.id, h.says, ...h.bring, ...h.facts.map((f) => f.says)]),
        ...finding.remedies.flatMap((r) => [r.title, r.change, r.where, r.cost, r.undo]),
        ...finding.notes.map((n) => n.says),
        ...finding.avoid,
      ];
      for (const part of all) expect(text).toContain(squeezed(part));
    }
  });

  it('gives every place in full, on a line of its own', () => {
    const text = shown(mail);
    expect(text).toMatch(/^ +\/var\/log\/exim4\/mainlog\.3\.gz:90127$/m);
    expect(text).toMatch(/^ +\/root\/smtp\.pcap: packet 2231$/m);
    expect(text).toMatch(/^ +searched 1,211 lines of\n +\/etc\/exim4$/m);
  });

  it('gives the same places once', () => {
    const [culprit, ...rest] = mail.hypotheses;
    const facts = ['one', 'two'].map((says) => ({ says, from: [{ path: '/a.log', line: 7 }] }));
    const text = shown({ ...mail, hypotheses: [{ ...culprit!, facts }, ...rest] });
    expect(text).toMatch(/• one\n +\/a\.log:7\n +• two\n\n/);
  });

  it('leaves a change as it is, however long its lines', () => {
    const change = `\tRewriteRule ^/${'x'.repeat(200)}\\.jpg$ - [F]`;
    expect(shown({ ...mail, remedies: [{ ...mail.remedies[0]!, change }] }, 40)).toContain(`    ${change}\n`);
  });

  it('shows verdict and weight of each hypothesis, the culprit first', () => {
    const text = shown(mail);
    expect(text).toContain('CULPRIT   fast-open-acks-dropped  confirmed, weight +21.4\n');
    expect(text).toContain('OTHERS    path-mtu-black-hole  ruled out, weight −9.2\n');
  });

  it('adds the amount of a fact only when its sentence does not give it', () => {
    const [culprit, ...rest] = mail.hypotheses;
    const fact = { says: 'they were late', amount: { value: 31_320, unit: 'second' as const }, from: [] };
    const told = (says: string) =>
      shown({ ...mail, hypotheses: [{ ...culprit!, facts: [{ ...fact, says }] }, ...rest] });
    expect(told('they were late')).toContain('they were late (8.7 h)');
    expect(told('they were 8.7 h late')).not.toContain('(8.7 h)');
  });

  it('draws a course as a line and rows, and a long one as a line only', () => {
    expect(shown(mail)).toMatch(
      /COURSE {4}Messages to Google that timed out, a day {2}8 – 25 Apr\n +[▁-█]{18}\n/,
    );
    expect(shown(mail)).toMatch(/^ +25 Apr {2}68 {2}█{30}$/m);
    const points = Array.from({ length: 400 }, (_, i) => ({ at: '2022-03-01', value: i }));
    const long = shown({ ...mail, series: [{ title: 'Long', unit: 'byte', points }] });
    expect(long).toContain('400 points: culprit show --json has them all');
    expect(long).not.toMatch(/^ +1 Mar /m);
  });

  it('accuses nobody when it cannot tell', () => {
    const [finding] = read('cannot-tell').findings;
    const text = shown(finding!);
    expect(text).toContain('CULPRIT   cannot be told from this evidence\n');
    expect(text).toMatch(/OTHERS {4}fast-open-acks-dropped {2}undecided, weight \+1\.2\n/);
    expect(text).toContain('bring a capture of one stalled delivery');
  });
});
