import {
  EXIM_CONNECT_TIMEOUT,
  EXIM_RETRY_DEFAULTS,
  EXIM_RETRY_ERRNO,
  TIME_UNITS,
} from '../../knowledge/retry-defaults.js';

/** One parameter set of an Exim retry rule. `factor` is 1 for `F`. */
export interface RetryParameter {
  letter: 'F' | 'G' | 'H';
  cutoff_s: number;
  interval_s: number;
  factor: number;
}

/** Seconds of an Exim time such as `1h30m`; null for what is none or is nothing. */
function seconds(text: string): number | null {
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) return null;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)([smhdw])/g)) sum += Number(n) * TIME_UNITS[unit!]!;
  return sum > 0 ? sum : null;
}

/** A time as Exim writes it: `1h30m`. */
export function timeText(total_s: number): string {
  let left = Math.round(total_s);
  let text = '';
  for (const unit of ['w', 'd', 'h', 'm', 's']) {
    const n = Math.floor(left / TIME_UNITS[unit]!);
    if (n > 0) text += `${n}${unit}`;
    left -= n * TIME_UNITS[unit]!;
  }
  return text || '0s';
}

/**
 * Reads the parameter sets of a rule, `F,2h,15m; G,16h,1h,1.5; F,4d,6h`.
 *
 * Errors: null for what Exim would refuse. An empty text is a rule without retries.
 * Source: Exim specification, "Retry parameters"; readconf_retries in src/src/readconf.c.
 */
export function parseRetryParameters(text: string): RetryParameter[] | null {
  const sets = text.split(';').map((set) => set.trim());
  if (sets.at(-1) === '') sets.pop();
  const out: RetryParameter[] = [];
  for (const set of sets) {
    const [letter = '', cutoff = '', first = '', factor, more] = set.split(',').map((arg) => arg.trim());
    const cutoff_s = seconds(cutoff);
    const interval_s = seconds(first);
    const isFixed = /^f$/i.test(letter);
    if (cutoff_s === null || interval_s === null || more !== undefined) return null;
    if (!/^[fgh]$/i.test(letter) || isFixed !== (factor === undefined)) return null;
    if (factor !== undefined && (!/^\d{1,6}(?:\.\d*)?$/.test(factor) || Number(factor) < 1)) return null;
    out.push({
      letter: letter.toUpperCase() as RetryParameter['letter'],
      cutoff_s,
      interval_s,
      factor: factor === undefined ? 1 : Number(factor),
    });
  }
  return out;
}

/** Parameter sets as Exim writes them. */
export function retryParametersText(parameters: readonly RetryParameter[]): string {
  return parameters
    .map((p) => {
      const times = `${p.letter},${timeText(p.cutoff_s)},${timeText(p.interval_s)}`;
      return p.letter === 'F' ? times : `${times},${p.factor}`;
    })
    .join('; ');
}

/** The same rule, but retrying every `interval_s` until `until_s` have passed; what comes later stays as it is. */
export function shorterRule(
  parameters: readonly RetryParameter[],
  interval_s: number,
  until_s: number,
): RetryParameter[] {
  const later = parameters.filter((p) => p.cutoff_s > until_s);
  return [{ letter: 'F', cutoff_s: until_s, interval_s, factor: 1 }, ...later];
}

/** What Exim keeps of a host, message or address that failed. Times in seconds since any fixed moment. */
export interface RetryState {
  firstFailed: number;
  lastTry: number;
  nextTry: number;
}

export interface NextTry extends RetryState {
  /** Past the last cutoff: when every host of the address is, it bounces with "retry timeout exceeded". */
  expired: boolean;
}

/**
 * When Exim would try next after a failure at `now`.
 *
 * Shape:  the state to keep; null state for the first failure. `messageAge_s` counts only for failures that are of an
 *         address or a message's routing, not of a host: a long wait in the queue then advances the rule.
 * Units:  seconds. `random` is for `H`, from [0, 1).
 * Errors: without parameter sets there are no retries: `expired` at once, next try now.
 * Source: retry_update in src/src/retry.c (Exim 4.99): the first set whose cutoff has not passed is used, the last one
 *         for ever; G and H multiply the shorter of the predicted and the actual gap; all under retry_interval_max.
 */
