import { isIP } from 'node:net';
import { ENHANCED_STATUS } from '../../knowledge/enhanced-status.js';
import { type ReplyClass, type ReplyKnowledge, SMTP_REPLIES } from '../../knowledge/smtp-replies.js';
import type { Provider } from './providers.js';

export type { ReplyClass } from '../../knowledge/smtp-replies.js';

/** Where in a delivery something was said or went wrong. `routing` is before any connection (DNS), `local` is us. */
export type Phase =
  | 'routing'
  | 'local'
  | 'connect'
  | 'banner'
  | 'ehlo'
  | 'tls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'end-of-data'
  | 'quit';

export interface Reply {
  /** 451, when the remote host said it. */
  code: number | null;
  /** `4.7.1`. */
  enhanced: string | null;
  phase: Phase | null;
  /** The remote host's words without its codes, on one line; or the MTA's own, when the remote host said nothing. */
  text: string;
  /** The same with all that differs between messages taken out: what replies are grouped by. */
  normalised: string;
}

/** Longer texts are cut: a reply line has 512 octets (RFC 5321 section 4.5.3.1.5), and a few lines are enough. */
const LONGEST = 2000;

// ── Normalising ──────────────────────────────────────────────────────────────────────────────────────────────────

const URL_IN_TEXT = /(?:https?|ftp):\/\/[^\s<>"]+/gi;
const QUOTED = /"[^"]*"/g;
const QUOTED_WORD = /'[^'\s]{1,253}'/g;
const WORDS = /[^\s<>()[\]{}"',;=|]+/g;
const PLACEHOLDER = /<+(address|ip|host|id|n|url)>+/g;

/**
 * The reply with addresses, hosts, IPs, URLs, ids, quoted texts and numbers replaced by `<address>`, `<host>`, `<ip>`,
 * `<url>`, `<id>` and `<n>`. SMTP codes, enhanced codes and providers' short codes (TSS04, S3150, OFR_506) stay.
 *
 * At most 2,000 characters go in and come out; linear in their number; done twice it changes nothing more.
 */
export function normalise(reply: string): string {
  const line = reply
    .slice(0, LONGEST)
    .replace(/\\[rnt]|\s+/g, ' ')
    .replace(URL_IN_TEXT, '<url>')
    .replace(QUOTED, '<id>')
    .replace(QUOTED_WORD, (word) => (word.startsWith("'<") ? word : `'${wordOf(word.slice(1, -1), '')}'`));
  let out = '';
  let read = 0;
  for (const found of line.matchAll(WORDS)) {
    const next =
      line.slice(read, found.index) + wordOf(found[0], line.slice(Math.max(0, found.index - 2), found.index));
    if (out.length + next.length > LONGEST) return tidy(out);
    out += next;
    read = found.index + found[0].length;
  }
  return tidy((out + line.slice(read)).slice(0, LONGEST));
}

const tidy = (text: string): string => text.replace(PLACEHOLDER, '<$1>').replace(/ +/g, ' ').trim();

const PLACEHOLDER_WORDS = new Set(['address', 'ip', 'host', 'id', 'n', 'url']);
const REPLY_CODE = /^[2-5]\d\d(?:-[245]\.\d{1,3}\.\d{1,3})?-?$/;
const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/;
const SHORT_CODE = /^[A-Za-z]{1,8}\d{0,8}(?:_\d{1,4})?$/;
const HOST = /^(?:[a-z0-9_-]{1,63}\.){1,20}[a-z][a-z0-9-]{0,61}[a-z]$/i;
const ID_CHARACTERS = /^[\w.+/:-]+$/;

/** One word; `before` is the text right before it, which tells a reply code from any other number. */
function wordOf(whole: string, before: string): string {
  let end = whole.length;
  while (end > 0 && '.:!?*'.includes(whole[end - 1]!)) end--;
  const word = whole.slice(0, end);
  const rest = whole.slice(end);
  if (word === '' || PLACEHOLDER_WORDS.has(word)) return whole;
  if (word.length > 253) return '<id>';
  if (word.includes('@')) {
    const prefix = /^[a-z]{1,9}:(?=.)/i.exec(word)?.[0] ?? '';
    return word.length > 1 ? `${word.indexOf('@') < prefix.length ? '' : prefix}<address>${rest}` : whole;
  }
  if (!/\d/.test(word)) {
    if (HOST.test(word)) return `<host>${rest}`;
    return mixedCase(word) ? `<id>${rest}` : whole;
  }
  if (REPLY_CODE.test(word) && (before === '' || before === ': ' || before.endsWith('\n'))) return whole;
  if (STATUS.test(word)) return whole;
  const port = /:\d{1,5}$/.exec(word);
  const name = port && isIP(word) === 0 ? word.slice(0, port.index) : word;
  const address = name.startsWith('IPv6:') ? name.slice(5) : name;
  if (isIP(address.split('/')[0]!) !== 0) return `<ip>${name === word ? '' : ':<n>'}${rest}`;
  if (HOST.test(name)) return `<host>${name === word ? '' : ':<n>'}${rest}`;
  if (SHORT_CODE.test(word)) return whole;
  if (ID_CHARACTERS.test(word) && looksRandom(word)) return `<id>${rest}`;
  return numbersOut(word) + rest;
}

/** A word with its numbers out; what stands between them are words of their own. */
const numbersOut = (word: string): string =>
  word
    .split(/\d+/)
    .map((piece) => wordOf(piece, ''))
    .join('<n>');

/** Letters and digits by turns, or a long word with a digit: a queue id, a session id, a hash. */
function looksRandom(word: string): boolean {
  let turns = 0;
  let letters = 0;
  for (let i = 0; i < word.length; i++) {
    const isDigit = word[i]! >= '0' && word[i]! <= '9';
    if (!isDigit && /[a-z]/i.test(word[i]!)) letters++;
    if (i > 0 && isDigit !== (word[i - 1]! >= '0' && word[i - 1]! <= '9')) turns++;
  }
  return letters > 0 && ((turns >= 2 && word.length >= 5) || word.length >= 10);
}

/** A long word whose letters change from small to capital again and again, as base64 does. */
function mixedCase(word: string): boolean {
  if (word.length < 10) return false;
  return (word.match(/[a-z][A-Z]/g)?.length ?? 0) >= 3;
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What an MTA was doing, in its own words, by how the words begin. Exim's smtp_command, Postfix's states. */
const DOING: [begins: string, phase: Phase][] = [
  ['initial connection', 'banner'],
  ['receiving the initial server greeting', 'banner'],
  ['receiving the initial smtp greeting', 'banner'],
  ['ehlo', 'ehlo'],
  ['helo', 'ehlo'],
  ['lhlo', 'ehlo'],
  ['performing the ehlo handshake', 'ehlo'],
  ['performing the helo handshake', 'ehlo'],
  ['performing the lhlo handshake', 'ehlo'],
  ['performing the initial protocol handshake', 'ehlo'],
  ['starttls', 'tls'],
  ['sending starttls', 'tls'],
  ['performing tls handshake', 'tls'],
  ['auth', 'auth'],
  ['performing sasl', 'auth'],
  ['mail', 'mail'],
  ['sending mail', 'mail'],
  ['rset', 'mail'],
  ['final rset', 'quit'],
  ['sending final rset', 'quit'],
  ['sending rset', 'mail'],
  ['rcpt', 'rcpt'],
  ['sending rcpt', 'rcpt'],
  ['data', 'data'],
  ['sending data block', 'body'],
  ['sending data', 'data'],
  ['bdat', 'body'],
  ['sending message body', 'body'],
  ['end of data', 'end-of-data'],
  ['sending end of data', 'end-of-data'],
  ['sending quit', 'quit'],
  ['quit', 'quit'],
];

/** The phase of what the MTA was doing, or null when the words are not known. */
function phaseOf(doing: string): Phase | null {
  let words = doing.slice(0, 80).trimStart().toLowerCase();
  if (words.startsWith('pipelined ')) words = words.slice(10);
  return DOING.find(([begins]) => words.startsWith(begins))?.[1] ?? null;
}

/** Errors that an MTA words itself: the phase by what is said. Held against the start of the error's own text. */
const OWN_WORDS: [pattern: RegExp, phase: Phase][] = [
  [
    /connect to \S{1,300}: |(?:connection refused|no route to host|network is unreachable|connection timed out)/i,
    'connect',
  ],
  [
    /^(?:tls session|tls error|a tls session is required|tls is required|cannot start tls|bad first read from tls|server certificate|tls connect|tls-)|refused to start tls|starttls|handshake fail/i,
    'tls',
  ],
  [/authentication (?:required but|failed)|authenticator failed|sasl authentication/i, 'auth'],
  [
    /^(?:retry time not|all hosts.{0,255} have been failing|connection limit reached for all|smtp delivery explicitly|message is frozen|spool file|mail transport unavailable|unknown mail transport)|retry timeout exceeded|no space left on device|transport concurrency/i,
    'local',
  ],
  [
    /relevant mx records|mx or srv record|host lookup did not|lookup of host|host address lookups|name not found|unable to look up|unrouteable|loops? back|local host|does not accept mail|no mx host|dns /i,
    'routing',
  ],
];

const EXIM_REPLY = /SMTP error from remote mail server after /i;
const EXIM_BROKEN =
  /(?:SMTP timeout after|Remote host closed connection in response to|Malformed SMTP reply(?: \(an empty line\))? in response to|closed connection in response to) /i;
const POSTFIX_SAID = /\bhost \S{1,300} said: /i;
const POSTFIX_REFUSED = /\bhost \S{1,300} refused to talk to me: /i;
const POSTFIX_TLS_REFUSED = /\bhost \S{1,300} refused to start TLS: /i;
const POSTFIX_SASL = /SASL (?:\[CACHED\] )?authentication failed; server \S{1,300} said: /i;
const POSTFIX_BROKEN = /(?:timed out|lost connection with \S{1,300}) while /i;
const IN_REPLY_TO = /\(in reply to ([^()]{1,80})\)+\s*$/i;
/** Older Exim names the host between the command and the reply. */
const HOST_BEFORE = /^host \S{1,255} \[[^\]\s]{1,60}\]:? ?/i;
const REPLY_STARTS = /: (?=(?:host \S{1,255} \[[^\]\s]{1,60}\]:? ?)?[2-5]\d\d(?:[ -]|$))/;

