import { type HeaderField, type MailHeader, mailHeaders } from './header-reader.js';
import { type MailDate, readMailDate } from './mail-date.js';
import { type ReceivedField, readReceived } from './received-field.js';

/** One Received field with its place. */
export interface Trace extends ReceivedField {
  /** `Received`, or Google's `X-Received`. */
  field: 'Received' | 'X-Received';
  /** Line on which it begins. */
  line: number;
  /** Longer than any real one: it was not read, and all of it is null. */
  tooLong: boolean;
}

/** A field that says something of the wait, with how many hops were below it (older) when it was written. */
interface Remark {
  name: string;
  value: string;
  line: number;
  /** It was written when this many traces were there. */
  above: number;
}

/** What the header of a received mail says of its way. */
export interface ReceivedMail {
  /** Line on which the header begins. */
  line: number;
  /** Oldest first: the order in which the hosts had it. */
  traces: Trace[];
  /** More Received fields than are kept (1,000 fields): the chain is not whole. */
  isCut: boolean;
  date: { written: string; date: MailDate | null; line: number } | null;
  messageId: string | null;
  from: string | null;
  returnPath: string | null;
  deliveredTo: string | null;
  spf: string | null;
  /** Topmost Authentication-Results: who checked, and the first result of each method. */
  authentication: { by: string; results: string } | null;
  /** `t=` of each DKIM signature: when it was signed, ms UTC. */
  signed: { domain: string; at: number; line: number }[];
  /** Resent-Date: somebody sent the mail on by hand. */
  resent: { at: number; line: number } | null;
  isList: boolean;
  /** Fields in which a server says that it made the mail wait. */
  remarks: Remark[];
}

const WANTED = new Set([
  'received',
  'x-received',
  'date',
  'message-id',
  'from',
  'return-path',
  'delivered-to',
  'received-spf',
  'authentication-results',
  'dkim-signature',
  'resent-date',
  'list-id',
  'x-greylist',
  'x-mailman-approved-at',
]);

/**
 * Reads mails as far as their way is concerned: one mail, a mailbox (mbox), or a pasted header.
 *
 * Shape:  one ReceivedMail a header, in the order of the text.
 * Units:  moments in milliseconds UTC, lines from 1.
 * Errors: those of `bytes`, once everything before them was given; text without a header gives nothing.
 * Source: RFC 5321 4.4, RFC 5322 3.6.7; the fields of mail servers as they are (received-field.ts).
 */
export async function* receivedMails(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ReceivedMail> {
  for await (const header of mailHeaders(bytes, (name) => WANTED.has(name))) yield mailOf(header);
}

function mailOf(header: MailHeader): ReceivedMail {
  const { fields } = header;
  const value = (name: string): string | null => fields.find((f) => f.name === name)?.value ?? null;
  const traces = fields.filter((f) => f.name === 'received' || f.name === 'x-received').reverse();
  const isAbove = (field: HeaderField) => traces.filter((t) => t.line > field.line).length;
  const date = fields.find((f) => f.name === 'date');
  const resent = fields.find((f) => f.name === 'resent-date');
  const resentAt = resent ? readMailDate(resent.value) : null;
  return {
    line: header.line,
    traces: traces.map(traceOf),
    isCut: header.wanted > fields.length,
    date: date ? { written: short(date.value), date: readMailDate(date.value), line: date.line } : null,
    messageId: shortOrNull(value('message-id')),
    from: shortOrNull(value('from')),
    returnPath: shortOrNull(value('return-path')),
    deliveredTo: shortOrNull(value('delivered-to')),
    spf: /^[A-Za-z]{1,12}/.exec(value('received-spf') ?? '')?.[0]?.toLowerCase() ?? null,
    authentication: authenticationOf(value('authentication-results')),
    signed: fields.filter((f) => f.name === 'dkim-signature').flatMap(signatureOf),
    resent: resentAt && resentAt.problem === null ? { at: resentAt.at, line: resent!.line } : null,
    isList: value('list-id') !== null,
    remarks: fields
      .filter((f) => f.name === 'x-greylist' || f.name === 'x-mailman-approved-at')
      .slice(0, 20)
      .map((f) => ({ name: f.name, value: short(f.value), line: f.line, above: isAbove(f) })),
  };
}

function traceOf(field: HeaderField): Trace {
  return {
    ...readReceived(field.cut ? '' : field.value),
    field: field.name === 'received' ? 'Received' : 'X-Received',
    line: field.line,
    tooLong: field.cut,
  };
}

const short = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
const shortOrNull = (text: string | null): string | null =>
  text === null || text === '' ? null : short(text);

/** RFC 8601: `mx.example; spf=pass …; dkim=pass …`. */
function authenticationOf(value: string | null): ReceivedMail['authentication'] {
  if (value === null) return null;
  const methods = new Map<string, string>();
  for (const part of value.split(';').slice(0, 60)) {
    const m = /^\s{0,20}(spf|dkim|dmarc|arc|iprev)\s{0,4}=\s{0,4}([a-z]{1,12})/i.exec(part);
    if (m && !methods.has(m[1]!.toLowerCase())) methods.set(m[1]!.toLowerCase(), m[2]!.toLowerCase());
  }
  const results = [...methods].map(([method, result]) => `${method}=${result}`).join(' ');
  // Exchange Online leaves out who says so.
  const by = /^\s*([^\s;=]{1,255})\s*(?:;|\s\d)/.exec(value)?.[1] ?? '';
  return results === '' ? null : { by, results };
}

/** RFC 6376 3.5: `t=` is when it was signed, in seconds since 1970. */
function signatureOf(field: HeaderField): { domain: string; at: number; line: number }[] {
  const at = /(?:^|;)\s{0,20}t\s{0,4}=\s{0,4}(\d{1,12})\s{0,20}(?:;|$)/.exec(field.value)?.[1];
  const domain = /(?:^|;)\s{0,20}d\s{0,4}=\s{0,4}([A-Za-z0-9._-]{1,255})/.exec(field.value)?.[1];
  return at && domain ? [{ domain: domain.toLowerCase(), at: Number(at) * 1000, line: field.line }] : [];
}