export function nextTry(
  parameters: readonly RetryParameter[],
  state: RetryState | null,
  now: number,
  options: { messageAge_s?: number; intervalMax_s?: number; random?: () => number } = {},
): NextTry {
  const before = state ?? { firstFailed: now, lastTry: now, nextTry: now };
  const failing = Math.max(now - before.firstFailed, options.messageAge_s ?? 0);
  const current = parameters.find((p) => failing <= p.cutoff_s);
  const used = current ?? parameters.at(-1);
  let gap = 0;
  if (used?.letter === 'F') gap = used.interval_s;
  else if (used) {
    const lastGap = Math.min(before.nextTry - before.lastTry, now - before.lastTry);
    const grown = Math.floor(lastGap * used.factor);
    if (used.letter === 'G') gap = lastGap < used.interval_s ? used.interval_s : grown;
    else {
      const room = Math.max(0, grown - used.interval_s);
      gap = used.interval_s + room / 2 + ((options.random?.() ?? 0.5) * room) / 2;
    }
  }
  gap = Math.min(gap, options.intervalMax_s ?? EXIM_RETRY_DEFAULTS.retryIntervalMax_s);
  return { firstFailed: before.firstFailed, lastTry: now, nextTry: now + gap, expired: !current };
}

/** What of a retry rule decides whether it applies. */
export interface RuleCondition {
  pattern: string;
  /** In the spelling of the specification: `*`, `timeout_connect_MX`, `rcpt_4xx`, `quota_345600s` … */
  error: string;
  senders: string | null;
}

/**
 * What failed. For a connection, a greeting, EHLO, STARTTLS, MAIL or DATA Exim looks for the host's name and then the
 * recipient's domain (`host` and `domain`); for a RCPT refused for now, and for routing, only for the recipient.
 */
export interface Failed {
  host?: string | null;
  domain: string;
  /** Known for refused recipients; a rule that names a local part matches nothing else. */
  localPart?: string | null;
}

export interface RuleFound<T> {
  /** The rule that applies, or null when there is none: then nothing is retried. */
  rule: T | null;
  /** Rules before it that cannot be judged from the configuration alone, and why. */
  unsure: { rule: T; why: string }[];
}

/**
 * The retry rule that Exim applies: the first whose error condition and pattern fit.
 *
 * Shape:  `error` is the failure in the words of a rule: `timeout_connect_MX`, `refused_A`, `rcpt_451`, `data_421`,
 *         `lost_connection`, `tls_required`, `auth_failed`, `lookup`, `quota`, or `*` for any other.
 * Errors: patterns with lookups, named lists, expansions or regular expressions that are not simple are not judged but
 *         listed in `unsure`, as are rules for certain senders.
 * Source: Exim specification, chapter "Retry configuration"; retry_find_config in src/src/retry.c, check_address in
 *         match.c. Held against `exim -brt` of 4.96.
 */
export function rulesFor<T extends RuleCondition>(
  rules: readonly T[],
  failed: Failed,
  error: string,
): RuleFound<T> {
  const keys = [failed.host, failed.localPart ? `${failed.localPart}@${failed.domain}` : failed.domain]
    .filter((key) => key !== null && key !== undefined && key !== '')
    .map((key) => (key!.includes('@') ? key! : `*@${key}`));
  const unsure: RuleFound<T>['unsure'] = [];
  for (const rule of rules) {
    if (!errorFits(rule.error, error)) continue;
    const verdicts = keys.map((key) => patternFits(rule.pattern, key.toLowerCase()));
    const open = verdicts.find((v) => typeof v === 'string');
    if (verdicts.includes(true)) {
      if (rule.senders === null) return { rule, unsure };
      unsure.push({ rule, why: 'it is for certain senders' });
    } else if (typeof open === 'string') unsure.push({ rule, why: open });
  }
  return { rule: null, unsure };
}

/** The name that a rule has for a retry record's two error numbers; `*` where it has none. */
export function retryErrorOf(errno: number, moreErrno: number | null): string {
  const name = EXIM_RETRY_ERRNO[errno] ?? '*';
  const more = moreErrno ?? 0;
  if (/^(?:mail|rcpt|data)_4xx$/.test(name)) {
    // The reply code less 400 is in the second byte.
    const code = (more >> 8) & 255;
    return `${name.slice(0, 6)}${code < 100 ? String(code).padStart(2, '0') : 'xx'}`;
  }
  if (name !== 'timeout' && name !== 'refused') return name;
  const host = { 65: '_A', 77: '_MX' }[more & 255] ?? '';
  return `${name}${name === 'timeout' && more & EXIM_CONNECT_TIMEOUT ? '_connect' : ''}${host}`;
}

