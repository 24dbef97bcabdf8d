import { Unread } from '../unread.js';
import { Field } from './program.js';
import type { Rows } from './rows.js';
import { Clock } from './times.js';

/**
 * Access logs with one JSON object a line: Caddy, Traefik, and nginx with `escape=json` under the names of its
 * own variables. A key is known by its path; a list counts as its first element (Caddy's header values).
 *
 * Source: Caddy "Log" docs and modules/caddyhttp/marshalers.go; Traefik access-log fields
 *         (pkg/middlewares/accesslog/logdata.go); nginx variable names.
 */
const KEYS: Record<string, Field> = {
  // Caddy
  ts: Field.timeSeconds,
  'request>remote_ip': Field.client,
  'request>client_ip': Field.client,
  'request>remote_addr': Field.client,
  'request>host': Field.vhost,
  'request>method': Field.method,
  'request>uri': Field.uri,
  'request>proto': Field.protocol,
  'request>headers>User-Agent': Field.agent,
  'request>headers>Referer': Field.referer,
  user_id: Field.user,
  size: Field.bodyBytes,
  duration: Field.durationSeconds,
  // Traefik
  StartUTC: Field.timeIso,
  StartLocal: Field.timeIso,
  ClientHost: Field.client,
  ClientUsername: Field.user,
  RequestHost: Field.vhost,
  RequestMethod: Field.method,
  RequestPath: Field.uri,
  RequestProtocol: Field.protocol,
  DownstreamStatus: Field.status,
  DownstreamContentSize: Field.bodyBytes,
  Duration: Field.durationNanos,
  'request_User-Agent': Field.agent,
  request_Referer: Field.referer,
  // nginx, and the names that people give
  time: Field.timeIso,
  timestamp: Field.timeIso,
  '@timestamp': Field.timeIso,
  time_local: Field.timeIso,
  time_iso8601: Field.timeIso,
  msec: Field.timeSeconds,
  remote_addr: Field.client,
  remote_ip: Field.client,
  client_ip: Field.client,
  clientip: Field.client,
  remote_user: Field.user,
  request: Field.request,
  request_method: Field.method,
  method: Field.method,
  request_uri: Field.uri,
  uri: Field.uri,
  url: Field.uri,
  path: Field.uri,
  args: Field.query,
  query_string: Field.query,
  server_protocol: Field.protocol,
  protocol: Field.protocol,
  status: Field.status,
  response: Field.status,
  body_bytes_sent: Field.bodyBytes,
  bytes: Field.bodyBytes,
  bytes_sent: Field.sentBytes,
  http_referer: Field.referer,
  http_referrer: Field.referer,
  referer: Field.referer,
  referrer: Field.referer,
  http_user_agent: Field.agent,
  user_agent: Field.agent,
  agent: Field.agent,
  request_time: Field.durationSeconds,
  host: Field.vhost,
  http_host: Field.vhost,
  server_name: Field.vhost,
  vhost: Field.vhost,
};

const encoder = new TextEncoder();
const FNV = 0x811c9dc5 | 0;

function keyHash(parent: number, bytes: Uint8Array, start: number, end: number): number {
  let h = parent ^ FNV;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h | 0;
}

const FIELD_OF = new Map<number, Field>(
  Object.entries(KEYS).map(([path, field]) => {
    const hash = path.split('>').reduce((parent, key) => {
      const bytes = encoder.encode(key);
      return keyHash(parent, bytes, 0, bytes.length);
    }, 0);
    return [hash, field];
  }),
);

/** Deeper nesting than any server writes; a bound for hostile lines. */
const DEEPEST = 16;

/** Reads lines that are JSON objects: a scanner over bytes, no object is made. */
export class JsonReader {
  private readonly clock = new Clock();
  /** Both kinds of byte counts may stand in one line: the wire's wins. */
  private sent = false;
  /** Seen so far: which kind of bytes the log has. */
  bytesKind: 'body' | 'sent' | 'unknown' = 'unknown';
  reached = 0;

  constructor(private readonly rows: Rows) {}

  read(start: number, end: number): Unread {
    const { rows } = this;
    rows.clear();
    this.sent = false;
    this.reached = 0;
    const b = rows.buffer;
    let p = start;
    while (p < end && b[p]! <= 32) p++;
    if (p >= end || b[p] !== 123) return Unread.badJson;
    const after = this.object(p, end, 0, 0);
    if (after < 0) return Unread.badJson;
    if (Number.isNaN(rows.seconds)) return Unread.badTime;
    if (rows.status === 0 && rows.path === 0) return Unread.badStatus;
    return Unread.none;
  }

  /** Reads the object at `p`; returns where it ended, or -1. */
  private object(p: number, end: number, path: number, depth: number): number {
    const b = this.rows.buffer;
    if (depth > DEEPEST) return -1;
    p = this.space(p + 1, end);
    if (p < end && b[p] === 125) return p + 1;
    for (;;) {
      if (p >= end || b[p] !== 34) return -1;
      const close = this.string(p + 1, end);
      if (close < 0) return -1;
      const hash = keyHash(path, b, p + 1, close);
      p = this.space(close + 1, end);
      if (b[p] !== 58) return -1;
      p = this.value(this.space(p + 1, end), end, hash, depth);
      if (p < 0) return -1;
      p = this.space(p, end);
      if (p >= end) return -1;
      if (b[p] === 125) return p + 1;
      if (b[p] !== 44) return -1;
      p = this.space(p + 1, end);
    }
  }

