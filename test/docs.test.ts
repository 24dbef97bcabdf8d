import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Case } from '../src/store/case.js';
import { culprit, scratch } from './culprit.js';

const text = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');

describe('the documentation', () => {
  it('has every table and column, and none that is not there', async () => {
    const store = await Case.open(':memory:');
    const columns = await store.rows<{ name: string }>(
      `SELECT table_name || '.' || column_name || ' ' || data_type AS name FROM information_schema.columns`,
    );
    const documented: string[] = [];
    for (const [, table, body] of text('docs/tables.md').matchAll(/^## (\w+)$([\s\S]*?)(?=^## )/gm))
      for (const [, column, type] of body!.matchAll(/^\| `(\w+)` +\| (\w+)/gm))
        documented.push(`${table}.${column} ${type}`);
    expect(documented.toSorted()).toEqual(columns.map((c) => c.name).toSorted());
    const queries = /```sql\n([\s\S]*?)```/.exec(text('docs/tables.md'))![1]!;
    for (const query of queries.split(';').filter((q) => q.trim() !== '')) await store.rows(query);
    store.close();
  });

  it('has every culprit', () => {
    const ids = [
      ...text('src/investigations/bandwidth-spent/hypotheses.ts').matchAll(/id: '([a-z-]+)' as const/g),
    ].map((m) => m[1]!);
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(text('docs/culprits.md')).toMatch(new RegExp(`^### ${id}$`, 'm'));
  });

  it('has every command and option', async () => {
    const state = scratch();
    const help = (await culprit(['--help'], { state })).stdout;
    const commands = [...help.matchAll(/^ {2}([a-z]+) .*$/gm)].map((m) => m[1]!).filter((c) => c !== 'help');
    expect(commands).toHaveLength(8);
    for (const command of commands) {
      expect(text('README.md')).toContain(command);
      expect(text('man/culprit.1')).toMatch(new RegExp(`^\\.B ${command}$`, 'm'));
      const below = command === 'why' ? ['message', 'mail'] : [];
      const helps = [[command], ...below.map((b) => [command, b])];
      let options = '';
      for (const words of helps) options += (await culprit([...words, '--help'], { state })).stdout;
      for (const b of below) expect(options).toMatch(new RegExp(`^ {2}${b} `, 'm'));
      const man = text('man/culprit.1').replaceAll('\\-', '-');
      for (const [, option] of options.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm))
        if (option !== '--help') expect(man, `${command} ${option}`).toContain(option);
    }
  });
});
