import { FROM_LINE, HEAD, type Layout, layoutOf } from './layout.js';

/** A field of a header, unfolded. */
export interface HeaderField {
  /** Lower case. */
  name: string;
  value: string;
  /** Line of the text on which it begins, from 1. */
  line: number;
  /** It was longer than is kept; `value` is its beginning. */
  cut: boolean;
}

export interface MailHeader {
  /** Where it begins, from 1. */
  line: number;
  /** Those that were asked for, in their order, at most `MOST_FIELDS`. */
  fields: HeaderField[];
  /** How many of those asked for there are. */
  wanted: number;
}

/** No field that is read for its meaning is longer: RFC 5322 has lines of 998 bytes, real chains of them reach 10 kB. */
const LONGEST_FIELD = 32 << 10;
/** A mail that passed more than a hundred hosts goes in a circle (RFC 5321 6.3). */
const MOST_FIELDS = 1000;

// Trailing blanks before the colon are the obsolete form (RFC 5322 4.5).
const FIELD = /^([A-Za-z][A-Za-z0-9_-]{0,76})[ \t]{0,8}:(?:$|[\s\S])/;
// A header that is not indented like the rest of the paste: its fields would vanish in the one before.
const INDENTED_FIELD = /^[ \t>]+(?=(?:X-)?Received:\s+(?:from|by|\()|Date:\s+[A-Z0-9])/i;
const OF_EVERY_HEADER = /^(?:from|to|date|subject|message-id|mime-version|return-path)$/;

/**
 * The headers of one mail, of a mailbox, or of a pasted text, as bytes come in.
 *
 * Shape:  fields in the order of the header, unfolded; only those that `wants` names are kept.
 * Memory: one line (32 kB of it), one header (1,000 fields); bodies are passed over.
 * Errors: none; text without a header gives nothing.
 */
export async function* mailHeaders(
  bytes: AsyncIterable<Uint8Array>,
  wants: (name: string) => boolean,
): AsyncGenerator<MailHeader> {
  const iterator = bytes[Symbol.asyncIterator]();
  let broken: { error: unknown } | null = null;
  const next = async (): Promise<Uint8Array | null> => {
    try {
      const { done, value } = await iterator.next();
      return done ? null : value;
    } catch (error) {
      broken = { error };
      return null;
    }
  };
  const parts: Uint8Array[] = [];
  for (let size = 0; size < HEAD; size += parts.at(-1)!.length) {
    const part = await next();
    if (part === null) break;
    parts.push(part);
  }
  const head = Buffer.concat(parts);
  const layout = layoutOf(head);
  const decode = decoderOf(layout);
  const reader = new HeaderReader(layout, wants);
  for (let part: Uint8Array | null = head; part !== null; part = await next()) {
    yield* reader.push(decode(part));
    if (reader.isDone) break;
  }
  // A header that breaks off lacks its oldest hops, and would accuse the wrong one.
  if (broken) throw (broken as { error: unknown }).error;
  yield* reader.end();
  await iterator.return?.();
}

/** To UTF-8 with line feeds, where it is anything else. */
function decoderOf(layout: Layout): (chunk: Uint8Array) => Uint8Array {
  const decoder = layout.encoding === 'utf-8' ? null : new TextDecoder(layout.encoding);
  return (chunk) => {
    const text = decoder ? Buffer.from(decoder.decode(chunk, { stream: true })) : chunk;
    return layout.bareReturns ? text.map((byte) => (byte === CR ? LF : byte)) : text;
  };
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
/** First letters of what `INDENTED_FIELD` finds. */
const BEGINS_RESCUED = new Set(Buffer.from('RrXxDd>'));

class HeaderReader {
  /** Nothing more can come: the one mail has been read. */
  isDone = false;
  #state: 'before' | 'header' | 'body' = 'before';
  #line = 0;
  /** The line under way, from the chunk before: its first `LONGEST_FIELD` bytes. */
  #held: Uint8Array | null = null;
  #isAfterBlank = true;
  #header: MailHeader = { line: 1, fields: [], wanted: 0 };
  #current: HeaderField | null = null;
  #isWanted = false;
  #names = new Set<string>();
  readonly #layout: Layout;
  readonly #wants: (name: string) => boolean;

  constructor(layout: Layout, wants: (name: string) => boolean) {
    this.#layout = layout;
    this.#wants = wants;
  }

  *push(data: Uint8Array): Generator<MailHeader> {
    let at = 0;
    while (!this.isDone) {
      const end = data.indexOf(LF, at);
      const part = data.subarray(at, end < 0 ? data.length : end);
      if (end < 0) {
        if (part.length > 0) this.#held = Buffer.from(this.#joined(part));
        return;
      }
      const line = this.#joined(part);
      this.#held = null;
      at = end + 1;
      const header = this.#take(line);
      if (header) yield header;
    }
  }

  *end(): Generator<MailHeader> {
    const last = this.#held && !this.isDone ? this.#take(this.#held) : null;
    if (last) yield last;
    const header = this.#state === 'header' ? this.#finish() : null;
    if (header) yield header;
  }

  #joined(part: Uint8Array): Uint8Array {
    if (!this.#held) return part.subarray(0, LONGEST_FIELD);
    if (this.#held.length >= LONGEST_FIELD) return this.#held;
    return Buffer.concat([this.#held, part.subarray(0, LONGEST_FIELD - this.#held.length)]);
  }

  /** Takes a line; gives back the header that it ends. */
  #take(bytes: Uint8Array): MailHeader | null {
    this.#line++;
    const length = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    if (this.#state === 'body') {
      // "From " behind an empty line: told from a sentence of the body by its time of day.
      if (
        this.#isAfterBlank &&
        bytes[0] === 0x46 &&
        bytes[1] === 0x72 &&
        FROM_LINE.test(textOf(bytes, length))
      )
        this.#state = 'before';
      this.#isAfterBlank = length === 0;
      return null;
    }
    if (this.#isPassedOver(bytes, length)) return null;
    let text = textOf(bytes, length);
    if (this.#line === 1 && text.startsWith('\ufeff')) text = text.slice(1);
    text = this.#unquoted(text);
    if (text.trim() === '') return this.#state === 'header' && !this.#layout.doubled ? this.#finish() : null;
    this.#read(text, bytes.length >= LONGEST_FIELD);
    return null;
  }

  /** A folded line of a field that nobody wants, or that is full: most of a long header. */
  #isPassedOver(bytes: Uint8Array, length: number): boolean {
    if (this.#state !== 'header' || this.#layout.prefix !== '' || (bytes[0] !== SPACE && bytes[0] !== TAB))
      return false;
    if (this.#current && this.#isWanted && this.#current.value.length < LONGEST_FIELD) return false;
    let at = 1;
    while (at < length && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    // It may still be a field that was indented by whoever pasted it.
    if (at === length || BEGINS_RESCUED.has(bytes[at]!)) return false;
    if (this.#current) this.#current.cut = true;
    return true;
  }

  #unquoted(text: string): string {
    const { prefix } = this.#layout;
    if (prefix !== '' && text.startsWith(prefix)) return text.slice(prefix.length);
    // An editor cuts the blank of "> " on an empty line.
    if (prefix !== '' && prefix.trimEnd() === text) return '';
    return this.#layout.mbox || !INDENTED_FIELD.test(text) ? text : text.replace(/^[ \t>]+/, '');
  }

  #read(text: string, cut: boolean): void {
    const isFolded = text[0] === ' ' || text[0] === '\t';
    const field = isFolded ? null : FIELD.exec(text);
    if (!field) {
      // Before a header: talk around it, a From line. Within: folded, or folded by a paste that lost the blanks.
      if (this.#current) append(this.#current, text, cut);
      return;
    }
    if (this.#state === 'before') {
      this.#state = 'header';
      this.#header = { line: this.#line, fields: [], wanted: 0 };
      this.#names.clear();
    }
    const name = field[1]!.toLowerCase();
    if (name === 'received' || OF_EVERY_HEADER.test(name)) this.#names.add(name);
    const value = text.slice(text.indexOf(':') + 1).trim();
    this.#current = { name, value: '', line: this.#line, cut: false };
    append(this.#current, value, cut);
    this.#isWanted = this.#wants(name);
    if (!this.#isWanted) return;
    this.#header.wanted++;
    if (this.#header.fields.length < MOST_FIELDS) this.#header.fields.push(this.#current);
  }

  #finish(): MailHeader | null {
    this.#current = null;
    const isHeader = this.#names.has('received') || this.#names.size >= 2;
    if (this.#layout.mbox) {
      this.#state = 'body';
      this.#isAfterBlank = true;
    } else if (isHeader) this.isDone = true;
    else this.#state = 'before';
    if (this.isDone) this.#state = 'body';
    return isHeader ? this.#header : null;
  }
}

function textOf(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8');
}

function append(field: HeaderField, text: string, cut: boolean): void {
  const room = LONGEST_FIELD - field.value.length;
  const added = field.value === '' ? text : ` ${text.trim()}`;
  if (cut || added.length > room) field.cut = true;
  if (room > 0) field.value += added.slice(0, room);
}
