import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Finding, Report } from '../../findings/finding.js';
import { impactText, renderReport } from './examine.js';
import { plainPaint } from './style.js';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), 'utf8')) as Report;

const story = read('story');
const shown = (report: Report, width = 100) =>
  renderReport(report, { width, paint: plainPaint, unicode: true, totals: { seconds: 4.2 } });

/** The story's first finding, changed a little, alone in its report. */
const alone = (change: Partial<Finding> = {}): Report => ({
  ...story,
  findings: [{ ...story.findings[0]!, ...change }],
});

describe('the head', () => {
  it('says what was read, from when to when, and how long it took', () => {
    expect(shown(story, 120)).toMatch(
      /^culprit · web1 · 8 files, 2\.42 GB, 12\.1 M records, 1 Mar – 28 Apr 2022 · read in 4\.2 s\n\n/,
    );
  });

  it('names three hosts, and counts more', () => {
    expect(shown({ ...story, hosts: ['a', 'b', 'c'] })).toContain('culprit · a, b, c · ');
    expect(shown({ ...story, hosts: ['a', 'b', 'c', 'd'] })).toContain('a, b and 2 more hosts');
  });

  it('leaves the period out when there is none', () => {
    expect(shown({ ...story, period: { first: null, last: null } })).toContain('12.1 M records · read in');
  });
});

describe('a finding', () => {
  it('fits two findings on two screens of 24 lines', () => {
    expect(shown(story, 120).split('\n').length).toBeLessThan(52);
  });

  it('has its number and title at the left, since when, how much and how sure at the right', () => {
    expect(shown(alone(), 80)).toContain(
      '\n1  Large mail to Google stalls  since 11 Apr 21:42 · 312 messages late · certain\n',
    );
  });

  it('gives culprit, evidence, what it is not, fix and check in this order', () => {
    const labels = [...shown(alone()).matchAll(/^ {3}([A-Z]+) /gm)].map((m) => m[1]);
    expect(labels).toEqual(['CULPRIT', 'BECAUSE', 'NOT', 'FIX', 'AVOID', 'CHECK']);
  });

  it('tells where each thing was seen', () => {
    const text = shown(alone(), 120);
    expect(text).toMatch(/first failure +dpkg\.log\.1:4410$/m);
    expect(text).toMatch(/every host +searched exim4 \(1,211 lines\)$/m);
    expect(text).toContain('1 more: culprit show 1');
  });

  it('tells once where several things were seen', () => {
    const [culprit, ...rest] = story.findings[0]!.hypotheses;
    const facts = ['one', 'two'].map((says) => ({ says, from: [{ path: '/srv/a.log', line: 7 }] }));
    const text = shown(alone({ hypotheses: [{ ...culprit!, facts }, ...rest] }));
    expect(text).toMatch(/BECAUSE {3}one +a\.log:7\n {13}two\n/);
  });

  it('shows the preferred fix first, word for word, with place and cost', () => {
    const [remedy, ...others] = story.findings[0]!.remedies;
    const text = shown(alone({ remedies: [...others, remedy!] }));
    expect(text).toMatch(/FIX {7}hosts_try_fastopen = !\*$/m);
    expect(text).toContain('in /etc/exim4/conf.d/transport/30_exim4-config_remote_smtp');
    expect(text).toContain('cost: none to speak of');
  });

  it('says so when a line of the change had to be cut', () => {
    const change = `RewriteEngine On\nRewriteRule ^/${'x'.repeat(200)}$ - [F]`;
    const remedy = { ...story.findings[0]!.remedies[0]!, change };
    expect(shown(alone({ remedies: [remedy] }))).toMatch(/…\n +in full: culprit show 1\n/);
  });

  it('marks a beginning that lies before the evidence', () => {
    expect(shown(alone({ sinceBeforeEvidence: true }))).toContain('since 11 Apr 21:42 or earlier');
    expect(shown(alone({ until: '2022-04-20T00:00:00' }))).toContain('11 Apr 21:42 to 20 Apr');
  });

  it('of more than two, shows one in full, two in short and names the rest', () => {
    const five = Array.from({ length: 5 }, (_, i) => ({ ...story.findings[0]!, title: `Harm ${i + 1}` }));
    const text = shown({ ...story, findings: five });
    for (const { title } of five) expect(text).toContain(title);
    expect(text.match(/BECAUSE/g)).toHaveLength(3);
    expect(text.match(/AVOID/g)).toHaveLength(1);
    expect(text).toMatch(/^5 {2}Harm 5 +312 messages late · certain\n.+culprit show 5$/m);
  });
});

describe('a finding without a culprit', () => {
  const text = shown(read('cannot-tell'));

  it('accuses nobody, names the rivals and what would decide between them', () => {
    expect(text).toContain('CULPRIT   cannot be told from this evidence; it is one of\n');
    expect(text).toMatch(/fast-open-acks-dropped {2}netfilter/);
    expect(text).toMatch(/path-mtu-black-hole {2}packets/);
    expect(text).toMatch(
      /BRING {5}a capture of one stalled delivery: tcpdump -w smtp\.pcap -s 200 port 25\n/,
    );
    expect(text).not.toMatch(/ FIX | CHECK |certain/);
  });

  it('asks for each piece of evidence once', () => {
    expect(text.match(/tcpdump/g)).toHaveLength(1);
  });
});

describe('the end', () => {
  it('tells "fine" from "could not look"', () => {
    const text = shown(read('all-clear'));
    expect(text).toContain('\nNothing wrong was found.\n');
    expect(text).toMatch(/^✓ {2}mail-stalls {9}318 of 318 large messages were accepted within 40 s\.$/m);
    expect(text).toMatch(/^\? {2}mail-received-late {2}there is no received mail/m);
  });

  it('does not say that nothing is wrong when nothing could be looked at', () => {
    expect(shown({ ...read('all-clear'), clear: [] })).toContain('No question could be answered');
  });

  it('counts the same files in the warning as in the head, and says nothing when all was read', () => {
    expect(shown(story)).toContain('! 3 of 8 files could not be read in full (1,204 lines): culprit sources');
    expect(shown(read('all-clear'))).not.toContain('could not be read');
  });
});

describe('impactText', () => {
  it.each([
    [{ says: 'late', value: 312, unit: 'message' }, '312 messages late'],
    [{ says: 'messages late', value: 312, unit: 'message' }, '312 messages late'],
    [{ says: '312 of 318 were late', value: 312, unit: 'message' }, '312 of 318 were late'],
    [{ says: 'of all bytes', value: 95.2, unit: 'percent' }, '95.2 % of all bytes'],
    [{ says: 'on 14 days', value: 4, unit: 'message' }, '4 messages on 14 days'],
  ] as const)('of %j is "%s"', (impact, text) => {
    expect(impactText(impact)).toBe(text);
  });
});
