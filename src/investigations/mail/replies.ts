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

// ── Greylisting told from throttling by what happened ────────────────────────────────────────────────────────────

/** One attempt at a host: a retry that was not made ("retry time not reached") is none. */
export interface Attempt {
  /** Whom a greylisting server would hold for one: sender, recipient, network of the client. */
  key: string;
  /** Seconds. */
  at: number;
  outcome: 'deferred' | 'delivered' | 'failed';
  /** Who answered. Hosts of one receiver share what they know of a triplet, so it is not weighed. */
  host: string;
}

/** How well one explanation fits, in natural log-likelihood over "accepted at random". */
export interface Fit {
  score: number;
  reasons: string[];
}

export interface TripletBehaviour {
  triplets: number;
  /** Deferred at first, and what became of them. */
  deferred: number;
  acceptedLater: number;
  /** From first attempt to first acceptance, in seconds, of those; null without any. */
  waits: { least: number; median: number; most: number } | null;
  /** The longest a triplet had waited and was refused still, and the shortest wait that sufficed, in seconds. */
  longestRefused: number | null;
  shortestAccepted: number | null;
  /**
   * The wait that best parts refused from accepted attempts, known to lie in [above, upTo] seconds, and how many
   * attempts it does not explain.
   */
  threshold: { above: number; upTo: number; misfits: number } | null;
  /** Triplets tried again past the threshold, and how many were accepted by the first such attempt. */
  firstRetryPast: { tried: number; accepted: number };
  /** Attempts of triplets that had been accepted before, and how many were accepted at once. */
  repeats: { tried: number; accepted: number };
  greylisting: Fit;
  throttling: Fit;
}

/** The share of attempts that go against even a right explanation: a greylist database lost, a moment of overload. */
const ODD = 0.03;
/** Attempts of one triplet within this many seconds and with one outcome are one: several hosts, one after the other. */
const ONE_ATTEMPT_S = 2;
/** One triplet must not outvote the others by being tried often. */
const MOST_WEIGHT = 3;
/** How many neighbours in time, on each side, tell what the receiver did just then. */
const NEIGHBOURS = 5;
const MOST_LOOKED_AT = 40;

interface Step {
  key: string;
  at: number;
  accepted: boolean;
  /** Seconds since the first attempt of a triplet that waits; null for a first attempt or a triplet accepted before. */
  age: number | null;
  known: boolean;
}

/**
 * Whether deferrals behave like greylisting or like throttling, whatever the replies say.
 *
 * Greylisting goes by the triplet: its first attempt is put off, any after a fixed wait is taken, and from then on it
 * passes at once. Throttling goes by the clock: at one moment all are put off, at another all are taken, whatever
 * their age. Each is scored by how well it foretells every attempt: greylisting from the age of the triplet, with the
 * wait fitted and the fit paid for; throttling from what befell the nearest attempts of other triplets. Permanent
 * failures say nothing and are left out. Attempts in any order; O(n log n).
 *
 * Source: RFC 6647 sections 2 and 5; Harris, "The Next Step in the Spam Control War: Greylisting" (2003).
 */
export function greylistTriplets(attempts: readonly Attempt[]): TripletBehaviour {
  const steps = stepsOf(attempts);
  const waiting = steps.filter((step) => step.age !== null);
  const threshold = thresholdOf(waiting);
  const firsts = steps.filter((step) => step.age === null && !step.known);
  const repeats = steps.filter((step) => step.known);

  const accepted = waiting.filter((step) => step.accepted);
  const waits = accepted.map((step) => step.age!).sort((a, b) => a - b);
  const refused = waiting.filter((step) => !step.accepted).map((step) => step.age!);
  const firstPast = new Map<string, boolean>();
  for (const step of waiting)
    if (threshold && step.age! >= threshold.upTo && !firstPast.has(step.key))
      firstPast.set(step.key, step.accepted);
  const past = [...firstPast.values()];

  const behaviour = {
    triplets: new Set(steps.map((step) => step.key)).size,
    deferred: firsts.filter((step) => !step.accepted).length,
    acceptedLater: accepted.length,
    waits:
      waits.length === 0
        ? null
        : { least: waits[0]!, median: waits[Math.floor(waits.length / 2)]!, most: waits.at(-1)! },
    longestRefused: most(refused),
    shortestAccepted: waits[0] ?? null,
    threshold,
    firstRetryPast: { tried: past.length, accepted: past.filter(Boolean).length },
    repeats: { tried: repeats.length, accepted: repeats.filter((step) => step.accepted).length },
  };
  return { ...behaviour, ...weigh(steps, firsts, behaviour) };
}

const most = (values: readonly number[]): number | null =>
  values.reduce<number | null>((a, b) => (a === null || b > a ? b : a), null);

/** Attempts in order of time, several that are one put together, each with what its triplet had been through. */
function stepsOf(attempts: readonly Attempt[]): Step[] {
  const triplets = new Map<string, { first: number; known: boolean; last: Step }>();
  const steps: Step[] = [];
  for (const { key, at, outcome } of attempts.toSorted((a, b) => a.at - b.at)) {
    if (outcome === 'failed' || !Number.isFinite(at)) continue;
    const accepted = outcome === 'delivered';
    const triplet = triplets.get(key);
    if (triplet && triplet.last.accepted === accepted && at - triplet.last.at < ONE_ATTEMPT_S) continue;
    const known = triplet?.known ?? false;
    const step: Step = {
      key,
      at,
      accepted,
      known,
      age: triplet && !known ? Math.round((at - triplet.first) * 1000) / 1000 : null,
    };
    steps.push(step);
    if (triplet) Object.assign(triplet, { known: known || accepted, last: step });
    else triplets.set(key, { first: at, known: accepted, last: step });
  }
  return steps;
}