/**
 * What a text of a log line says: who said it, in which phase, with which codes. Understands how Exim and Postfix
 * wrap a remote host's reply (also of several lines) and what they say themselves; a bare reply is read as it is.
 * Never fails; at most 4,000 characters are looked at.
 *
 * Source: Exim src/transports/smtp.c (check_response, smtp_command); Postfix src/smtp/smtp_proto.c (xfer_states,
 *         xfer_request), smtp_trouble.c, smtp_connect.c; RFC 5321 section 4.2; RFC 2034.
 */
export function replyOf(text: string): Reply {
  let whole = text.slice(0, 2 * LONGEST);
  // Postfix: the destination as a whole is put off, for the reason that follows.
  const suspended = /delivery temporarily suspended: /i.exec(whole);
  if (suspended) whole = whole.slice(suspended.index + suspended[0].length);

  const exim = EXIM_REPLY.exec(whole);
  if (exim) {
    const rest = whole.slice(exim.index + exim[0].length);
    const start = REPLY_STARTS.exec(rest);
    const colon = start ? start.index : rest.indexOf(': ');
    const doing = colon < 0 ? rest : rest.slice(0, colon);
    return said(colon < 0 ? '' : rest.slice(colon + 2).replace(HOST_BEFORE, ''), phaseOf(doing));
  }
  const broken = EXIM_BROKEN.exec(whole);
  if (broken) return own(whole.slice(broken.index), phaseOf(whole.slice(broken.index + broken[0].length)));

  const reply = POSTFIX_SAID.exec(whole);
  if (reply) {
    const asked = IN_REPLY_TO.exec(whole);
    const words = whole.slice(reply.index + reply[0].length, asked?.index ?? whole.length);
    const sasl = POSTFIX_SASL.test(whole);
    return said(words, sasl ? 'auth' : asked ? phaseOf(asked[1]!) : null);
  }
  for (const [pattern, phase] of [
    [POSTFIX_REFUSED, 'banner'],
    [POSTFIX_TLS_REFUSED, 'tls'],
    [POSTFIX_SASL, 'auth'],
  ] as const) {
    const found = pattern.exec(whole);
    if (found) return said(whole.slice(found.index + found[0].length), phase);
  }
  const fellSilent = POSTFIX_BROKEN.exec(whole);
  if (fellSilent) return own(whole, phaseOf(whole.slice(fellSilent.index + fellSilent[0].length)));

  if (/^\s*[2-5]\d\d(?:[ -]|$)/.test(whole)) return said(whole.trimStart(), null);
  const head = whole.trimStart().slice(0, 600);
  return own(whole, OWN_WORDS.find(([pattern]) => pattern.test(head))?.[1] ?? null);
}

