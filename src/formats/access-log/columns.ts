/**
 * The columns of access-log records, a batch at a time.
 *
 * Units:  `seconds` and `micros` together are the moment in UTC since 1970; `zone` is minutes east of UTC as the
 *         line had it; bytes are bytes, -1 where the line has none; durations are microseconds, -1 likewise.
 * Dictionary columns hold ids of that worker's own dictionaries, 0 for absent.
 */
export const DICTIONARIES = [
  'vhost',
  'client',
  'user',
  'method',
  'path',
  'query',
  'protocol',
  'referer',
  'agent',
] as const;
export type DictionaryName = (typeof DICTIONARIES)[number];

export const BATCH_ROWS = 32_768;

export interface Columns {
  /** Line within the batch, from 0. */
  line: Uint32Array<ArrayBuffer>;
  seconds: Float64Array<ArrayBuffer>;
  zone: Int16Array<ArrayBuffer>;
  status: Uint16Array<ArrayBuffer>;
  bytes: Float64Array<ArrayBuffer>;
  duration: Float64Array<ArrayBuffer>;
  ids: Record<DictionaryName, Int32Array<ArrayBuffer>>;
}

export function emptyColumns(): Columns {
  return {
    line: new Uint32Array(BATCH_ROWS),
    seconds: new Float64Array(BATCH_ROWS),
    zone: new Int16Array(BATCH_ROWS),
    status: new Uint16Array(BATCH_ROWS),
    bytes: new Float64Array(BATCH_ROWS),
    duration: new Float64Array(BATCH_ROWS),
    ids: Object.fromEntries(DICTIONARIES.map((name) => [name, new Int32Array(BATCH_ROWS)])) as Record<
      DictionaryName,
      Int32Array<ArrayBuffer>
    >,
  };
}
