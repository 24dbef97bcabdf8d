import { patternBytes } from './times.js';

/**
 * A log line's shape, compiled once: what stands where, and which bytes stand between. Both Apache's LogFormat
 * and nginx's log_format become one; the reader (line-reader.ts) runs it over bytes. Nothing of a format string
 * is ever run as code: a format may come from the evidence.
 *
 * Source: httpd 2.4 mod_log_config "Custom Log Formats" and mod_logio; nginx ngx_http_log_module and
 *         ngx_http_core_module "Embedded Variables".
 */

/** What a field is. The numbers are the reader's switch cases. */
export const Field = {
  skip: 0,
  client: 1,
  vhost: 2,
  user: 3,
  request: 4,
  method: 5,
  /** A path that may carry its query after a question mark. */
  uri: 6,
  query: 7,
  protocol: 8,
  status: 9,
  bodyBytes: 10,
  sentBytes: 11,
  referer: 12,
  agent: 13,
  timeClf: 14,
  timeIso: 15,
  /** Seconds since 1970, with a fraction or without. */
  timeSeconds: 16,
  timeMillis: 17,
  timeMicros: 18,
  timePattern: 19,
  durationMicros: 20,
  durationMillis: 21,
  durationSeconds: 22,
  durationNanos: 23,
  /** The clients that a proxy speaks of: a list, or `-`. */
  forwarded: 24,
  /** `+0200`, behind a time that has none. */
  zone: 25,
} as const;
export type Field = (typeof Field)[keyof typeof Field];

export interface Step {
  field: Field;
  /** The bytes that follow the value; empty at the end of the line. */
  literal: Uint8Array;
  /** The quote around the value, or 0. Inside quotes a backslash takes the next byte with it. */
  quote: number;
  /** strftime pattern of `timePattern`, from `patternBytes`. */
  pattern?: Uint8Array;
}

export interface Program {
  /** A stable name to show: 'combined', 'vhost_combined', or 'custom'. */
  name: string;
  /** The format string that it was compiled from. */
  format: string;
  lead: Uint8Array;
  steps: Step[];
  /** The line may end after this many steps: all up to and including the status. */
  least: number;
  bytesKind: 'body' | 'sent' | 'unknown';
}

export class FormatProblem extends Error {}

type Part = { literal: string } | { field: Field; pattern?: string };

const APACHE: Record<string, Field> = {
  h: Field.client,
  a: Field.client,
  v: Field.vhost,
  V: Field.vhost,
  u: Field.user,
  r: Field.request,
  m: Field.method,
  U: Field.uri,
  q: Field.query,
  H: Field.protocol,
  s: Field.status,
  b: Field.bodyBytes,
  B: Field.bodyBytes,
  O: Field.sentBytes,
  D: Field.durationMicros,
  T: Field.durationSeconds,
};

const REQUEST_HEADERS: Record<string, Field> = {
  referer: Field.referer,
  'user-agent': Field.agent,
  host: Field.vhost,
  'x-forwarded-for': Field.forwarded,
  'x-real-ip': Field.forwarded,
  'cf-connecting-ip': Field.forwarded,
};

const NGINX: Record<string, Field> = {
  remote_addr: Field.client,
  http_x_forwarded_for: Field.forwarded,
  http_x_real_ip: Field.forwarded,
  http_cf_connecting_ip: Field.forwarded,
  remote_user: Field.user,
  time_local: Field.timeClf,
  time_iso8601: Field.timeIso,
  msec: Field.timeSeconds,
  request: Field.request,
  request_method: Field.method,
  request_uri: Field.uri,
  uri: Field.uri,
  document_uri: Field.uri,
  args: Field.query,
  query_string: Field.query,
  server_protocol: Field.protocol,
  status: Field.status,
  body_bytes_sent: Field.bodyBytes,
  bytes_sent: Field.sentBytes,
  http_referer: Field.referer,
  http_user_agent: Field.agent,
  request_time: Field.durationSeconds,
  host: Field.vhost,
  http_host: Field.vhost,
  server_name: Field.vhost,
};

function apacheTime(argument: string): Part[] {
  const pattern = argument.replace(/^(begin|end):/, '');
  if (pattern === 'sec') return [{ field: Field.timeSeconds }];
  if (pattern === 'msec') return [{ field: Field.timeMillis }];
  if (pattern === 'usec') return [{ field: Field.timeMicros }];
  if (pattern === 'msec_frac' || pattern === 'usec_frac') return [{ field: Field.skip }];
  return [{ field: Field.timePattern, pattern }];
}

function apacheDirective(letter: string, argument: string): Part[] {
  if (letter === 't')
    return argument ? apacheTime(argument) : [{ literal: '[' }, { field: Field.timeClf }, { literal: ']' }];
  if (letter === 'i') return [{ field: REQUEST_HEADERS[argument.toLowerCase()] ?? Field.skip }];
  if (letter === 'T' && argument)
    return [
      {
        field:
          argument === 'us'
            ? Field.durationMicros
            : argument === 'ms'
              ? Field.durationMillis
              : Field.durationSeconds,
      },
    ];
  // %{c}a and %{c}h are the peer's own address: as good a client as any where it is the only one.
  return [{ field: APACHE[letter] ?? Field.skip }];
}

