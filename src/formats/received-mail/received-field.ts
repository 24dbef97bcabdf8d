import { isIP } from 'node:net';
import { type MailDate, readMailDate } from './mail-date.js';

/** A Received field, taken apart. Texts are as written; null where the field does not say. */
export interface ReceivedField {
  from: { name: string | null; helo: string | null; reverse: string | null; address: string | null } | null;
  by: string | null;
  /** What stands in parentheses behind BY: often the program, `Postfix`, `amavisd-new, port 10024`. */
  byComment: string | null;
  via: string | null;
  with: string | null;
  id: string | null;
  for: string | null;
  /** The date as it stands there. */
  written: string | null;
  date: MailDate | null;
}

const CLAUSES = ['from', 'by', 'via', 'with', 'id', 'for', 'tls'] as const;
type Clause = (typeof CLAUSES)[number];
const isClause = (word: string): word is Clause => (CLAUSES as readonly string[]).includes(word);

/** Longest part that is kept of any one text. */
const LONGEST = 300;
const kept = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

interface Part {
  words: string[];
  comments: string[];
}

/**
 * Takes a Received field apart, one pass, whatever its clauses' order.
 *
 * Shape:  RFC 5321 4.4 and what servers really write: the clauses in any order, comments anywhere, no semicolon before
 *         the date (SendGrid), only a comment (qmail), a comment behind the date (PowerMTA).
 * Errors: none; a clause that is not there is null, a date that cannot be read keeps its text in `written`.
 */
export function readReceived(value: string): ReceivedField {
  const { parts, tail, loose } = clausesOf(value);
  const date = tail === null ? dateAtEnd(value) : { written: tail, date: readMailDate(tail) };
  const by = parts.get('by');
  const id = first(parts.get('id'));
  return {
    from: peerOf(parts.get('from')),
    by: first(by),
    byComment: by?.comments[0] ?? loose[0] ?? null,
    via: all(parts.get('via')),
    with: withOf(parts.get('with')),
    id: id === null ? null : kept(id),
    for: first(parts.get('for'))?.replace(/^<(.*)>$/, '$1') ?? null,
    written: date.written === null ? null : kept(date.written),
    date: date.date,
  };
}

const first = (part: Part | undefined): string | null =>
  part?.words[0] === undefined ? null : kept(part.words[0].replace(/,$/, ''));

const all = (part: Part | undefined): string | null => {
  const text = part?.words.join(' ') ?? '';
  return text === '' ? null : kept(text);
};

/** `Microsoft SMTP Server` is three words; behind a date without a semicolon there may be anything. */
function withOf(part: Part | undefined): string | null {
  if (!part?.words[0]) return null;
  const text = part.words.join(' ');
  const known = /^Microsoft SMTP ?S(?:erver|VC)/i.exec(text);
  return kept(known ? known[0] : part.words[0].replace(/,$/, ''));
}

/** The clauses, the text behind the last semicolon that stands in no comment, and comments that belong to none. */
function clausesOf(value: string): { parts: Map<Clause, Part>; tail: string | null; loose: string[] } {
  const parts = new Map<Clause, Part>();
  const loose: string[] = [];
  let current: Part | null = null;
  let semicolon = -1;
  let i = 0;
  while (i < value.length) {
    const c = value[i]!;
    if (c === '(') {
      const end = closing(value, i);
      const text = kept(value.slice(i + 1, end).trim());
      if (semicolon < 0) (current?.comments ?? loose).push(text);
      i = end + 1;
    } else if (c === ';') {
      semicolon = i;
      i++;
    } else if (isBlank(c) || c === ')') i++;
    else {
      const start = i;
      if (c === '"') {
        const quote = value.indexOf('"', i + 1);
        i = quote < 0 ? value.length : quote + 1;
      } else while (i < value.length && !isBlank(value[i]!) && !'();'.includes(value[i]!)) i++;
      if (semicolon >= 0) continue;
      const word = value.slice(start, i);
      const clause = word.toLowerCase();
      // A clause that comes again belongs to what was relayed within a word ("by me by you"): the first counts.
      if (isClause(clause) && (current === null || current.words.length > 0)) {
        current = { words: [], comments: [] };
        if (!parts.has(clause)) parts.set(clause, current);
      } else current?.words.push(word);
    }
  }
  return { parts, tail: semicolon < 0 ? null : value.slice(semicolon + 1).trim(), loose };
}

const isBlank = (c: string): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n';

/** Where the parenthesis that opens at `from` closes; the end where it never does. Parentheses nest. */
function closing(value: string, from: number): number {
  let depth = 0;
  for (let i = from; i < value.length; i++) {
    const c = value[i];
    if (c === '\\') i++;
    else if (c === '(') depth++;
    else if (c === ')' && --depth === 0) return i;
  }
  return value.length;
}

// Where no semicolon announces it, a date begins with a weekday, a day and month, or a year.
const DATE_BEGINS =
  /(?:^|[\s;])((?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?\d{1,2} [A-Z][a-z]{2} \d{4} \d|\d{4}-\d{2}-\d{2}[T ]\d)/;

function dateAtEnd(value: string): { written: string | null; date: MailDate | null } {
  const end = value.slice(-160).replace(/\s+/g, ' ');
  const found = DATE_BEGINS.exec(end);
  if (!found) return { written: null, date: null };
  const written = end.slice(end.indexOf(found[1]!, found.index)).trim();
  return { written, date: readMailDate(written) };
}

/**
 * Who handed the mail over. Postfix, sendmail: `HELO (reverse [address])`; Exim: `reverse ([address] helo=HELO)` or
 * `[address] (helo=HELO)`; qmail: `reverse (HELO name) (address)`; Exchange: `name (address)`.
 */
function peerOf(part: Part | undefined): ReceivedField['from'] {
  if (!part) return null;
  const word = first(part);
  const notes = part.comments.join(' ; ');
  const helo = /(?:helo=|\b[HE]{2}LO )"?([^\s;"()]{1,255})/i.exec(notes)?.[1] ?? null;
  const literal = addressIn(word ?? '');
  const address = literal ?? addressIn(notes);
  // In Postfix's form the name that stands directly before the address in brackets is the one it resolves to.
  const before = /(?:^|[\s@])([A-Za-z0-9._-]{1,255})\s*\[/.exec(notes)?.[1] ?? null;
  const isQmail = part.comments.some((c) => /^[HE]{2}LO /i.test(c));
  const reverse = before ?? (isQmail || (helo !== null && literal === null) ? word : null);
  const isName = reverse !== null && reverse !== 'unknown' && addressIn(reverse) === null;
  return {
    name: (literal !== null || word === 'unknown') && helo !== null ? helo : word,
    helo: helo ?? (before !== null && literal === null ? word : null),
    reverse: isName ? reverse : null,
    address,
  };
}

function addressIn(text: string): string | null {
  for (const word of text.split(/[\s()[\],;<>]+/)) {
    const plain = word.replace(/^IPv6:/i, '');
    if (isIP(plain) !== 0) return plain;
    // Exim may write the port behind the address.
    const port = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(plain);
    if (port && isIP(port[1]!) !== 0) return port[1]!;
  }
  return null;
}
