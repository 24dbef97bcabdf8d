/** What was measured, as Markdown. */
import { cpus, totalmem } from 'node:os';
import type { Contestant } from './contestants.js';
import type { Data } from './data.js';
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

export function page(results: Result[], absent: string[], data: Data, command: string): string {
  const megabytes = Math.round(data.bytes / 1e6);
  const runs = results[0]?.runs.length ?? 0;
  const times = runs === 1 ? 'once' : `${runs} times`;
  return `# Benchmarks

Made by \`${command}\`; nothing here is written by hand.

The log: ${data.lines.toLocaleString('en')} lines of the combined format, ${megabytes} MB, made from a seed;
the two halves are the same lines under gzip. The programs took turns, ${times} each; the files were in the
page cache. A ratio is against the first row. What a program leaves unread shows in the last column.

${table(results)}
${absent.map((reason) => `\n- Not measured: ${reason}`).join('')}

${machine()}
`;
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