/** The remote host's reply, its lines put together. */
function said(words: string, phase: Phase | null): Reply {
  const line = words
    .replace(/\\r|\r/g, '')
    .replace(/\\n|\n/g, ' ')
    .trim();
  const start = /^([2-5]\d\d)(?:[ -]|$)\s*(?:([245]\.\d{1,3}\.\d{1,3})(?=[\s:]|$):?)?\s*/.exec(line);
  if (!start) return { code: null, enhanced: null, phase, text: cut(line), normalised: normalise(line) };
  const [, code, enhanced] = start;
  let rest = line.slice(start[0].length);
  // Further lines repeat the codes; MTAs put them on one line.
  if (line[3] === '-')
    rest = rest
      .replace(
        new RegExp(
          `(?:^|\\s)${code}[- ](?:${enhanced?.replaceAll('.', '\\.') ?? '[245]\\.\\d{1,3}\\.\\d{1,3}'}(?=\\s|$))?`,
          'g',
        ),
        ' ',
      )
      .replace(/\s+/g, ' ')
      .trim();
  const status = enhanced ?? null;
  return {
    code: Number(code),
    enhanced: status,
    phase,
    text: cut(rest),
    normalised: normalise([code, status, rest].filter((part) => part !== null).join(' ')),
  };
}

