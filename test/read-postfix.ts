import type { Batch } from '../src/formats/bulk.js';
import { MAIL_FACTS, MAIL_TEXTS, MailKind } from '../src/formats/mail-log/columns.js';
import { type PostfixHow, PostfixLogReader } from '../src/formats/postfix-log/log-reader.js';
import { UNREAD_REASONS, type Unread } from '../src/formats/unread.js';

const KINDS = Object.fromEntries(Object.entries(MailKind).map(([name, kind]) => [kind, name]));

/** A row as a person would write it down; what the line does not say is left out. Ids are texts. */
export type ReadRow = { line: number; time: string; kind: string } & Record<string, string | number>;

export interface ReadPostfix {
  rows: ReadRow[];
  /** Reason of each unread line, by line number from 0; the first hundred only. */
  unread: Record<number, string>;
  counts: Record<string, number>;
  lines: number;
  records: number;
  pending: Batch['pending'];
}

export const HOW: PostfixHow = { stamp: 'rfc3164', lastAt: Date.UTC(2026, 10, 30) / 1000 };

/** Reads a whole log, given in chunks; fails when a line is not accounted for. */
export function readPostfix(chunks: (string | Uint8Array)[], how = HOW, broken = false): ReadPostfix {
  const texts = Object.fromEntries(MAIL_TEXTS.map((name) => [name, ['']])) as Record<string, string[]>;
  const log: ReadPostfix = { rows: [], unread: {}, counts: {}, lines: 0, records: 0, pending: 'no' };
  const reader = new PostfixLogReader(how, [1, 2], (batch) => take(batch, texts, log), 1 << 16);
  for (const chunk of chunks) reader.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  reader.finish(broken);
  const unread = Object.values(log.counts).reduce((sum, n) => sum + n, 0);
  if (log.records + unread !== log.lines)
    throw new Error(`${log.records} records + ${unread} unread are not ${log.lines} lines`);
  return log;
}

function take(batch: Batch, texts: Record<string, string[]>, log: ReadPostfix): void {
  for (const name of MAIL_TEXTS) {
    const added = batch.additions[name];
    if (!added) continue;
    if (added.restarted) texts[name] = [''];
    for (let i = 0, from = 0; i < added.count; from = added.ends[i++]!)
      texts[name]!.push(Buffer.from(added.bytes.subarray(from, added.ends[i])).toString('utf8'));
  }
  for (let i = 0; i < batch.count; i++) {
    const row: ReadRow = { line: 0, time: '', kind: '' };
    MAIL_FACTS.columns.forEach(({ name, text }, c) => {
      const { numbers, width } = batch.columns[c]!;
      const values = numbers as unknown as ArrayLike<number>;
      const value = width === 8 ? (values[i * 2]! >>> 0) + values[i * 2 + 1]! * 2 ** 32 : values[i]!;
      if (name === 'line') row.line = log.lines + value;
      else if (name === 'logged_at') row.time = new Date(value / 1000).toISOString();
      else if (name === 'kind') row.kind = KINDS[value]!;
      else if (text) {
        if (value !== 0) row[name.replace('_id', '')] = texts[text]![value]!;
      } else if (value > 0 || (value === 0 && name.endsWith('_ms'))) row[name] = value;
      else if (name === 'zone_min' && value !== -32_768) row[name] = value;
    });
    log.rows.push(row);
  }
  for (const { line, reason } of batch.tally.samples) log.unread[log.lines + line] = UNREAD_REASONS[reason];
  for (const [reason, n] of Object.entries(batch.tally.unread)) {
    const why = UNREAD_REASONS[Number(reason) as Unread];
    log.counts[why] = (log.counts[why] ?? 0) + n;
  }
  log.lines += batch.tally.lines;
  log.records += batch.tally.records;
  log.pending = batch.pending;
}
