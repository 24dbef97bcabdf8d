import type { Batch, Pending, TextTable } from '../src/formats/bulk.js';
import type { LineFeed } from '../src/formats/line-feed.js';
import { MAIL_FACTS, MailFlag, MailKind } from '../src/formats/mail-log/columns.js';
import { UNREAD_REASONS, type Unread } from '../src/formats/unread.js';

/**
 * A row of a mail log as a person would write it down: texts looked up, kind and flags by name; what the line does
 * not say is left out. Names are those of the columns, without `_id`.
 */
export interface MailRecord {
  line: number;
  /** ISO 8601; UTC where the line has a zone, else the log's own wall time. */
  time: string;
  kind: keyof typeof MailKind;
  flags?: (keyof typeof MailFlag)[];
  [column: string]: unknown;
}

export interface ReadMail {
  records: MailRecord[];
  /** Lines that were read. */
  read: number;
  lines: number;
  /** Reason of each unread line, by line number from 0; the first hundred only. */
  unread: Record<number, string>;
  /** Complete, by reason. */
  counts: Record<string, number>;
  pending: Pending;
  upTo: number;
  batches: number;
}

const KINDS = new Map(
  Object.entries(MailKind).map(([name, n]) => [n as number, name as keyof typeof MailKind]),
);
const ABSENT = new Set([-1, -32_768]);
/** Columns in which 0 is "none". */
const ZERO_IS_NONE = new Set(['errno', 'code']);

/**
 * Reads chunks with a reader of mail logs, every text looked up; fails when a line is not accounted for.
 *
 * @param make  makes the reader, given where its batches go
 */
export function readMail(
  make: (onBatch: (batch: Batch) => void) => LineFeed,
  chunks: (string | Uint8Array)[],
  broken = false,
): ReadMail {
  const texts: Partial<Record<TextTable, string[]>> = {};
  const log: ReadMail = {
    records: [],
    read: 0,
    lines: 0,
    unread: {},
    counts: {},
    pending: 'no',
    upTo: 0,
    batches: 0,
  };
  const reader = make((batch) => {
    take(batch, texts, log);
  });
  for (const chunk of chunks) reader.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  reader.finish(broken);
  const unread = Object.values(log.counts).reduce((sum, n) => sum + n, 0);
  if (log.read + unread !== log.lines)
    throw new Error(`${log.read} read + ${unread} unread are not ${log.lines} lines`);
  return log;
}

function take(batch: Batch, texts: Partial<Record<TextTable, string[]>>, log: ReadMail): void {
  for (const [name, added] of Object.entries(batch.additions)) {
    const table = name as TextTable;
    let known = texts[table];
    if (!known || added.restarted) {
      known = [''];
      texts[table] = known;
    }
    for (let i = 0, from = 0; i < added.count; from = added.ends[i++]!)
      known.push(Buffer.from(added.bytes.subarray(from, added.ends[i])).toString('utf8'));
  }
  for (let i = 0; i < batch.count; i++) log.records.push(record(batch, i, texts, log.lines));
  const { tally } = batch;
  for (const { line, reason } of tally.samples) log.unread[log.lines + line] = UNREAD_REASONS[reason];
  for (const [reason, n] of Object.entries(tally.unread)) {
    const why = UNREAD_REASONS[Number(reason) as Unread];
    log.counts[why] = (log.counts[why] ?? 0) + n;
  }
  log.read += tally.records;
  log.lines += tally.lines;
  log.pending = batch.pending;
  log.upTo = batch.upTo;
  log.batches++;
}

function record(
  batch: Batch,
  i: number,
  texts: Partial<Record<TextTable, string[]>>,
  before: number,
): MailRecord {
  const out: Record<string, unknown> = {};
  MAIL_FACTS.columns.forEach((column, n) => {
    const stored = batch.columns[n]!;
    const numbers = stored.numbers as ArrayBufferView & ArrayLike<number>;
    if (stored.width === 8) {
      const micros = numbers[i * 2 + 1]! * 4294967296 + (numbers[i * 2]! >>> 0);
      out.time = new Date(micros / 1000).toISOString();
      return;
    }
    const value = numbers[i]!;
    if (column.name === 'line') out.line = before + value;
    else if (column.name === 'kind') out.kind = KINDS.get(value);
    else if (column.name === 'flags') {
      const set = Object.entries(MailFlag).filter(([, bit]) => (value & bit) !== 0);
      if (set.length > 0) out.flags = set.map(([name]) => name);
    } else if (column.text) {
      if (value !== 0) out[column.name.replace(/_id$/, '')] = texts[column.text]![value]!;
    } else if (!ABSENT.has(value) || column.name === 'errno') {
      if (value !== 0 || !ZERO_IS_NONE.has(column.name)) out[column.name] = value;
    }
  });
  return out as MailRecord;
}

/** Lines of a log, by how it counts them: newlines, and a last line that has none. */
export function linesOf(bytes: Uint8Array): number {
  let newlines = 0;
  for (const b of bytes) if (b === 10) newlines++;
  return newlines + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0);
}
