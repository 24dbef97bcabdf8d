import type { Additions } from '../dictionary.js';
import { type Columns, DICTIONARIES, type DictionaryName, emptyColumns } from './columns.js';
import { type FormatChoice, programs } from './formats.js';
import { JsonReader } from './json-reader.js';
import { LineReader, Unread } from './line-reader.js';
import { Rows } from './rows.js';

/** A longer line is not kept in memory: it is counted, shown by its beginning, and skipped. */
const LONGEST_LINE = 1 << 20;
const SLACK = 8;
const EXCERPT = 200;
/** A batch ends here though few of its lines were read: what unread lines put into dictionaries is let go. */
const MOST_LINES = 1 << 18;
/** Of each job; the counts are always complete. */
const MOST_SAMPLES = 100;

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
  /** Answers 304, and those of them with bytes: %O counts the header, so it tells %O from %b. */
  notModified: number;
  bytesOn304: number;
}

export type Pending = 'no' | 'record' | Exclude<Unread, 0>;

/** Rows with all that belongs to them, so that a store which has taken batches so far is whole. */
export interface Batch {
  count: number;
  columns: Columns;
  additions: Partial<Record<DictionaryName, Additions>>;
  tally: Tally;
  /** Bytes of this job up to the end of the last whole line that was read. */
  upTo: number;
  /** The last line had no newline: it was read (or not: then why), and is to be read again when the file grows. */
  pending: Pending;
  bytesKind: 'body' | 'sent' | 'unknown';
}

const emptyTally = (): Tally => ({
  lines: 0,
  records: 0,
  unread: {},
  samples: [],
  notModified: 0,
  bytesOn304: 0,
});

/**
 * access-log: who asked for what, when, and how much was sent: Apache, nginx, Caddy, Traefik.
 *
 * Shape:  one row a request, in file order, as columns (columns.ts). Bytes come in by `space` and `filled`,
 *         or by `feed`; whole lines are read at once, the rest waits.
 * Units:  see columns.ts.
 * Errors: a line that no format of the choice reads is `unread`: counted by reason, the first hundred of each
 *         job kept with place and beginning. `records` + the sum of `unread` is the number of lines, always.
 * Source: program.ts and json-reader.ts name the manuals.
 */
export class LogReader {
  private buffer: Uint8Array<ArrayBuffer>;
  private readonly rows: Rows;
  private readonly readers: (LineReader | JsonReader)[];
  private held = 0;
  private skipping = false;
  private samplesLeft = MOST_SAMPLES;
  private tally = emptyTally();
  private upTo = 0;
  /** Bytes of this job before the buffer's first. */
  private before = 0;
  private readonly compiledKind: Batch['bytesKind'];

  /**
   * @param seeds    hash key of the case
   * @param onBatch  gets each full batch; its buffers are its own from then on
   */
  constructor(
    choice: FormatChoice,
    seeds: [number, number],
    private readonly onBatch: (batch: Batch) => void,
    capacity = 4 << 20,
  ) {
    this.buffer = new Uint8Array(capacity + SLACK);
    this.rows = new Rows(
      this.buffer,
      new DataView(this.buffer.buffer),
      seeds[0],
      seeds[1],
      choice.kind === 'json' ? 'json' : 'log',
    );
    const compiled = programs(choice);
    this.readers =
      choice.kind === 'json'
        ? [new JsonReader(this.rows)]
        : compiled.map((program) => new LineReader(program, this.rows));
    this.compiledKind = compiled[0]?.bytesKind ?? 'unknown';
  }

  /** Begins another job: another part of a log of the same choice; dictionaries and buffers are kept. */
  restart(): void {
    this.held = 0;
    this.skipping = false;
    this.samplesLeft = MOST_SAMPLES;
    this.tally = emptyTally();
    this.upTo = 0;
    this.before = 0;
  }

  /** Says with the next batch that ids start from 1, whatever was sent before by another reader. */
  announceRestart(): void {
    for (const name of DICTIONARIES) this.rows.dictionaries[name].restart();
  }

  /** Room for at least `least` more bytes, to be written to directly; then call `filled`. */
  space(least: number): Uint8Array<ArrayBuffer> {
    if (this.held + least + SLACK > this.buffer.length) {
      const wider = new Uint8Array(this.held + least + SLACK);
      wider.set(this.buffer.subarray(0, this.held));
      this.buffer = wider;
      this.rows.buffer = wider;
      this.rows.view = new DataView(wider.buffer);
    }
    return this.buffer.subarray(this.held, this.buffer.length - SLACK);
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
    let start = 0;
    // What was held has no newline in it.
    for (let newline = bytes.indexOf(10, this.held); newline >= 0; newline = bytes.indexOf(10, start)) {
      // A line that is skipped was counted when it was given up.
      if (this.skipping) this.skipping = false;
      else this.line(start, newline);
      start = newline + 1;
      this.upTo = this.before + start;
      if (this.rows.full || this.tally.lines >= MOST_LINES) this.flush('no');
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
    const { buffer, rows, readers, tally } = this;
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
    if (this.rows.isBlank(start, end)) return this.unread(start, end, Unread.empty);
    let why: Exclude<Unread, 0> = Unread.noMatch;
    let furthest = -1;
    for (let i = 0; i < readers.length; i++) {
      const reader = readers[i]!;
      const failed = reader.read(start, end);
      if (failed === Unread.none) {
        if (rows.status === 304) {
          tally.notModified++;
          if (rows.bytes > 0) tally.bytesOn304++;
        }
        rows.commit(tally.lines++);
        tally.records++;
        return Unread.none;
      }
      if (reader.reached > furthest) {
        furthest = reader.reached;
        why = failed;
      }
    }
    return this.unread(start, end, why);
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
    const { rows, tally } = this;
    const additions: Batch['additions'] = {};
    for (const name of DICTIONARIES) {
      const taken = rows.dictionaries[name].take();
      if (taken) additions[name] = taken;
    }
    const json = this.readers[0];
    this.onBatch({
      count: rows.count,
      columns: rows.columns,
      additions,
      tally,
      upTo: this.upTo,
      pending,
      bytesKind: json instanceof JsonReader ? json.bytesKind : this.compiledKind,
    });
    rows.columns = emptyColumns();
    rows.count = 0;
    this.tally = emptyTally();
    // Only here do no rows hold ids.
    for (const name of DICTIONARIES)
      if (rows.dictionaries[name].nearlyFull) rows.dictionaries[name].restart();
  }
}