function errorFits(rule: string, error: string): boolean {
  if (rule === '*' || rule === error) return true;
  const [word, ...rest] = rule.split('_');
  const [of, ...ofRest] = error.split('_');
  if (word !== of) return false;
  switch (word) {
    case 'mail':
    case 'rcpt':
    case 'data': {
      const wanted = rest[0]!;
      const code = ofRest[0]!;
      return wanted === '4xx' || (wanted.endsWith('x') && wanted.slice(0, 2) === code.slice(0, 2));
    }
    case 'timeout':
      // `timeout` is every timeout, `timeout_connect` those while connecting, `timeout_MX` both kinds at an MX host.
      if (rest.includes('connect') && !ofRest.includes('connect')) return false;
      return rest.every((part) => ofRest.includes(part));
    case 'refused':
      return rest.length === 0;
    case 'quota':
      // The mailbox has not been read for at least so long.
      return rest.length === 0 || (seconds(ofRest[0] ?? '') ?? 0) >= seconds(rest[0]!)!;
    default:
      return false;
  }
}

/** Whether an address-list item fits `local@domain` (lower case); a text says why it cannot be told. */
function patternFits(pattern: string, key: string): boolean | string {
  const isNot = pattern.startsWith('!');
  const item = isNot ? pattern.slice(1).trimStart() : pattern;
  const fits = itemFits(item, key);
  return typeof fits === 'string' ? fits : fits !== isNot;
}

function itemFits(item: string, key: string): boolean | string {
  if (item.startsWith('^')) return regexFits(item, key);
  if (item.includes('$')) return 'its pattern is expanded by Exim';
  const at = item.lastIndexOf('@');
  const keyAt = key.lastIndexOf('@');
  const localPart = at < 0 ? null : item.slice(0, at).toLowerCase();
  const domain = item.slice(at + 1).toLowerCase();
  if (item.includes(';')) return 'its pattern is a lookup';
  if (item.startsWith('+') || domain.startsWith('+')) return 'its pattern is a named list';
  if (item.startsWith('@') || localPart?.endsWith('@') || domain === '')
    return 'its pattern stands for names of this host';
  const keyLocal = key.slice(0, keyAt);
  if (localPart !== null) {
    const tail = localPart.startsWith('*') ? localPart.slice(1) : null;
    if (tail === null ? keyLocal !== localPart : !keyLocal.endsWith(tail)) return false;
  }
  const keyDomain = key.slice(keyAt + 1);
  return domain.startsWith('*') ? keyDomain.endsWith(domain.slice(1)) : keyDomain === domain;
}

// A regular expression of a configuration is not ours to trust with time: only flat ones are run, with at most two
// repeats (quadratic over a short address) and few alternatives.
const FLAT_REGEX =
  /^\^(?:[\w@ -]|\\[.\-@dDwWsS\\]|\.|\[\^?[\w@.+-]+\]|[*+?]|\((?:\?:)?[\w.|\\-]+\)(?![*+?]))*\$?$/;
const MOST_REPEATS = 2;
const MOST_ALTERNATIVES = 4;

function regexFits(item: string, key: string): boolean | string {
  const bare = /^\^\\N(.*)\\N$/s.exec(item)?.[1] ?? /^\\N(\^.*)\\N$/s.exec(item)?.[1];
  // Outside \N…\N Exim expands the text first: a backslash and a dollar mean something else there.
  if (bare === undefined && /[\\$]/.test(item.replace(/\$$/, '')))
    return 'its pattern is a regular expression that Exim expands first';
  const source = bare === undefined ? item : bare.startsWith('^') ? bare : `^${bare}`;
  const count = (of: RegExp) => source.match(of)?.length ?? 0;
  const isLight = count(/[*+?]/g) <= MOST_REPEATS && count(/\|/g) <= MOST_ALTERNATIVES;
  if (source.length > 200 || !isLight || !FLAT_REGEX.test(source))
    return 'its pattern is a regular expression that is not simple';
  if (key.length > 400) return false;
  try {
    return new RegExp(source, 'i').test(key);
  } catch {
    return 'its pattern is not a regular expression that we know';
  }
}
