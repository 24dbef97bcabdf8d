import type { Additions } from './dictionary.js';
import type { Unread } from './unread.js';

/**
 * The bulk formats (logs, captures) read bytes into columns, a batch at a time: typed arrays and dictionary ids,
 * no object or string for a line. This is what they and the store agree upon; what each holds is in its own table.
 */

/** Dictionaries of texts, one table each in the case; id 0 is absent. Several columns may share one. */
export type TextTable =
  | 'vhost'
  | 'client'
  | 'user'
  | 'method'
  | 'path'
  | 'query'
  | 'protocol'
  | 'referer'
  | 'agent'
  | 'message'
  | 'address'
  | 'mail_host'
  | 'mail_ip'
  | 'mail_name'
  | 'reply';

type FactType = 'TIMESTAMP' | 'BIGINT' | 'INTEGER' | 'UINTEGER' | 'SMALLINT' | 'USMALLINT' | 'UTINYINT';

/** One column of a fact table. A column with `text` holds ids of that dictionary. */
interface FactColumn {
  name: string;
  type: FactType;
  text?: TextTable;
  /** NULL is possible. */
  nullable?: boolean;
  about?: string;
}

/** A table of facts. The store puts `source_id` before the columns; the first of them is always `line`. */
export interface FactTable {
  name: string;
  columns: readonly FactColumn[];
}

/** A column as DuckDB keeps it in memory; 64-bit values as two 32-bit words. `absent[i] = 1` is NULL. */
export interface StoredColumn {
  numbers: ArrayBufferView<ArrayBuffer>;
  width: 1 | 2 | 4 | 8;
  absent?: Uint8Array<ArrayBuffer>;
}

interface UnreadSample {
  /** Line within the batch, from 0. */
  line: number;
  reason: Unread;
  excerpt: Uint8Array;
}

/** What became of the lines since the batch before. `records` + the sum of `unread` is `lines`. */
export interface Tally {
  /** Lines, counting a last one without a newline. */
  lines: number;
  records: number;
  unread: Partial<Record<Unread, number>>;
  samples: UnreadSample[];
  /** Wall time of the earliest and latest record, in seconds since 1970 as if it were UTC; NaN for none. */
  first: number;
  last: number;
}

export type Pending = 'no' | 'record' | Exclude<Unread, 0>;

/** What access logs tell of the meaning of their bytes column. */
export interface BytesTold {
  kind: 'body' | 'sent' | 'unknown';
  /** Answers 304, and those of them with bytes: %O counts the header, so it tells %O from %b. */
  notModified: number;
  bytesOn304: number;
}

/** Rows with all that belongs to them, so that a store which has taken batches so far is whole. */
export interface Batch {
  /** Rows; a line may give several, or none. */
  count: number;
  /** In the order of the format's table; the first holds the line within the batch, from 0. */
  columns: StoredColumn[];
  additions: Partial<Record<TextTable, Additions>>;
  tally: Tally;
  /** Bytes of this job up to the end of the last whole line that was read. */
  upTo: number;
  /** The last line had no newline: it was read (or not: then why), and is to be read again when the file grows. */
  pending: Pending;
  bytes?: BytesTold;
}

/** A reader of one format. Bytes come in by `space` and `filled`, or by `feed`; batches go out by a callback. */
export interface BulkReader {
  /** Begins another job of the same kind; dictionaries and buffers are kept. */
  restart(): void;
  /** Says with the next batch that ids start from 1, whatever was sent before by another reader. */
  announceRestart(): void;
  /** Room for at least `least` more bytes, to be written to directly; then call `filled`. */
  space(least: number): Uint8Array<ArrayBuffer>;
  filled(count: number): void;
  feed(bytes: Uint8Array): void;
  /** Ends the job with a last batch, be it empty. `broken`: the bytes broke off here. */
  finish(broken: boolean): void;
}

export const BATCH_ROWS = 32_768;

/** Floats as 64-bit integers: two 32-bit words each, many times faster than BigInt. All are within 2^53. */
export function words(values: Float64Array, count: number, scale: number, absentValue: number): StoredColumn {
  const out = new Int32Array(count * 2);
  let absent: Uint8Array<ArrayBuffer> | undefined;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value === absentValue) {
      absent ??= new Uint8Array(count);
      absent[i] = 1;
      continue;
    }
    const whole = Math.round(value * scale);
    const high = Math.floor(whole / 4294967296);
    out[i * 2] = whole - high * 4294967296;
    out[i * 2 + 1] = high;
  }
  return { numbers: out, width: 8, ...(absent ? { absent } : {}) };
}