  private value(p: number, end: number, path: number, depth: number): number {
    const b = this.rows.buffer;
    if (p >= end) return -1;
    switch (b[p]) {
      case 123:
        return this.object(p, end, path, depth + 1);
      case 91:
        return this.list(p, end, path, depth + 1);
      case 34: {
        const close = this.string(p + 1, end);
        if (close < 0) return -1;
        this.field(path, p + 1, close, true);
        return close + 1;
      }
      default: {
        let stop = p;
        while (stop < end && b[stop] !== 44 && b[stop] !== 125 && b[stop] !== 93 && b[stop]! > 32) stop++;
        if (stop === p) return -1;
        // true, false and null are no field of ours
        if (b[p] === 45 || (b[p]! >= 48 && b[p]! <= 57)) this.field(path, p, stop, false);
        return stop;
      }
    }
  }

  private list(p: number, end: number, path: number, depth: number): number {
    const b = this.rows.buffer;
    if (depth > DEEPEST) return -1;
    p = this.space(p + 1, end);
    if (p < end && b[p] === 93) return p + 1;
    for (let first = true; ; first = false) {
      p = this.value(p, end, first ? path : 1, depth);
      if (p < 0) return -1;
      p = this.space(p, end);
      if (p >= end) return -1;
      if (b[p] === 93) return p + 1;
      if (b[p] !== 44) return -1;
      p = this.space(p + 1, end);
    }
  }

  private field(path: number, start: number, end: number, text: boolean): void {
    const field = FIELD_OF.get(path);
    if (field === undefined || end === start) return;
    const { rows } = this;
    const d = rows.dictionaries;
    switch (field) {
      case Field.timeSeconds:
      case Field.timeIso:
        this.time(start, end);
        return;
      case Field.client:
        this.client(start, end);
        return;
      case Field.vhost:
        rows.vhost ||= rows.hostName(start, end);
        return;
      case Field.user:
        rows.user = rows.intern(d.user, start, end);
        return;
      case Field.request:
        if (text) rows.request(start, end);
        return;
      case Field.method:
        rows.method = rows.intern(d.method, start, end);
        return;
      case Field.uri:
        if (rows.path === 0) rows.uri(start, end);
        return;
      case Field.query:
        rows.query = rows.intern(d.query, start, end);
        return;
      case Field.protocol:
        rows.protocol = rows.intern(d.protocol, start, end);
        return;
      case Field.referer:
        rows.referer = rows.intern(d.referer, start, end);
        return;
      case Field.agent:
        rows.agent = rows.intern(d.agent, start, end);
        return;
      case Field.status: {
        const status = this.number(start, end);
        if (status >= 0 && status <= 999) rows.status = status;
        return;
      }
      case Field.bodyBytes:
      case Field.sentBytes: {
        if (this.sent) return;
        const bytes = this.number(start, end);
        if (bytes >= 0) rows.bytes = Math.round(bytes);
        this.sent = field === Field.sentBytes;
        if (this.bytesKind !== 'sent') this.bytesKind = this.sent ? 'sent' : 'body';
        return;
      }
      case Field.durationSeconds:
      case Field.durationNanos: {
        const value = this.number(start, end);
        if (value >= 0) rows.duration = Math.round(field === Field.durationNanos ? value / 1e3 : value * 1e6);
        return;
      }
    }
  }

  /** An address; Caddy before 2.5 and others write its port behind it. */
  private client(start: number, end: number): void {
    const { rows } = this;
    const bracket = rows.buffer[start] === 91;
    let stop = rows.indexOfByte(bracket ? 93 : 58, start, end);
    if (bracket) start++;
    // More than one colon: an IPv6 address without a port.
    else if (rows.indexOfByte(58, stop + 1, end) < end) stop = end;
    rows.client = rows.intern(rows.dictionaries.client, start, stop);
  }

  /** A time as text (ISO, CLF) or as a number of seconds, milli-, micro- or nanoseconds since 1970. */
  private time(start: number, end: number): void {
    const { rows, clock } = this;
    const b = rows.buffer;
    let seconds: number;
    clock.zone = 0;
    // Apache's %t in a JSON of its own.
    if (b[start] === 91) start++;
    if (b[start + 2] === 47 && end - start >= 26) seconds = clock.clf(b, start);
    else if (b[start + 4] === 45 && end - start >= 19) seconds = clock.iso(b, start, end);
    else {
      seconds = this.number(start, end);
      while (seconds > 1e11) seconds /= 1e3;
    }
    if (!(seconds >= 0 && seconds < 253_402_300_800)) return;
    // A zone says more than UTC: Traefik has StartUTC and StartLocal. Its `time` is when the line was written.
    if (!Number.isNaN(rows.seconds) && (clock.zone === 0 || rows.zone !== 0)) return;
    rows.seconds = seconds;
    rows.zone = clock.zone;
  }

  private number(start: number, end: number): number {
    const b = this.rows.buffer;
    if (end - start > 30) return Number.NaN;
    let value = 0;
    let scale = 0;
    for (let i = start; i < end; i++) {
      const c = b[i]!;
      if (c === 46 && scale === 0) scale = 1;
      else if (c >= 48 && c <= 57) {
        value = value * 10 + c - 48;
        scale *= 10;
      } else if ((c === 101 || c === 69) && i > start) {
        // 1.448e+09: rare, so the slow way will do
        return Number(Buffer.from(b.subarray(start, end)).toString('latin1'));
      } else return Number.NaN;
    }
    return scale > 1 ? value / scale : value;
  }

  /** The closing quote of a string that begins at `p`, or -1. */
  private string(p: number, end: number): number {
    const b = this.rows.buffer;
    for (; p < end; p++) {
      if (b[p] === 92) p++;
      else if (b[p] === 34) return p;
    }
    return -1;
  }

  private space(p: number, end: number): number {
    const b = this.rows.buffer;
    while (p < end && b[p]! <= 32) p++;
    return p;
  }
}
