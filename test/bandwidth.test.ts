import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generate, type Options } from '../lab/web/generate.js';
import type { Finding } from '../src/findings/finding.js';
import { examine, scratch } from './culprit.js';

const DAY = 86_400_000;

interface Truth {
  vhost: string;
  since: string | null;
  until?: string;
  culprit: string | null;
  lines: number;
}

/** What culprit says of evidence of which the truth is known. */
async function judged(options: Options) {
  const folder = scratch();
  const evidence = join(folder, 'evidence');
  mkdirSync(evidence);
  const { files, truth } = generate(options);
  for (const [name, content] of files) writeFileSync(join(evidence, name), content);
  const report = await examine([evidence], { state: join(folder, 'state') });
  return { report, truth: truth as unknown as Truth };
}

function expectNear(iso: string | null, truth: string): void {
  expect(iso).not.toBeNull();
  expect(Math.abs(Date.parse(`${iso}Z`) - Date.parse(`${truth}Z`))).toBeLessThanOrEqual(2 * DAY);
}

const impact = (finding: Finding, says: RegExp) =>
  finding.impact.filter((i) => says.test(i.says)).map((i) => i.value);

const GUILTY: [scenario: Options['scenario'], seed: number, layout: 'vhost_combined' | 'per-vhost'][] = [
  ['image-cache-refetch', 3, 'vhost_combined'],
  ['image-cache-refetch', 4, 'per-vhost'],
  ['cache-side', 5, 'vhost_combined'],
  ['hotlinked-object', 3, 'per-vhost'],
  ['hotlinked-object', 4, 'vhost_combined'],
  ['crawler', 3, 'vhost_combined'],
  ['crawler', 4, 'per-vhost'],
  ['range-refetch', 3, 'per-vhost'],
  ['range-refetch', 4, 'vhost_combined'],
  ['popular-object', 3, 'vhost_combined'],
  ['popular-object', 4, 'per-vhost'],
  ['brute-force', 3, 'vhost_combined'],
];

describe('bandwidth-spent', () => {
  it.each(GUILTY)('%s, seed %i, %s: the culprit and nobody else', async (scenario, seed, layout) => {
    const { report, truth } = await judged({ scenario, seed, layout, scale: 0.4 } as Options);
    expect(report.findings.map((f) => [f.culprit, f.subject.vhost])).toEqual([[truth.culprit, truth.vhost]]);
    expect(report.status).toBe(1);
    const [finding] = report.findings;
    expectNear(finding!.since, truth.since!);
    expect(finding!.hypotheses.filter((h) => h.verdict === 'confirmed').map((h) => h.id)).toEqual([
      truth.culprit,
    ]);
    expect(finding!.hypotheses).toHaveLength(6);
    for (const h of finding!.hypotheses) {
      expect(h.facts.length).toBeGreaterThan(0);
      for (const f of h.facts)
        expect('searched' in f.from ? f.from.searched.length : f.from.length).toBeGreaterThan(0);
    }
    expect(finding!.remedies.filter((r) => r.preferred)).toHaveLength(1);
    const read = report.sources.reduce((n, s) => n + s.records + s.unread, 0);
    expect(read).toBe(truth.lines);
  });

  it.each([
    ['quiet', 3],
    ['quiet', 4],
    ['quiet', 5],
    ['even-growth', 3],
    ['even-growth', 4],
    ['even-growth', 5],
  ] as const)('%s, seed %i: nobody is accused', async (scenario, seed) => {
    const { report } = await judged({ scenario, seed, scale: 0.4 } as Options);
    expect(report.findings).toEqual([]);
    expect(report.clear.map((c) => c.investigation)).toEqual(['bandwidth-spent']);
    expect(report.status).toBe(0);
  });

  it('says that it cannot tell, and what would', async () => {
    const { report } = await judged({ scenario: 'undecidable', seed: 3, scale: 0.4 } as Options);
    const [finding] = report.findings;
    expect(report.findings).toHaveLength(1);
    expect(finding).toMatchObject({ outcome: 'cannot-tell', culprit: null, remedies: [] });
    const open = finding!.hypotheses.filter((h) => h.verdict === 'undecided');
    expect(open.length).toBeGreaterThan(1);
    for (const h of open) expect(h.bring.length).toBeGreaterThan(0);
  });

  it('tells of harm that began before the logs', async () => {
    const { report } = await judged({ scenario: 'since-before', seed: 3, scale: 0.4 } as Options);
    expect(report.findings[0]).toMatchObject({ culprit: 'image-cache-refetch', sinceBeforeEvidence: true });
  });

  it('tells the story with its figures', async () => {
    const folder = scratch();
    const example = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
    const truth = JSON.parse(readFileSync(example('web-story.truth.json'), 'utf8')) as Truth;
    const report = await examine([example('web-story')], { state: join(folder, 'state') });
    expect(report.findings.map((f) => [f.culprit, f.subject.vhost])).toEqual([[truth.culprit, truth.vhost]]);
    const finding = report.findings[0]!;
    expectNear(finding.since, truth.since!);
    expectNear(finding.until, truth.until!);
    const [bytes] = finding.impact.map((i) => i.value);
    const [waste] = impact(finding, /wasted/);
    expect(waste).toBeLessThanOrEqual(bytes!);
    expect(waste! / bytes!).toBeGreaterThan(0.9);
    const saved = impact(finding, /would have been saved/);
    expect(saved).toHaveLength(4);
    expect(saved).toEqual(saved.toSorted((a, b) => b - a));
    expect(saved[0]).toBe(waste);
    expect(finding.notes.some((n) => /fetched \d+ times within \d+ min/.test(n.says))).toBe(true);
    expect(finding.notes.some((n) => n.says.includes('popular-object'))).toBe(true);
  });
});
