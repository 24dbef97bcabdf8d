/**
 * The bench: culprit side by side with programs that read the same log.
 *
 *     npm run bench -- --lines 2000000 --mail-lines 1500000 --runs 3 --out docs/BENCHMARKS.md
 *     npm run bench -- --only exim
 *
 * It makes its own data in a temporary folder, installs nothing, and says who is not there.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { eximField, type Field, postfixField, webField } from './contestants.js';
import { type Log, makeData } from './data.js';
import { makeEximLog } from './mail-data.js';
import { measure } from './measure.js';
import { makePostfixLog } from './postfix-data.js';
import { type Outcome, page, type Result } from './table.js';

interface Flags {
  lines: number;
  mailLines: number;
  runs: number;
  only?: 'web' | 'exim' | 'postfix';
  out?: string;
}

const bench = new Command('bench')
  .description('Times culprit and its peers on the same logs, taking turns.')
  .option('--lines <n>', 'how long the access log is', count, 2_000_000)
  .option('--mail-lines <n>', 'how long the mail logs are', count, 1_500_000)
  .option('--runs <n>', 'how often each is timed', count, 3)
  .addOption(new Option('--only <log>', 'one log only').choices(['web', 'exim', 'postfix']))
  .option('--out <file>', 'writes the page there, too')
  .parse();
const { lines, mailLines, runs, only, out } = bench.opts<Flags>();
const folder = mkdtempSync(join(tmpdir(), 'culprit-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const outcomes: Outcome[] = [];
if (!only || only === 'web') {
  const data = await making(lines, () => makeData(folder, lines));
  const log = 'the combined format, made from a seed; the two halves are the same lines under gzip';
  outcomes.push({ title: 'Access log', log, data, ...(await contest(webField(data, folder))) });
}
if (!only || only === 'exim') {
  const plain = join(folder, 'mainlog');
  const data = await making(mailLines, async () => {
    const bytes = await makeEximLog(plain, mailLines);
    return { plain, lines: mailLines, bytes };
  });
  const log = 'Exim’s mainlog as Debian sets it, made from a seed';
  outcomes.push({ title: 'Exim', log, data, ...(await contest(eximField(data, folder))) });
}
if (!only || only === 'postfix') {
  const plain = join(folder, 'mail.log');
  const data = await making(mailLines, async () => {
    const written = await makePostfixLog(plain, mailLines);
    return { plain, lines: written, bytes: statSync(plain).size };
  });
  const log = 'Postfix as rsyslog writes it on Debian, made from a seed';
  outcomes.push({ title: 'Postfix', log, data, ...(await contest(postfixField(data, folder))) });
}

const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
const text = page(outcomes, command);
console.log(text);
if (out) writeFileSync(out, text);

async function making<L extends Log>(lines: number, make: () => Promise<L>): Promise<L> {
  say(`making ${lines.toLocaleString('en')} lines …`);
  return make();
}

async function contest({ contestants, absent }: Field): Promise<Pick<Outcome, 'results' | 'absent'>> {
  for (const reason of absent) say(`note: ${reason}`);
  const results: Result[] = contestants.map((contestant) => ({
    contestant,
    runs: [],
    lines: undefined,
  }));
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
  return { results, absent };
}

function say(text: string): void {
  console.error(text);
}

function count(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('A whole number above 0, please.');
}
