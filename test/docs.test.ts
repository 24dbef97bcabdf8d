import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from '../src/findings/finding.js';
import { Analysis, Decode, FastOpen, SmtpStep } from '../src/formats/capture/columns.js';
import { MailFlag, MailKind } from '../src/formats/mail-log/columns.js';
import { CULPRITS } from '../src/investigations/mail-late/hypotheses.js';
import { CULPRITS as STALLS } from '../src/investigations/mail-stalls/hypotheses.js';
import { Case } from '../src/store/case.js';
import { culprit, scratch } from './culprit.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');

describe('the documentation', () => {
  it('has every table and column, and none that is not there', async () => {
    const store = await Case.open(':memory:');
    const columns = await store.rows<{ name: string }>(
      `SELECT table_name || '.' || column_name || ' ' || data_type AS name FROM information_schema.columns`,
    );
    const documented: string[] = [];
    for (const [, heading, body] of text('docs/tables.md').matchAll(/^## (\w+)$([\s\S]*?)(?=^## )/gm)) {
      // Tables with the same columns are listed in one section.
      const list = /^Tables: ((?:.|\n(?!\n))*)$/m.exec(body!)?.[1];
      const tables = list ? [...list.matchAll(/`(\w+)`/g)].map((m) => m[1]!) : [heading!];
      for (const [, column, type] of body!.matchAll(/^\| `(\w+)` +\| (\w+)/gm))
        for (const table of tables) documented.push(`${table}.${column} ${type}`);
    }
    expect(documented.toSorted()).toEqual(columns.map((c) => c.name).toSorted());
    const queries = [...text('docs/tables.md').matchAll(/```sql\n([\s\S]*?)```/g)].flatMap((m) =>
      m[1]!.split(';').filter((q) => q.trim() !== ''),
    );
    expect(queries.length).toBeGreaterThan(10);
    for (const query of queries) await store.rows(query);
    store.close();
  });

  it.each([
    ['MailKind', MailKind],
    ['MailFlag', MailFlag],
    ['Analysis', Analysis],
    ['Decode', Decode],
    ['FastOpen', FastOpen],
    ['SmtpStep', SmtpStep],
  ])('has every %s and its number', (name, values) => {
    const body = new RegExp(`^### ${name}$([\\s\\S]*?)(?=^##)`, 'm').exec(text('docs/tables.md'))![1]!;
    const documented = [...body.matchAll(/^\| (\d+) +\| `(\w+)`/gm)].map((m) => [m[2]!, Number(m[1])]);
    expect(documented).toEqual(Object.entries(values));
  });

  it('has every culprit', () => {
    const ids = [
      ...text('src/investigations/bandwidth-spent/hypotheses.ts').matchAll(/id: '([a-z-]+)' as const/g),
    ].map((m) => m[1]!);
    expect(new Set(ids).size).toBe(6);
    const received = /^export type CulpritId = (.*);$/m.exec(
      text('src/investigations/mail-received-late/hypotheses.ts'),
    )![1]!;
    ids.push(...CULPRITS, ...STALLS, ...[...received.matchAll(/'([a-z-]+)'/g)].map((m) => m[1]!));
    expect(new Set(ids).size).toBe(22);
    for (const id of ids) expect(text('docs/culprits.md')).toMatch(new RegExp(`^### ${id}$`, 'm'));
  });

  it('has every command and option', async () => {
    const state = scratch();
    const helpOf = async (command: string[]) => (await culprit([...command, '--help'], { state })).stdout;
    const within = (help: string) =>
      [...(/^Commands:\n((?: {2}.*\n)+)/m.exec(help)?.[1] ?? '').matchAll(/^ {2}([a-z]+) /gm)]
        .map((m) => m[1]!)
        .filter((c) => c !== 'help');
    const commands = within(await helpOf([]));
    expect(commands).toEqual(
      expect.arrayContaining(['examine', 'show', 'verify', 'why', 'top', 'sql', 'sources', 'completion']),
    );
    const man = text('man/culprit.1').replaceAll('\\-', '-');
    for (const command of commands) {
      const below = within(await helpOf([command]));
      // `why` does nothing by itself: what stands below it is documented.
      for (const name of below.length > 0 ? below.map((b) => `${command} ${b}`) : [command]) {
        expect(text('README.md')).toContain(name);
        expect(man).toMatch(new RegExp(`^\\.B ${name}$`, 'm'));
        for (const [, option] of (await helpOf(name.split(' '))).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm))
          if (option !== '--help') expect(man, `${name} ${option}`).toContain(option);
      }
    }
  });

  it('shows what npm start prints', async () => {
    const examples = ['examples/web-story', 'examples/mail-story'];
    for (const example of examples) expect(text('scripts/start.sh')).toContain(example);
    const { stdout, status } = await culprit(examples, { state: scratch(), cwd: ROOT });
    expect(status).toBe(1);
    const [head, ...shown] = /```\n(culprit · [\s\S]*?)```/.exec(text('README.md'))![1]!.split('\n');
    const printed = stdout.split('\n');
    // The machine's name and the time that it took differ.
    const counts = (line: string) => line.split(' · ').slice(2, -1);
    expect(counts(head!)).toEqual(counts(printed[0]!));
    const cut = shown.indexOf('   …');
    expect(cut).toBeGreaterThan(30);
    expect(shown.slice(0, cut)).toEqual(printed.slice(1, cut + 1));
  });

  it('has a mail story that is as its truth says', async () => {
    const truth = JSON.parse(text('examples/mail-story.truth.json')) as {
      culprit: string;
      affected: { provider: string };
      observed: { messages: number; recipients: number };
    };
    const args = ['examples/mail-story', '--json'];
    const report = JSON.parse((await culprit(args, { state: scratch(), cwd: ROOT })).stdout) as Report;
    expect(report.findings.map((f) => [f.culprit, f.subject.provider])).toEqual([
      [truth.culprit, truth.affected.provider],
    ]);
    expect(report.sources.every((s) => s.unread === 0 && s.error === undefined)).toBe(true);
    const store = await Case.open(report.case);
    const row = await store.row<{ n: bigint }>('SELECT count(*) AS n FROM recipients');
    expect(Number(row?.n)).toBe(truth.observed.recipients);
    store.close();
  });
});
