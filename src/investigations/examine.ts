import { CulpritError } from '../errors/culprit-error.js';
import type { CannotTell, Clear, Finding, Report } from '../findings/finding.js';
import type { Verification } from '../findings/verification.js';
import type { Case } from '../store/case.js';
import { periodOf, sourceReports } from '../store/sources.js';
import { INVESTIGATIONS } from './index.js';
import type { Found } from './investigation.js';

/** Asks every question that the case can answer, keeps the answers in the case, and returns the whole report. */
export async function investigate(store: Case): Promise<Report> {
  const findings: Found[] = [];
  const clear: Clear[] = [];
  const cannotTell: CannotTell[] = [];
  for (const investigation of INVESTIGATIONS) {
    const lack = await investigation.lacks(store);
    if (lack) {
      cannotTell.push(lack);
      continue;
    }
    const outcome = await investigation.run(store);
    findings.push(...outcome.findings);
    clear.push(...outcome.clear);
    cannotTell.push(...outcome.cannotTell);
  }
  await store.run('BEGIN');
  await store.run('DELETE FROM findings');
  for (const [i, { finding, measure }] of findings.entries())
    await store.run('INSERT INTO findings VALUES ($1, $2, $3, $4)', [
      i + 1,
      finding.id,
      JSON.stringify(finding),
      JSON.stringify(measure),
    ]);
  await store.setFact('clear', JSON.stringify(clear));
  await store.setFact('cannot_tell', JSON.stringify(cannotTell));
  await store.run('COMMIT');
  return reportOf(store);
}

/** The report of a case as it was examined last. */
async function reportOf(store: Case): Promise<Report> {
  const sources = await sourceReports(store);
  const kept = async <T>(name: string): Promise<T[]> => JSON.parse((await store.fact(name)) ?? '[]') as T[];
  return {
    version: 1,
    case: store.path,
    hosts: [...new Set(sources.map((s) => s.host))].toSorted(),
    period: await periodOf(store),
    sources,
    findings: (await keptFindings(store)).map((f) => f.finding),
    clear: await kept<Clear>('clear'),
    cannotTell: await kept<CannotTell>('cannot_tell'),
  };
}

async function keptFindings(store: Case): Promise<(Found & { n: number })[]> {
  const rows = await store.rows<{ n: number; finding: string; measure: string }>(
    'SELECT n, finding, measure FROM findings ORDER BY n',
  );
  return rows.map((r) => ({
    n: r.n,
    finding: JSON.parse(r.finding) as Finding,
    measure: JSON.parse(r.measure) as unknown,
  }));
}

/** A finding by its number or its id. */
export async function findingOf(store: Case, name: string): Promise<Found & { n: number }> {
  const all = await keptFindings(store);
  const found = all.find((f) => String(f.n) === name || f.finding.id === name);
  if (found) return found;
  throw new CulpritError({
    what: `there is no finding “${name}” in this case`,
    why:
      all.length === 0
        ? 'nothing was found'
        : `it has ${all.map((f) => `${f.n} (${f.finding.id})`).join(', ')}`,
    at: store.path,
    help: 'name a finding by its number or its id, as culprit examine shows them',
  });
}

/** Whether a finding's harm went away at a moment, by its own investigation's measure. */
export async function verify(store: Case, found: Found, split: string): Promise<Verification> {
  const investigation = INVESTIGATIONS.find((i) => i.id === found.finding.investigation);
  if (!investigation) throw new Error(`no investigation is called ${found.finding.investigation}`);
  return investigation.verify(store, found, split);
}
