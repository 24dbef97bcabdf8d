/**
 * The bench: culprit side by side with programs that read the same log.
 *
 *     npm run bench -- --lines 2000000 --runs 3 --out docs/BENCHMARKS.md
 *
 * It makes its own data in a temporary folder, installs nothing, and says who is not there.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { field } from './contestants.js';
import { makeData } from './data.js';
import { measure } from './measure.js';
import { page, type Result } from './table.js';

interface Flags {
  lines: number;
  runs: number;
  out?: string;
}

const bench = new Command('bench')
  .description('Times culprit and its peers on one log, taking turns.')
  .option('--lines <n>', 'how long the log is', count, 2_000_000)
  .option('--runs <n>', 'how often each is timed', count, 3)
  .option('--out <file>', 'writes the page there, too')
  .parse();
const { lines, runs, out } = bench.opts<Flags>();
const folder = mkdtempSync(join(tmpdir(), 'culprit-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

say(`making ${lines.toLocaleString('en')} lines …`);
const data = await makeData(folder, lines);
const { contestants, absent } = field(data, folder);
for (const reason of absent) say(`note: ${reason}`);

const results: Result[] = contestants.map((contestant) => ({ contestant, runs: [], lines: undefined }));
for (let round = 1; round <= runs; round++) {
  for (const result of results) {
    const { contestant } = result;
    contestant.before?.();
    const run = await measure(contestant.command, folder, contestant.good);
    contestant.after?.();
    result.runs.push(run);
    result.lines = contestant.lines?.(run.output);
    say(`round ${round}: ${contestant.name}: ${run.seconds.toFixed(2)} s`);
  }
}

const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
const text = page(results, absent, data, command);
console.log(text);
if (out) writeFileSync(out, text);

function say(text: string): void {
  console.error(text);
}

function count(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('A whole number above 0, please.');
}