/** Splits an Apache LogFormat into fields and the text between. */
function apacheParts(format: string): Part[] {
  const parts: Part[] = [];
  const directive = /%(?:!?\d{3}(?:,\d{3})*)?[<>]?(?:\{([^}]*)\})?(\^?[a-zA-Z]{1,3}|%)/y;
  for (let i = 0; i < format.length; ) {
    const c = format[i]!;
    if (c === '%') {
      directive.lastIndex = i;
      const m = directive.exec(format);
      if (!m) throw new FormatProblem(`"${format.slice(i, i + 12)}" is no directive of mod_log_config`);
      // Only ^FU-like names have more than one letter (%^FB, %^ti, %^to).
      const name = m[2]!.startsWith('^') ? m[2]! : m[2]![0]!;
      i = m.index + m[0].length - (m[2]!.length - name.length);
      if (name === '%') parts.push({ literal: '%' });
      else parts.push(...apacheDirective(name, m[1] ?? ''));
    } else if (c === '\\' && i + 1 < format.length) {
      const next = format[i + 1]!;
      parts.push({ literal: next === 't' ? '\t' : next === 'n' ? '\n' : next });
      i += 2;
    } else {
      parts.push({ literal: c });
      i++;
    }
  }
  return parts;
}

/** Splits an nginx log_format into fields and the text between. */
function nginxParts(format: string): Part[] {
  const parts: Part[] = [];
  const variable = /\$(?:\{([a-zA-Z0-9_]+)\}|([a-zA-Z0-9_]+))/y;
  for (let i = 0; i < format.length; ) {
    variable.lastIndex = i;
    const m = format[i] === '$' ? variable.exec(format) : null;
    if (m) {
      const name = m[1] ?? m[2]!;
      // $uri$is_args$args is one value: a path with its query.
      if (name !== 'is_args') parts.push({ field: NGINX[name] ?? Field.skip });
      i += m[0].length;
    } else {
      parts.push({ literal: format[i]! });
      i++;
    }
  }
  return parts;
}

const encoder = new TextEncoder();

/**
 * Compiles a format string.
 *
 * Errors: FormatProblem with the reason, when it has no time or status to go by, or two values that touch.
 */
export function compile(dialect: 'apache' | 'nginx', format: string, name = 'custom'): Program {
  const parts = dialect === 'apache' ? apacheParts(format) : nginxParts(format);
  let lead = '';
  const raw: { field: Field; literal: string; pattern?: string }[] = [];
  for (const part of parts) {
    const last = raw.at(-1);
    if (!('literal' in part)) {
      // %U%q is one value: a path with its query.
      if (last && last.literal === '' && last.field === Field.uri && part.field === Field.query) continue;
      if (last && last.literal === '')
        throw new FormatProblem('two values touch, so nothing tells where one ends');
      raw.push({ field: part.field, literal: '', ...(part.pattern ? { pattern: part.pattern } : {}) });
    } else if (last) last.literal += part.literal;
    else lead += part.literal;
  }
  preferBetter(raw);
  let before = lead;
  const steps: Step[] = raw.map(({ field, literal, pattern }) => {
    const open = before.at(-1);
    const quote = (open === '"' || open === "'") && literal.startsWith(open) ? open.charCodeAt(0) : 0;
    before = literal;
    return {
      field,
      literal: encoder.encode(literal),
      quote,
      ...(pattern ? { pattern: patternBytes(pattern) } : {}),
    };
  });
  const status = raw.findIndex((s) => s.field === Field.status);
  const time = raw.findIndex((s) => s.field >= Field.timeClf && s.field <= Field.timePattern);
  if (status < 0 && time < 0) throw new FormatProblem('it has neither a time nor a status');
  if (time < 0) throw new FormatProblem('it has no time (%t, $time_local, $time_iso8601 or $msec)');
  return {
    name,
    format,
    lead: encoder.encode(lead),
    steps,
    least: Math.max(status, time) + 1,
    bytesKind: raw.some((s) => s.field === Field.sentBytes)
      ? 'sent'
      : raw.some((s) => s.field === Field.bodyBytes)
        ? 'body'
        : 'unknown',
  };
}

/** Where two fields say the same thing, the better one is kept and the other skipped. */
function preferBetter(raw: { field: Field; literal: string; pattern?: string }[]): void {
  const keepFirst = (field: Field) => {
    let seen = false;
    for (const s of raw)
      if (s.field === field) {
        if (seen) s.field = Field.skip;
        seen = true;
      }
  };
  const has = (field: Field) => raw.some((s) => s.field === field);
  // Bytes on the wire answer a question about bandwidth; the body is second best. Never both in one column.
  if (has(Field.sentBytes)) for (const s of raw) if (s.field === Field.bodyBytes) s.field = Field.skip;
  if (has(Field.request))
    for (const s of raw)
      if (([Field.method, Field.uri, Field.query, Field.protocol] as Field[]).includes(s.field))
        s.field = Field.skip;
  const [time, ...times] = raw.filter((s) => s.field >= Field.timeClf && s.field <= Field.timePattern);
  const zoneless = time?.pattern !== undefined && !/%[zs]/.test(time.pattern);
  for (const s of times) s.field = zoneless && s.pattern === '%z' ? Field.zone : Field.skip;
  // The first client that is known counts: a proxy's `-` leaves it to the next.
  for (const field of Object.values(Field))
    if (field !== Field.skip && field !== Field.client && field !== Field.forwarded) keepFirst(field);
  const durations = raw.filter((s) => s.field >= Field.durationMicros && s.field <= Field.durationNanos);
  const finest = durations.toSorted((a, b) => a.field - b.field)[0];
  for (const s of durations) if (s !== finest) s.field = Field.skip;
}