function own(words: string, phase: Phase | null): Reply {
  const line = words.replace(/\\[rn]|\s+/g, ' ').trim();
  return { code: null, enhanced: null, phase, text: cut(line), normalised: normalise(line) };
}

const cut = (text: string): string => text.slice(0, LONGEST);

// ── Judging ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Judgement {
  class: ReplyClass;
  meaning: string;
  /** Where the meaning is from; null when only the code was understood. */
  explainedBy: { source: string; date: string } | null;
  doThis: string[];
  /** The words alone are those of greylisting; whether it is, `greylistTriplets` tells by what happened. */
  greylistWords: boolean;
}

/** A phase that leaves no doubt, for errors that the MTA words itself and no pattern knows. */
const CLASS_OF_PHASE: Partial<Record<Phase, ReplyClass>> = {
  routing: 'dns',
  local: 'local',
  connect: 'network',
  tls: 'tls',
};

/**
 * What kind of trouble a reply tells of, what it means and what to do. The provider matters only for words that
 * others use for something else. Without a wording that is known, the enhanced code tells the class, then the phase.
 *
 * Source: knowledge/smtp-replies.ts; knowledge/enhanced-status.ts.
 */
export function classify(reply: Reply, provider: Provider | null): Judgement {
  const known = knownReply(reply, provider);
  if (known)
    return {
      class: known.replyClass,
      meaning: known.meaning,
      explainedBy: { source: known.source, date: known.date },
      doThis: known.doThis,
      greylistWords: known.replyClass === 'greylisting',
    };
  const status = reply.enhanced === null ? undefined : ENHANCED_STATUS[reply.enhanced.slice(2)];
  if (status && status.replyClass !== 'other')
    return {
      class: status.replyClass,
      meaning: `The code ${reply.enhanced} says: ${status.means}.`,
      explainedBy: { source: `RFC ${status.rfc}; IANA SMTP Enhanced Status Codes`, date: '2024-12-06' },
      doThis: [],
      greylistWords: false,
    };
  const byPhase = reply.code === null && reply.phase !== null ? CLASS_OF_PHASE[reply.phase] : undefined;
  return {
    class: byPhase ?? 'other',
    meaning: byPhase
      ? 'The mail program’s own words for a failure in this phase.'
      : reply.code === null
        ? 'Words that are not known.'
        : reply.code < 500
          ? 'Put off for a reason that the reply does not give.'
          : 'Refused for a reason that the reply does not give.',
    explainedBy: null,
    doThis: [],
    greylistWords: false,
  };
}

/** The entry of the knowledge that the reply fits, or null. */
export function knownReply(reply: Reply, provider: Provider | null): ReplyKnowledge | null {
  const words = [reply.code, reply.enhanced, reply.text]
    .filter((part) => part !== null)
    .join(' ')
    .slice(0, 1000);
  const ids = provider ? [provider.id, provider.operator] : [];
  return (
    SMTP_REPLIES.find(
      ({ pattern, onlyFrom }) =>
        (!onlyFrom || onlyFrom.some((id) => ids.includes(id))) && pattern.test(words),
    ) ?? null
  );
}
