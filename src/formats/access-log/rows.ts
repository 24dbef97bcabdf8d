import { BATCH_ROWS, type StoredColumn, words } from '../bulk.js';
import { ByteRows } from '../byte-rows.js';
import { REQUEST_PATH, REQUEST_QUERY } from '../line-kernel.js';
import type { Escaping } from '../texts.js';
import { type Columns, DICTIONARIES, type DictionaryName, emptyColumns } from './columns.js';

/**
 * The row being filled, and the batch it goes into. One for each worker; every reader (text formats, JSON)
 * fills its fields through it, and nothing here makes an object or string for a line.
 */
export class Rows extends ByteRows<DictionaryName> {
  private columns: Columns = emptyColumns();
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

  constructor(buffer: Uint8Array, view: DataView, seedA: number, seedB: number, escaping: Escaping = 'log') {
    super(buffer, view, seedA, seedB, DICTIONARIES, escaping);
  }

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
    this.met(this.seconds + this.zone * 60);
  }

  take(): StoredColumn[] {
    const { count } = this;
    const { line, seconds, zone, status, bytes, duration, ids } = this.columns;
    this.columns = emptyColumns();
    return [
      { numbers: line, width: 4 },
      words(seconds, count, 1e6, Number.NaN),
      { numbers: zone, width: 2 },
      { numbers: status, width: 2 },
      words(bytes, count, 1, -1),
      words(duration, count, 1, -1),
      ...DICTIONARIES.map((name): StoredColumn => ({ numbers: ids[name], width: 4 })),
    ];
  }

  get full(): boolean {
    return this.count >= BATCH_ROWS;
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

  /** `request` where a kernel has cut it: see `LineKernel.out`. */
  requestCut(out: Int32Array, start: number, end: number): void {
    const { buffer: b, view, dictionaries } = this;
    const { method, protocol } = dictionaries;
    const pathStart = out[REQUEST_PATH]!;
    const space = pathStart - 1;
    // "GET " and "POST" with a space behind it fill a word, which tells the method that was met last.
    const word = view.getInt32(start, true);
    if (word === method.lastKey && space - start === method.lastLength && space < end)
      this.method = method.lastId;
    else {
      let p = start;
      while (p < space && isTokenByte(b[p]!)) p++;
      if (p < space || p === start || p - start > 24 || space >= end) {
        this.request(start, end);
        return;
      }
      this.method = this.intern(method, start, p);
      if (p - start === 3 || p - start === 4) method.remember(word, p - start, this.method);
    }
    let uriEnd = end;
    if (end - space > 9 && b[end - 9] === 32 && view.getInt32(end - 8, true) === 0x50545448) {
      const version = view.getInt32(end - 4, true);
      if (version !== protocol.lastKey || protocol.lastLength !== 8)
        protocol.remember(version, 8, this.intern(protocol, end - 8, end));
      this.protocol = protocol.lastId;
      uriEnd = end - 9;
    }
    const q = out[REQUEST_PATH + 1]!;
    this.path = this.internHashed(
      dictionaries.path,
      pathStart,
      q,
      out[REQUEST_PATH + 2]!,
      out[REQUEST_PATH + 3]!,
    );
    if (q < uriEnd)
      this.query = this.internHashed(
        dictionaries.query,
        q + 1,
        uriEnd,
        out[REQUEST_QUERY + 2]!,
        out[REQUEST_QUERY + 3]!,
      );
  }

  /** A path that may carry a query. */
  uri(start: number, end: number): void {
    const q = this.indexOfByte(63, start, end);
    this.path = this.intern(this.dictionaries.path, start, q);
    if (q < end) this.query = this.intern(this.dictionaries.query, q + 1, end);
  }
}

/** RFC 9110 methods are tokens; logs hold letters, digits, `-` and `_`. */
function isTokenByte(b: number): boolean {
  return (b >= 65 && b <= 90) || b === 95 || b === 45 || (b >= 97 && b <= 122) || (b >= 48 && b <= 57);
}
