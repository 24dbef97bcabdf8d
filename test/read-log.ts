import { DICTIONARIES, type DictionaryName, REQUEST_FACTS } from '../src/formats/access-log/columns.js';
import type { FormatChoice, TextFormat } from '../src/formats/access-log/formats.js';
import { LogReader } from '../src/formats/access-log/log-reader.js';
import type { Batch, BytesTold, Pending, StoredColumn } from '../src/formats/bulk.js';
import { UNREAD_REASONS, type Unread } from '../src/formats/unread.js';

/** A record as a person would write it down; what the line does not say is left out. */
export type ReadRecord = Partial<Record<DictionaryName, string>> & {
  line: number;
  /** UTC, ISO 8601. */
  time: string;
  zone: number;
  status: number;
  bytes?: number;
  duration?: number;
};

export interface ReadLog {
  records: ReadRecord[];
  /** Reason of each unread line, by line number from 0; the first hundred only. */
  unread: Record<number, string>;
  lines: number;
  /** Complete, by reason. */
  counts: Record<string, number>;
  pending: Pending;
  upTo: number;
  bytesKind: BytesTold['kind'];
  batches: number;
}

export const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? Buffer.from(text) : text;

export const text = (dialect: TextFormat['dialect'], format: string): FormatChoice => ({
  kind: 'text',
  formats: [{ dialect, name: 'custom', format }],
});

/** Reads a whole log, given in chunks, with every text looked up; fails when a line is not accounted for. */
export function readLog(choice: FormatChoice, chunks: (string | Uint8Array)[], broken = false): ReadLog {
  const texts = Object.fromEntries(DICTIONARIES.map((name) => [name, ['']])) as Record<
    DictionaryName,
    string[]
  >;
  const log: ReadLog = {
    records: [],
    unread: {},
    lines: 0,
    counts: {},
    pending: 'no',
    upTo: 0,
    bytesKind: 'unknown',
    batches: 0,
  };
  const reader = new LogReader(
    choice,
    [1, 2],
    (batch) => {
      take(batch, texts, log);
    },
    1 << 16,
  );
  for (const chunk of chunks) reader.feed(bytesOf(chunk));
  reader.finish(broken);
  const unread = Object.values(log.counts).reduce((sum, n) => sum + n, 0);
  if (log.records.length + unread !== log.lines)
    throw new Error(`${log.records.length} records + ${unread} unread are not ${log.lines} lines`);
  return log;
}

function take(batch: Batch, texts: Record<DictionaryName, string[]>, log: ReadLog): void {
  const { tally } = batch;
  const column = (name: string): StoredColumn =>
    batch.columns[REQUEST_FACTS.columns.findIndex((c) => c.name === name)]!;
  const cell = (name: string, i: number): number => cellOf(column(name), i);
  for (const name of DICTIONARIES) {
    const added = batch.additions[name];
    if (!added) continue;
    if (added.restarted) texts[name] = [''];
    for (let i = 0, from = 0; i < added.count; from = added.ends[i++]!)
      texts[name].push(Buffer.from(added.bytes.subarray(from, added.ends[i])).toString('utf8'));
  }
  if (batch.count !== tally.records) throw new Error(`${batch.count} rows, ${tally.records} records`);
  for (let i = 0; i < batch.count; i++) {
    const record: ReadRecord = {
      line: log.lines + cell('line', i),
      time: new Date(cell('requested_at', i) / 1000).toISOString(),
      zone: cell('zone_min', i),
      status: cell('status', i),
    };
    if (!column('bytes').absent?.[i]) record.bytes = cell('bytes', i);
    if (!column('duration_us').absent?.[i]) record.duration = cell('duration_us', i);
    for (const name of DICTIONARIES) {
      const id = cell(`${name}_id`, i);
      if (id !== 0) record[name] = texts[name][id]!;
    }
    log.records.push(record);
  }
  for (const { line, reason } of tally.samples) log.unread[log.lines + line] = UNREAD_REASONS[reason];
  for (const [reason, n] of Object.entries(tally.unread) as [string, number][]) {
    const why = UNREAD_REASONS[Number(reason) as Unread];
    log.counts[why] = (log.counts[why] ?? 0) + n;
  }
  log.lines += tally.lines;
  log.pending = batch.pending;
  log.upTo = batch.upTo;
  log.bytesKind = batch.bytes?.kind ?? 'unknown';
  log.batches++;
}

/** A cell of a stored column; 64-bit ones are two words, low first. */
function cellOf({ numbers, width }: StoredColumn, i: number): number {
  if (width < 8) return (numbers as Int32Array)[i]!;
  const pair = numbers as Int32Array;
  return pair[i * 2 + 1]! * 4294967296 + (pair[i * 2]! >>> 0);
}

/** Lines of a log, by how it counts them: newlines, and a last line that has none. */
export function linesOf(bytes: Uint8Array): number {
  let newlines = 0;
  for (const b of bytes) if (b === 10) newlines++;
  return newlines + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0);
}
