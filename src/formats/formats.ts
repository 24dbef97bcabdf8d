import { REQUEST_FACTS } from './access-log/columns.js';
import type { FormatChoice } from './access-log/formats.js';
import { formatName } from './access-log/formats.js';
import { LogReader } from './access-log/log-reader.js';
import type { Batch, BulkReader, FactTable, TextTable } from './bulk.js';
import { TcpAnalysis } from './capture/analysis.js';
import { PACKET_FACTS } from './capture/columns.js';
import { type CaptureHow, CaptureReader } from './capture/reader.js';
import { type EximHow, EximLogReader } from './exim-log/log-reader.js';
import type { LineKernel } from './line-kernel.js';
import { MAIL_FACTS } from './mail-log/columns.js';
import { type PostfixHow, PostfixLogReader } from './postfix-log/log-reader.js';

/** How one source is read: its format, and what that format wants to know. Plain JSON: it is kept in the case. */
export type How =
  | { format: 'access-log'; choice: FormatChoice }
  | { format: 'exim-log'; how: EximHow }
  | { format: 'postfix-log'; how: PostfixHow }
  | { format: 'capture'; how: CaptureHow };
export type BulkFormat = How['format'];

type OnBatch = (batch: Batch) => void;

interface Entry<H> {
  /** Where its rows go. */
  table: FactTable;
  /** A plain file may be cut at any newline and its parts be read side by side. */
  inParts: boolean;
  /** As shown: `access-log (combined)`. */
  nameOf(how: H): string;
  /** `kernel`: this thread’s own, which only one reader may use at a time. */
  reader(how: H, seeds: [number, number], onBatch: OnBatch, kernel: LineKernel | null): BulkReader;
}

/** The list of bulk formats: a new one is one more entry (CONTRIBUTING.md). */
const BULK_FORMATS: { [F in BulkFormat]: Entry<Extract<How, { format: F }>> } = {
  'access-log': {
    table: REQUEST_FACTS,
    inParts: true,
    nameOf: ({ choice }) => formatName(choice),
    reader: ({ choice }, seeds, onBatch, kernel) => new LogReader(choice, seeds, onBatch, undefined, kernel),
  },
  'exim-log': {
    table: MAIL_FACTS,
    inParts: true,
    nameOf: () => 'exim-log',
    reader: ({ how }, seeds, onBatch) => new EximLogReader(how, seeds, onBatch),
  },
  'postfix-log': {
    table: MAIL_FACTS,
    inParts: true,
    // Lines without a year get theirs from the file’s date: that is to be seen wherever the source is named.
    nameOf: ({ how }) =>
      how.stamp === 'rfc3164' && how.lastAt !== null
        ? `postfix-log (no year in the lines: up to ${new Date(how.lastAt * 1000).toISOString().slice(0, 10)})`
        : `postfix-log (${how.stamp})`,
    reader: ({ how }, seeds, onBatch) => new PostfixLogReader(how, seeds, onBatch),
  },
  capture: {
    table: PACKET_FACTS,
    inParts: false,
    nameOf: ({ how }) => `capture (${how.kind})`,
    reader: ({ how }, seeds, onBatch) => new CaptureReader(how, seeds, onBatch, undefined, new TcpAnalysis()),
  },
};

/** Every table that bulk formats fill, once. */
export const FACT_TABLES: FactTable[] = [...new Set(Object.values(BULK_FORMATS).map((f) => f.table))];

/** Every dictionary that they use. */
export const TEXTS: TextTable[] = [
  ...new Set(FACT_TABLES.flatMap((t) => t.columns.flatMap((c) => c.text ?? []))),
];

const entryOf = (how: How) => BULK_FORMATS[how.format] as Entry<How>;

export const tableOf = (format: BulkFormat): FactTable => BULK_FORMATS[format].table;
export const inParts = (how: How): boolean => entryOf(how).inParts;
export const nameOf = (how: How): string => entryOf(how).nameOf(how);
export const isBulk = (kind: string): kind is BulkFormat => Object.hasOwn(BULK_FORMATS, kind);

export function readerOf(
  how: How,
  seeds: [number, number],
  onBatch: OnBatch,
  kernel: LineKernel | null,
): BulkReader {
  return entryOf(how).reader(how, seeds, onBatch, kernel);
}