/** The wait that leaves the fewest waiting attempts on the wrong side of it. */
function thresholdOf(waiting: readonly Step[]): TripletBehaviour['threshold'] {
  if (!waiting.some((step) => step.accepted)) return null;
  const byAge = waiting.toSorted((a, b) => a.age! - b.age!);
  // Below every age: all that were refused are misfits. Each step passed moves to the other side.
  let misfits = byAge.filter((step) => !step.accepted).length;
  let best = { above: 0, upTo: byAge[0]!.age!, misfits };
  byAge.forEach((step, i) => {
    misfits += step.accepted ? 1 : -1;
    const next = byAge[i + 1];
    if (next && next.age! > step.age! && misfits < best.misfits)
      best = { above: step.age!, upTo: next.age!, misfits };
  });
  return best;
}

function weigh(
  steps: readonly Step[],
  firsts: readonly Step[],
  behaviour: Omit<TripletBehaviour, 'greylisting' | 'throttling'>,
): { greylisting: Fit; throttling: Fit } {
  const { threshold, firstRetryPast, repeats, deferred, acceptedLater } = behaviour;
  const greylisting: Fit = { score: 0, reasons: [] };
  const throttling: Fit = { score: 0, reasons: [] };
  if (steps.length === 0) return { greylisting, throttling };

  const atRandom = shareAccepted(steps);
  // Some triplets are known from before the log, or the sender is on a white list: how many, the first attempts say.
  const knownBefore = shareAccepted(firsts);
  const tries = new Map<string, number>();
  for (const { key } of steps) tries.set(key, (tries.get(key) ?? 0) + 1);

  steps.forEach((step, i) => {
    const weight = Math.min(1, MOST_WEIGHT / tries.get(step.key)!);
    const by = (p: number): number => weight * Math.log(step.accepted ? p : 1 - p);
    const random = by(atRandom);
    const ripe = threshold !== null && step.age !== null && step.age >= threshold.upTo;
    greylisting.score += by(step.known || ripe ? 1 - ODD : step.age === null ? knownBefore : ODD) - random;
    throttling.score += by(nearby(steps, i, atRandom)) - random;
  });
  // Two fitted numbers (the wait, the share known before): what fitting them to noise would gain (BIC).
  greylisting.score -= Math.log(steps.length);

  if (threshold && acceptedLater > 0) {
    const waited = steps.filter((step) => step.age !== null).length;
    greylisting.reasons.push(
      threshold.misfits === 0
        ? `a fixed wait of ${seconds(threshold.above)} to ${seconds(threshold.upTo)} parts all ${waited} refused and accepted retries`
        : `no fixed wait parts refused from accepted retries: at best ${threshold.misfits} of ${waited} do not fit`,
    );
    if (firstRetryPast.tried > 0)
      greylisting.reasons.push(
        `${firstRetryPast.accepted} of ${firstRetryPast.tried} were accepted by their first retry after that wait`,
      );
  } else if (deferred > 0) greylisting.reasons.push('no deferred triplet was accepted later');
  if (repeats.tried > 0) {
    const says = `${repeats.accepted} of ${repeats.tried} attempts of triplets accepted before passed at once`;
    (repeats.accepted >= 0.9 * repeats.tried ? greylisting : throttling).reasons.push(says);
  }
  throttling.reasons.push(...togetherness(steps));
  return { greylisting, throttling };
}

/** Jeffreys' estimate: never 0 or 1. */
const shareAccepted = (steps: readonly Step[]): number =>
  (steps.filter((step) => step.accepted).length + 0.5) / (steps.length + 1);

/** How likely acceptance was at that moment, by the nearest attempts of other triplets. */
function nearby(steps: readonly Step[], i: number, atRandom: number): number {
  const { key } = steps[i]!;
  let seen = 0;
  let accepted = 0;
  for (const way of [-1, 1])
    for (let k = 1, found = 0; k <= MOST_LOOKED_AT && found < NEIGHBOURS; k++) {
      const other = steps[i + way * k];
      if (!other) break;
      if (other.key === key) continue;
      found++;
      seen++;
      if (other.accepted) accepted++;
    }
  const share = (accepted + atRandom) / (seen + 1);
  return Math.min(1 - ODD, Math.max(ODD, share));
}

/** Whether waiting triplets were let in together, and how different their ages were then. */
function togetherness(steps: readonly Step[]): string[] {
  const letIn = steps.filter((step) => step.accepted && step.age !== null);
  if (letIn.length < 2) return letIn.length === 0 ? [] : ['only one waiting triplet was accepted'];
  const ages = letIn.map((step) => step.age!).sort((a, b) => a - b);
  const moments = letIn.map((step) => step.at);
  const spread = ages.at(-1)! - ages[0]!;
  const span = moments.at(-1)! - moments[0]!;
  const lastRefused = most(steps.filter((step) => !step.accepted).map((step) => step.at))!;
  const before = steps.filter((step) => step.accepted && step.at < lastRefused).length;
  return [
    `${letIn.length} waiting triplets were accepted within ${seconds(span)}, at ages that differ by ${seconds(spread)}`,
    before === 0
      ? 'none was accepted before the last was refused'
      : `${before} were accepted while others were still refused`,
  ];
}

const seconds = (s: number): string => (s < 120 ? `${Math.round(s)} s` : `${Math.round(s / 60)} min`);
