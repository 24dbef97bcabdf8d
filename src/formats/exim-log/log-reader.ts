import type { Batch } from '../bulk.js';
import { LineFeed, type LineFormat } from '../line-feed.js';
import { MailRows } from '../mail-log/rows.js';
import { Unread } from '../unread.js';
import { EximLines } from './exim-lines.js';
import { EximStamp } from './stamp.js';

/** How to read the log; there is nothing to choose. */
export type EximHow = Record<string, never>;

/**
 * exim-log: what became of each message: mainlog, rejectlog and paniclog of Exim, as files.
 *
 * Shape:  one row an event, in file order (mail-log/columns.ts); lines that continue an entry (the header of a
 *         rejected message, the second line of a configuration error) are read and give no row.
 * Units:  see columns.ts.
 * Errors: a line without Exim's stamp, or with a text that Exim does not write, is `unread`.
 * Source: exim-lines.ts and stamp.ts name the chapters.
 */
export class EximLogReader extends LineFeed {
  private readonly file: EximFile;

  /**
   * @param seeds    hash key of the case
   * @param onBatch  gets each full batch; its buffers are its own from then on
   */
  constructor(_how: EximHow, seeds: [number, number], onBatch: (batch: Batch) => void, capacity?: number) {
    const file = new EximFile(seeds);
    super(file, onBatch, capacity);
    this.file = file;
  }

  /** Lines of this job that no other program writes. */
  get distinct(): number {
    return this.file.lines.distinct;
  }

  get continued(): number {
    return this.file.continued;
  }

  override restart(): void {
    super.restart();
    this.file.restart();
  }
}

class EximFile implements LineFormat {
  readonly rows: MailRows;
  readonly lines = new EximLines();
  private readonly stamp = new EximStamp();
  /** The line before was an entry or went on with one. */
  private within = true;
  /** Lines that go on with an entry. */
  continued = 0;

  constructor(seeds: [number, number]) {
    this.rows = new MailRows(seeds[0], seeds[1]);
  }

  restart(): void {
    this.lines.distinct = 0;
    this.continued = 0;
    this.within = true;
  }

  read(start: number, end: number, line: number): Unread {
    const { rows, stamp } = this;
    // A last line may have no end: what stood there before is none of it.
    if (rows.buffer[end] !== 10 && rows.buffer[end] !== 13) rows.buffer[end] = 10;
    const p = stamp.read(rows.buffer, rows.view, start, end);
    if (p < 0) {
      if (this.within && continues(rows.buffer, start, end)) {
        this.continued++;
        return Unread.none;
      }
      this.within = false;
      return Unread.noMatch;
    }
    rows.clear();
    rows.seconds = stamp.seconds;
    rows.zone = stamp.zone;
    const why = this.lines.event(rows, p, end, line);
    this.within = why === Unread.none;
    return why;
  }
}

const ENVELOPE = new TextEncoder().encode('Envelope-');

/**
 * A line of an entry that has several: white space at its beginning, or what log.c writes below a rejection:
 * `Envelope-from: <…>`, and each header line behind a letter for its kind (`P Received: `) or a space.
 */
function continues(b: Uint8Array, start: number, end: number): boolean {
  const c = b[start]!;
  if (c === 32 || c === 9) return true;
  if (c === 69 && end - start > ENVELOPE.length) {
    let i = 0;
    while (i < ENVELOPE.length && b[start + i] === ENVELOPE[i]) i++;
    if (i === ENVELOPE.length) return true;
  }
  if (b[start + 1] !== 32 || !(c === 42 || (c >= 65 && c <= 90) || (c >= 97 && c <= 122))) return false;
  // RFC 5322 section 2.2: a field name is printable and has no colon.
  for (let i = start + 2; i < end && i < start + 80; i++) {
    if (b[i] === 58) return i > start + 2;
    if (b[i]! <= 32 || b[i]! >= 127) return false;
  }
  return false;
}
