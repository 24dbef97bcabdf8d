import type { Batch, BytesTold } from '../bulk.js';
import { LineFeed, type LineFormat } from '../line-feed.js';
import type { LineKernel } from '../line-kernel.js';
import { Unread } from '../unread.js';
import { type FormatChoice, programs } from './formats.js';
import { JsonReader } from './json-reader.js';
import { LineReader } from './line-reader.js';
import { Rows } from './rows.js';

/**
 * access-log: who asked for what, when, and how much was sent: Apache, nginx, Caddy, Traefik.
 *
 * Shape:  one row a request, in file order, as columns (columns.ts).
 * Units:  see columns.ts.
 * Errors: a line that no format of the choice reads is `unread` (line-feed.ts).
 * Source: program.ts and json-reader.ts name the manuals.
 */
export class LogReader extends LineFeed {
  /**
   * @param seeds    hash key of the case
   * @param onBatch  gets each full batch; its buffers are its own from then on
   */
  constructor(
    choice: FormatChoice,
    seeds: [number, number],
    onBatch: (batch: Batch) => void,
    capacity?: number,
    kernel?: LineKernel | null,
  ) {
    super(new AccessLines(choice, seeds), onBatch, capacity, kernel);
  }
}

/** Tries the formats of a choice on each line, in order. */
class AccessLines implements LineFormat {
  readonly rows: Rows;
  private readonly readers: (LineReader | JsonReader)[];
  private readonly compiledKind: BytesTold['kind'];
  private notModified = 0;
  private bytesOn304 = 0;

  constructor(choice: FormatChoice, seeds: [number, number]) {
    const none = new Uint8Array(8);
    this.rows = new Rows(
      none,
      new DataView(none.buffer),
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

  read(start: number, end: number, line: number): Unread {
    const { rows, readers } = this;
    let why: Unread = Unread.noMatch;
    let furthest = -1;
    for (let i = 0; i < readers.length; i++) {
      const reader = readers[i]!;
      const failed = reader.read(start, end);
      if (failed === Unread.none) {
        if (rows.status === 304) {
          this.notModified++;
          if (rows.bytes > 0) this.bytesOn304++;
        }
        rows.commit(line);
        return Unread.none;
      }
      if (reader.reached > furthest) {
        furthest = reader.reached;
        why = failed;
      }
    }
    return why;
  }

  told(): BytesTold {
    const json = this.readers[0];
    const kind = json instanceof JsonReader ? json.bytesKind : this.compiledKind;
    const told = { kind, notModified: this.notModified, bytesOn304: this.bytesOn304 };
    this.notModified = 0;
    this.bytesOn304 = 0;
    return told;
  }
}
