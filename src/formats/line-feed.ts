import type { Batch, BulkReader, BytesTold, Pending, Tally } from './bulk.js';
import type { ByteRows } from './byte-rows.js';
import type { LineKernel } from './line-kernel.js';
import { Unread } from './unread.js';

/** A longer line is not kept in memory: it is counted, shown by its beginning, and skipped. */
const LONGEST_LINE = 1 << 20;
const SLACK = 8;
/** Bytes that a reader holds at once; a longer line gets more. */
export const READ_BUFFER = 4 << 20;
const EXCERPT = 200;
/** A batch ends here though few of its lines were read: what unread lines put into dictionaries is let go. */
const MOST_LINES = 1 << 18;
/** Of each job; the counts are always complete. */
const MOST_SAMPLES = 100;

/** What a format that is made of lines adds to the feeding of lines. */
export interface LineFormat {
  rows: Pick<ByteRows, 'buffer' | 'view' | 'count' | 'first' | 'last' | 'full' | 'take' | 'isBlank' | 'all'>;
  /** Reads the line in [start, end) and commits its rows, as of `line`, the line within the batch. */
  read(start: number, end: number, line: number): Unread;
  /** What the batch tells of its bytes column, asked with each batch. */
  told?(): BytesTold;
}

const emptyTally = (): Tally => ({
  lines: 0,
  records: 0,
  unread: {},
  samples: [],
  first: Number.NaN,
  last: Number.NaN,
});

/**
 * Cuts bytes into lines and hands each to its format; what they fill goes out as batches.
 *
 * Shape:  whole lines are read at once, the rest waits for more bytes.
 * Errors: a line that the format cannot read is `unread`: counted by reason, the first hundred of each job kept
 *         with place and beginning. `records` + the sum of `unread` is the number of lines, always.
 */
export class LineFeed implements BulkReader {
  private buffer: Uint8Array<ArrayBuffer>;
  private held = 0;
  private skipping = false;
  private samplesLeft = MOST_SAMPLES;
  private tally = emptyTally();
  private upTo = 0;
  /** Bytes of this job before the buffer's first. */
  private before = 0;

  /**
   * @param onBatch  gets each full batch; its buffers are its own from then on
   * @param kernel   of this thread, where no other reader uses it; its memory takes the place of `capacity`
   */
  constructor(
    private readonly format: LineFormat,
    private readonly onBatch: (batch: Batch) => void,
    capacity = READ_BUFFER,
    kernel: LineKernel | null = null,
  ) {
    this.buffer = kernel?.begin() ?? new Uint8Array(capacity + SLACK);
    this.readFrom(this.buffer);
  }

  restart(): void {
    this.held = 0;
    this.skipping = false;
    this.samplesLeft = MOST_SAMPLES;
    this.tally = emptyTally();
    this.upTo = 0;
    this.before = 0;
  }

  announceRestart(): void {
    for (const [, dictionary] of this.format.rows.all) dictionary.restart();
  }

  space(least: number): Uint8Array<ArrayBuffer> {
    if (this.held + least + SLACK > this.buffer.length) this.widen(this.held + least + SLACK);
    return this.buffer.subarray(this.held, this.buffer.length - SLACK);
  }

  private widen(length: number): void {
    const wider = new Uint8Array(length);
    wider.set(this.buffer.subarray(0, this.held));
    this.readFrom(wider);
  }

  private readFrom(buffer: Uint8Array<ArrayBuffer>): void {
    this.buffer = buffer;
    this.format.rows.buffer = buffer;
    this.format.rows.view = new DataView(buffer.buffer);
  }

  feed(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 1 << 20) {
      const part = bytes.subarray(i, i + (1 << 20));
      this.space(part.length).set(part);
      this.filled(part.length);
    }
  }

  /** Reads the lines that are complete once `count` more bytes are there. */
  filled(count: number): void {
    const end = this.held + count;
    const bytes = Buffer.from(this.buffer.buffer, 0, end);
    const { rows } = this.format;
    let start = 0;
    // What was held has no newline in it.
    for (let newline = bytes.indexOf(10, this.held); newline >= 0; newline = bytes.indexOf(10, start)) {
      // A line that is skipped was counted when it was given up.
      if (this.skipping) this.skipping = false;
      else this.line(start, newline);
      start = newline + 1;
      this.upTo = this.before + start;
      if (rows.full || this.tally.lines >= MOST_LINES) this.flush('no');
    }
    this.held = end - start;
    if (this.held > LONGEST_LINE) {
      if (!this.skipping) this.unread(start, end, Unread.tooLong);
      this.skipping = true;
    }
    if (this.skipping) {
      this.before += end;
      this.held = 0;
    } else {
      this.before += start;
      if (start > 0) this.buffer.copyWithin(0, start, end);
    }
  }

  /**
   * Ends the job with a last batch, be it empty: what is left is a last line without its newline.
   *
   * @param broken  the bytes broke off here (a damaged archive): the rest is no line that anybody wrote
   */
  finish(broken: boolean): void {
    let pending: Pending = 'no';
    // A line without end was counted when it was given up.
    if (this.skipping) pending = Unread.tooLong;
    else if (this.held > 0) {
      const why = broken ? this.unread(0, this.held, Unread.brokenOff) : this.line(0, this.held);
      pending = why === Unread.none ? 'record' : why;
    }
    this.held = 0;
    this.skipping = false;
    this.flush(pending);
  }

  private line(start: number, end: number): Unread {
    const { buffer, tally, format } = this;
    // As it stands in the file, so that it does not matter in which chunks it came.
    if (end - start > LONGEST_LINE) return this.unread(start, end, Unread.tooLong);
    if (end > start && buffer[end - 1] === 13) end--;
    // A crash leaves a block of NULs before the next line; an editor leaves a byte order mark.
    while (start < end && buffer[start] === 0) start++;
    if (
      start + 3 <= end &&
      buffer[start] === 0xef &&
      buffer[start + 1] === 0xbb &&
      buffer[start + 2] === 0xbf
    )
      start += 3;
    if (format.rows.isBlank(start, end)) return this.unread(start, end, Unread.empty);
    const why = format.read(start, end, tally.lines);
    if (why !== Unread.none) return this.unread(start, end, why);
    tally.lines++;
    tally.records++;
    return Unread.none;
  }

  private unread<R extends Exclude<Unread, 0>>(start: number, end: number, reason: R): R {
    const { tally } = this;
    if (this.samplesLeft > 0) {
      this.samplesLeft--;
      const excerpt = this.buffer.slice(start, Math.min(end, start + EXCERPT));
      tally.samples.push({ line: tally.lines, reason, excerpt });
    }
    tally.unread[reason] = (tally.unread[reason] ?? 0) + 1;
    tally.lines++;
    return reason;
  }

  private flush(pending: Pending): void {
    const { tally, format } = this;
    const { rows } = format;
    const additions: Batch['additions'] = {};
    for (const [name, dictionary] of rows.all) {
      const taken = dictionary.take();
      if (taken) additions[name] = taken;
    }
    tally.first = rows.first;
    tally.last = rows.last;
    const { count } = rows;
    const told = format.told?.();
    this.onBatch({
      count,
      columns: rows.take(),
      additions,
      tally,
      upTo: this.upTo,
      pending,
      ...(told ? { bytes: told } : {}),
    });
    rows.count = 0;
    rows.first = Number.NaN;
    rows.last = Number.NaN;
    this.tally = emptyTally();
    // Only here do no rows hold ids.
    for (const [, dictionary] of rows.all) if (dictionary.nearlyFull) dictionary.restart();
  }
}
