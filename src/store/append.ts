import { type DuckDBAppender, DuckDBDataChunk, type DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { StoredColumn } from '../formats/bulk.js';
import type { Case } from './case.js';

/** DuckDB's vectors hold this many values. */
const VECTOR = duckdb.vector_size();

/** One column of a bulk append: numbers as they lie in memory, or texts in UTF-8. */
export type Column = StoredColumn | { texts: Uint8Array[] };

/**
 * Appends columns to a table as data chunks: one copy of memory a column and vector, no value is touched.
 * `absent[i] = 1` makes row i of that column NULL.
 */
export class BulkAppender {
  private readonly chunk: DuckDBDataChunk;

  private constructor(
    private readonly appender: DuckDBAppender,
    private readonly columns: number,
    types: DuckDBType[],
  ) {
    this.chunk = DuckDBDataChunk.create(types);
  }

  static async to(store: Case, table: string): Promise<BulkAppender> {
    const appender = await store.connection.createAppender(table);
    const types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
    return new BulkAppender(appender, types.length, types);
  }

  append(rows: number, columns: Column[]): void {
    if (columns.length !== this.columns)
      throw new Error(`${columns.length} columns given, the table has ${this.columns}`);
    for (let from = 0; from < rows; from += VECTOR) {
      const count = Math.min(VECTOR, rows - from);
      this.chunk.reset();
      for (const [i, column] of columns.entries()) {
        const vector = duckdb.data_chunk_get_vector(this.chunk.chunk, i);
        if ('texts' in column) {
          for (let k = 0; k < count; k++)
            duckdb.vector_assign_string_element_len(vector, k, column.texts[from + k]!);
          continue;
        }
        const { numbers, width, absent } = column;
        duckdb.copy_data_to_vector(
          vector,
          0,
          numbers.buffer,
          numbers.byteOffset + from * width,
          count * width,
        );
        if (absent) setValidity(vector, absent, from, count);
      }
      duckdb.data_chunk_set_size(this.chunk.chunk, count);
      this.appender.appendDataChunk(this.chunk);
    }
  }

  flush(): void {
    this.appender.flushSync();
  }

  close(): void {
    this.appender.closeSync();
  }
}

function setValidity(vector: duckdb.Vector, absent: Uint8Array, from: number, count: number): void {
  let any = false;
  const mask = new Uint8Array(VECTOR / 8).fill(0xff);
  for (let k = 0; k < count; k++)
    if (absent[from + k]) {
      mask[k >> 3]! &= ~(1 << (k & 7));
      any = true;
    }
  if (!any) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, mask.buffer, 0, mask.byteLength);
}
