/** How a text with mail headers is written down, told by its first bytes. */
export interface Layout {
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be';
  /** Lines end in CR alone. */
  bareReturns: boolean;
  /** A mailbox of many mails, each behind a `From ` line. */
  mbox: boolean;
  /** What stands before every line of a pasted header: blanks, `> `. */
  prefix: string;
  /** Every line is followed by an empty one, as some programs copy. */
  doubled: boolean;
}

/** How much of the beginning `layoutOf` wants to see. */
export const HEAD = 64 << 10;

/** `From sender Sat Apr 21 03:01:01 2018`: the line before each mail of a mailbox (mbox(5), RFC 4155). */
export const FROM_LINE = /^From \S{0,320} {0,4}.{0,40}\d\d:\d\d/;

/**
 * Tells a mailbox from one mail and from a pasted header, and how the latter was quoted.
 *
 * Errors: none; what looks like nothing known is plain UTF-8 with one mail.
 */
export function layoutOf(head: Uint8Array): Layout {
  const encoding = encodingOf(head);
  const text = new TextDecoder(encoding).decode(head.subarray(0, HEAD));
  const bareReturns = !text.includes('\n') && text.includes('\r');
  const lines = text.split(bareReturns ? '\r' : /\r?\n/).slice(0, 400);
  const begun = lines.find((line) => line.trim() !== '') ?? '';
  if (FROM_LINE.test(begun)) return { encoding, bareReturns, mbox: true, prefix: '', doubled: false };
  return { encoding, bareReturns, mbox: false, prefix: prefixOf(lines), doubled: isDoubled(lines) };
}

/** By the byte order mark, or by the zero that every second byte of ASCII in UTF-16 is. */
function encodingOf(head: Uint8Array): Layout['encoding'] {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const pairs = Math.min(64, head.length >> 1);
  if (pairs < 4) return 'utf-8';
  let even = 0;
  let odd = 0;
  for (let i = 0; i < pairs; i++) {
    if (head[2 * i] === 0) even++;
    if (head[2 * i + 1] === 0) odd++;
  }
  if (odd > pairs * 0.9 && even === 0) return 'utf-16le';
  return even > pairs * 0.9 && odd === 0 ? 'utf-16be' : 'utf-8';
}

/** What stands before the first Received field, or else before the first field that every header has. */
function prefixOf(lines: string[]): string {
  const before = (names: string): string | null => {
    const field = new RegExp(`^([>|\\s]{0,40})(?:${names})\\s{0,4}:`, 'i');
    for (const line of lines) {
      const m = field.exec(line);
      if (m) return m[1]!;
    }
    return null;
  };
  return before('(?:x-)?received') ?? before('return-path|delivered-to|date|from|subject|message-id') ?? '';
}

function isDoubled(lines: string[]): boolean {
  let full = 0;
  for (let i = 0; i < lines.length && full < 12; i++) {
    if (lines[i]!.trim() === '') continue;
    if (i + 1 < lines.length && lines[i + 1]!.trim() !== '') return false;
    full++;
  }
  return full >= 6;
}
