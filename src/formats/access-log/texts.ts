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
  const cut = bytes.length > MOST ? bytes.subarray(0, MOST) : bytes;
  if (plain(cut) && cut === bytes) return bytes;
  const raw = escaping === 'log' ? unescapeLog(cut) : unescapeJson(cut);
  const more = cut === bytes ? '' : `… (${bytes.length} bytes)`;
  return encoder.encode(visible(raw) + more);
}

/** `\"` and `\xHH` become the byte they stand for. */
function unescapeLog(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]!;
    const next = String.fromCharCode(bytes[i + 1] ?? 0);
    if (b !== 0x5c) out[n++] = b;
    else if (next === 'x' && i + 3 < bytes.length) {
      const value = Number.parseInt(String.fromCharCode(bytes[i + 2]!, bytes[i + 3]!), 16);
      if (Number.isNaN(value)) out[n++] = b;
      else {
        out[n++] = value;
        i += 3;
      }
    } else if (next === '"' || next === '\\' || next === "'") {
      out[n++] = bytes[++i]!;
    } else if (SHORT[next] !== undefined) {
      out[n++] = SHORT[next];
      i++;
    } else out[n++] = b;
  }
  return out.subarray(0, n);
}

function unescapeJson(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  try {
    // Raw UTF-8 inside the string is kept as bytes by going through latin1.
    return joined(JSON.parse(`"${text}"`) as string);
  } catch {
    return bytes;
  }
}

/** Characters above 255 came from a \u escape, the rest are bytes of the file. */
function joined(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const c of text)
    parts.push(c.codePointAt(0)! > 0xff ? encoder.encode(c) : Uint8Array.of(c.charCodeAt(0)));
  return Buffer.concat(parts);
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
