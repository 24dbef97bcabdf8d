/**
 * From the bytes of a field to the text that is kept: the log's own escaping is undone, everything else stays
 * visible. Runs once for each distinct value, never once for each line.
 *
 * Shape:  valid UTF-8, at most MOST bytes (a longer value ends in an ellipsis with its true length).
 * Source: httpd util.c ap_escape_logitem (`\"`, `\\`, `\xHH`, `\n` …); nginx ngx_http_log_escape (`\xHH`);
 *         RFC 8259 section 7 for JSON logs.
 */
const MOST = 8192;

export type Escaping = 'log' | 'json';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

const SHORT: Record<string, number> = { n: 10, r: 13, t: 9, b: 8, v: 11, f: 12 };

/** True when the bytes are plain ASCII with no backslash: then they are the text already. */
function plain(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]!;
    if (b >= 0x80 || b < 0x20 || b === 0x5c || b === 0x7f) return false;
  }
  return true;
}

export function textOf(bytes: Uint8Array, escaping: Escaping): Uint8Array {
  if (plain(bytes) && bytes.length <= MOST) return bytes;
  const raw = escaping === 'log' ? unescapeLog(bytes) : unescapeJson(bytes);
  if (raw.length <= MOST) return encoder.encode(visible(raw));
  return encoder.encode(`${visible(raw.subarray(0, wholeUpTo(raw, MOST)))}… (${bytes.length} bytes)`);
}

/** At most `most` bytes, and no UTF-8 sequence cut in two. */
function wholeUpTo(bytes: Uint8Array, most: number): number {
  let end = most;
  while (end > most - 4 && (bytes[end]! & 0xc0) === 0x80) end--;
  return end;
}

/** The value of `count` hexadecimal digits at `i`, or -1. */
function hex(bytes: Uint8Array, i: number, count: number): number {
  let value = 0;
  for (let k = i; k < i + count; k++) {
    const b = bytes[k] ?? 0;
    const digit =
      b >= 48 && b <= 57 ? b - 48 : (b | 32) >= 97 && (b | 32) <= 102 ? (b | 32) - 87 : Number.NaN;
    value = value * 16 + digit;
  }
  return Number.isNaN(value) ? -1 : value;
}

/** `\"` and `\xHH` become the byte they stand for; nginx's `escape=json` adds `\u00HH`. */
function unescapeLog(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]!;
    if (b !== 0x5c) {
      out[n++] = b;
      continue;
    }
    const next = String.fromCharCode(bytes[i + 1] ?? 0);
    const value = next === 'x' ? hex(bytes, i + 2, 2) : next === 'u' ? hex(bytes, i + 2, 4) : -1;
    if (value >= 0 && value <= 0xff) {
      out[n++] = value;
      i += next === 'x' ? 3 : 5;
    } else if (next === '"' || next === '\\' || next === "'") {
      out[n++] = bytes[++i]!;
    } else if (SHORT[next] !== undefined) {
      out[n++] = SHORT[next];
      i++;
    } else out[n++] = b;
  }
  return out.subarray(0, n);
}

/** As RFC 8259 has it; what is no escape stays as it is, for Apache writes `\xHH` into JSON too. */
function unescapeJson(bytes: Uint8Array): Uint8Array {
  // No escape is shorter than what it stands for.
  const out = new Uint8Array(bytes.length);
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]!;
    if (b !== 0x5c) {
      out[n++] = b;
      continue;
    }
    const next = String.fromCharCode(bytes[i + 1] ?? 0);
    let unit = next === 'u' ? hex(bytes, i + 2, 4) : -1;
    if (unit >= 0) {
      i += 5;
      const low = unit >= 0xd800 && unit < 0xdc00 && bytes[i + 1] === 0x5c && bytes[i + 2] === 0x75;
      const second = low ? hex(bytes, i + 3, 4) : -1;
      if (second >= 0xdc00 && second < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
        i += 6;
      }
      n += encoder.encodeInto(String.fromCodePoint(unit), out.subarray(n)).written;
    } else if (next === '"' || next === '\\' || next === '/') {
      out[n++] = bytes[++i]!;
    } else if (SHORT[next] !== undefined && next !== 'v') {
      out[n++] = SHORT[next];
      i++;
    } else out[n++] = b;
  }
  return out.subarray(0, n);
}

/** Bytes that are not UTF-8 are kept as \xHH, so that nothing is lost and two values never become one. */
function visible(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    let text = '';
    let from = 0;
    for (let i = 0; i < bytes.length; ) {
      const length = sequenceLength(bytes, i);
      if (length > 0) {
        i += length;
        continue;
      }
      text += utf8.decode(bytes.subarray(from, i));
      text += `\\x${bytes[i]!.toString(16).padStart(2, '0')}`;
      from = ++i;
    }
    return text + utf8.decode(bytes.subarray(from));
  }
}

/** Length of the valid UTF-8 sequence at `i` (RFC 3629), or 0. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const b = bytes[i]!;
  if (b < 0x80) return 1;
  const length = b >= 0xf0 && b < 0xf5 ? 4 : b >= 0xe0 ? 3 : b >= 0xc2 ? 2 : 0;
  if (length === 0 || b >= 0xf5 || i + length > bytes.length) return 0;
  try {
    utf8.decode(bytes.subarray(i, i + length));
    return length;
  } catch {
    return 0;
  }
}
