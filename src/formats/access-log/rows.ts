import { Dictionary, MIX_A, MIX_B } from '../dictionary.js';
import { BATCH_ROWS, type Columns, DICTIONARIES, type DictionaryName, emptyColumns } from './columns.js';
import { type Escaping, textOf } from './texts.js';

/** The last steps of MurmurHash3's finaliser: every bit of the input reaches every bit of the lane. */
function finish(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * The row being filled, and the batch it goes into. One for each worker; every reader (text formats, JSON)
 * fills its fields through it, and nothing here makes an object or string for a line.
 */
export class Rows {
  columns: Columns = emptyColumns();
  count = 0;
  readonly dictionaries = Object.fromEntries(DICTIONARIES.map((name) => [name, new Dictionary()])) as Record<
    DictionaryName,
    Dictionary
  >;

  vhost = 0;
  client = 0;
  user = 0;
  method = 0;
  path = 0;
  query = 0;
  protocol = 0;
  referer = 0;
  agent = 0;
  status = 0;
  bytes = -1;
  duration = -1;
  seconds = Number.NaN;
  zone = 0;

  /**
   * @param view  the bytes that fields are cut from; it must reach 4 bytes past the last field
   * @param seedA, seedB  the case's hash key, so that ids of all workers and all runs agree
   */
  constructor(
    public buffer: Uint8Array,
    public view: DataView,
    private readonly seedA: number,
    private readonly seedB: number,
    public escaping: Escaping = 'log',
  ) {}

  clear(): void {
    this.vhost = 0;
    this.client = 0;
    this.user = 0;
    this.method = 0;
    this.path = 0;
    this.query = 0;
    this.protocol = 0;
    this.referer = 0;
    this.agent = 0;
    this.status = 0;
    this.bytes = -1;
    this.duration = -1;
    this.seconds = Number.NaN;
    this.zone = 0;
  }

  /** Puts the filled row into the batch. */
  commit(line: number): void {
    const { columns, count } = this;
    const { ids } = columns;
    columns.line[count] = line;
    columns.seconds[count] = this.seconds;
    columns.zone[count] = this.zone;
    columns.status[count] = this.status;
    columns.bytes[count] = this.bytes;
    columns.duration[count] = this.duration;
    ids.vhost[count] = this.vhost;
    ids.client[count] = this.client;
    ids.user[count] = this.user;
    ids.method[count] = this.method;
    ids.path[count] = this.path;
    ids.query[count] = this.query;
    ids.protocol[count] = this.protocol;
    ids.referer[count] = this.referer;
    ids.agent[count] = this.agent;
    this.count = count + 1;
  }

  get full(): boolean {
    return this.count >= BATCH_ROWS;
  }

  /** The id of the bytes [start, end) in a dictionary; 0 for nothing and for a lone `-`. */
  intern(dictionary: Dictionary, start: number, end: number): number {
    const length = end - start;
    if (length <= 0 || (length === 1 && this.buffer[start] === 45)) return 0;
    const view = this.view;
    let a = this.seedA;
    let b = this.seedB;
    let i = start;
    for (const stop = end - 3; i < stop; i += 4) {
      const w = view.getInt32(i, true);
      a = Math.imul(a ^ w, MIX_A);
      a ^= a >>> 15;
      b = Math.imul((b + w) | 0, MIX_B);
      b = (b << 13) | (b >>> 19);
    }
    if (i < end) {
      const w = view.getInt32(i, true) & ((1 << ((end - i) << 3)) - 1);
      a = Math.imul(a ^ w, MIX_A);
      a ^= a >>> 15;
      b = Math.imul((b + w) | 0, MIX_B);
      b = (b << 13) | (b >>> 19);
    }
    a = finish(a ^ length);
    b = finish(b + length);
    return (
      dictionary.index.find(a, b) ||
      dictionary.add(a, b, textOf(this.buffer.subarray(start, end), this.escaping))
    );
  }

  /** A virtual host: a Host header's port is not part of its name. */
  hostName(start: number, end: number): number {
    const b = this.buffer;
    let colon = end - 1;
    while (colon > start && b[colon]! >= 48 && b[colon]! <= 57) colon--;
    return this.intern(this.dictionaries.vhost, start, b[colon] === 58 && colon > start ? colon : end);
  }

  /** Method, path, query and protocol of a request line in [start, end). */
  request(start: number, end: number): void {
    const { buffer: b, view, dictionaries } = this;
    const length = end - start;
    if (length <= 0 || (length === 1 && b[start] === 45)) return;
    let p = start;
    while (p < end && p - start < 24 && isTokenByte(b[p]!)) p++;
    if (p === start || b[p] !== 32) {
      // No request at all (TLS bytes, a probe): kept whole as the path, with no method.
      this.path = this.intern(dictionaries.path, start, end);
      return;
    }
    this.method = this.intern(dictionaries.method, start, p);
    let uriEnd = end;
    // " HTTP/1.1": a space, then the four letters as one word.
    if (end - p > 9 && b[end - 9] === 32 && view.getInt32(end - 8, true) === 0x50545448) {
      this.protocol = this.intern(dictionaries.protocol, end - 8, end);
      uriEnd = end - 9;
    }
    this.uri(p + 1, uriEnd);
  }

  /** A path that may carry a query. */
  uri(start: number, end: number): void {
    const q = this.indexOfByte(63, start, end);
    this.path = this.intern(this.dictionaries.path, start, q);
    if (q < end) this.query = this.intern(this.dictionaries.query, q + 1, end);
  }

  /** Nothing but spaces and tabs. */
  isBlank(start: number, end: number): boolean {
    let i = start;
    while (i < end && (this.buffer[i] === 32 || this.buffer[i] === 9)) i++;
    return i >= end;
  }

  /** Position of a byte in [start, end), or `end`. Four bytes a step (Hacker's Delight, 6-1). */
  indexOfByte(byte: number, start: number, end: number): number {
    const { view, buffer } = this;
    const pattern = Math.imul(byte, 0x01010101);
    let i = start;
    for (; i < end; i += 4) {
      const x = view.getInt32(i, true) ^ pattern;
      if (((x - 0x01010101) & ~x & 0x80808080) !== 0) break;
    }
    for (; i < end; i++) if (buffer[i] === byte) return i;
    return end;
  }
}

/** RFC 9110 methods are tokens; logs hold letters, digits, `-` and `_`. */
function isTokenByte(b: number): boolean {
  return (b >= 65 && b <= 90) || b === 95 || b === 45 || (b >= 97 && b <= 122) || (b >= 48 && b <= 57);
}
