/** What was measured, as Markdown. */
import { cpus, totalmem } from 'node:os';
import type { Contestant } from './contestants.js';
import type { Log } from './data.js';
import type { Run } from './measure.js';

export interface Result {
  contestant: Contestant;
  runs: Run[];
  lines: number | undefined;
}

/** Times are given as a multiple of the first row's. */
function table(results: Result[]): string {
  const first = results[0] && median(results[0].runs.map((run) => run.seconds));
  const rows = results.map(({ contestant, runs, lines }) => {
    const seconds = runs.map((run) => run.seconds);
    const peak = Math.max(...runs.map((run) => run.peakBytes ?? Number.NaN));
    return [
      contestant.name,
      contestant.does,
      `${median(seconds).toFixed(2)} s`,
      `${Math.min(...seconds).toFixed(2)} – ${Math.max(...seconds).toFixed(2)} s`,
      first ? `${(median(seconds) / first).toFixed(2)} ×` : '',
      Number.isNaN(peak) ? 'unknown' : `${Math.round(peak / 1e6)} MB`,
      lines === undefined ? 'does not say' : lines.toLocaleString('en'),
    ];
  });
  const head = ['program', 'what it does', 'median', 'min – max', 'ratio', 'peak memory', 'lines read'];
  const bar = head.map((_, column) => (column < 2 ? '---' : '---:'));
  return [head, bar, ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`)
    .join('\n');
}

/** One log, those who read it, and how long they took. */
export interface Outcome {
  title: string;
  /** What the log is, as a sentence without its end. */
  log: string;
  data: Log;
  results: Result[];
  absent: string[];
}

export function page(outcomes: Outcome[], command: string): string {
  return `# Benchmarks

Made by \`${command}\`; nothing here is written by hand.

The programs of a table took turns; the files were in the page cache. A ratio is against the first row. What a program
leaves unread shows in the last column.

${outcomes.map(section).join('\n\n')}

${machine()}
`;
}

function section({ title, log, data, results, absent }: Outcome): string {
  const megabytes = Math.round(data.bytes / 1e6);
  const runs = results[0]?.runs.length ?? 0;
  const times = runs === 1 ? 'once' : `${runs} times`;
  return `## ${title}

The log: ${data.lines.toLocaleString('en')} lines, ${megabytes} MB: ${log}. Each ran ${times}.

${table(results)}${absent.map((reason) => `\n\n- Not measured: ${reason}`).join('')}`;
}

function machine(): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `Machine: ${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${gigabytes} GiB, ${process.platform} ${process.arch}, Node ${process.version}.`;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
