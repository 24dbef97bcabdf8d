import { BATCH_ROWS, type FactTable } from '../bulk.js';

/** Dictionaries of access logs; each is a column of the table, `<name>_id`. */
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

/** One row a request. */
export const REQUEST_FACTS: FactTable = {
  name: 'request_facts',
  columns: [
    { name: 'line', type: 'UINTEGER', about: 'from 1' },
    { name: 'requested_at', type: 'TIMESTAMP', about: 'UTC' },
    { name: 'zone_min', type: 'SMALLINT', about: 'minutes east of UTC, as logged' },
    { name: 'status', type: 'USMALLINT', about: '0: none logged' },
    {
      name: 'bytes',
      type: 'BIGINT',
      nullable: true,
      about: 'body or sent, as the source’s bytes_kind says; NULL: not logged',
    },
    { name: 'duration_us', type: 'BIGINT', nullable: true, about: 'NULL: not logged' },
    ...DICTIONARIES.map((name) => ({ name: `${name}_id`, type: 'INTEGER' as const, text: name })),
  ],
};

/**
 * The batch while it is filled.
 *
 * Units:  `seconds` is the moment in UTC since 1970; `zone` is minutes east of UTC as the line had it; bytes are
 *         bytes, -1 where the line has none; durations are microseconds, -1 likewise.
 * Dictionary columns hold ids of that worker's own dictionaries, 0 for absent.
 */
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
