import type { Remedy } from '../../findings/finding.js';
import { type RetryParameter, retryParametersText, timeText } from './retry.js';
import type { SimulationSummary } from './retry-simulation.js';

/**
 * Exact changes of how this server retries. Names from evidence enter a configuration only through `literal`.
 */

/** A host, domain or path as it stands; null when it has characters that no such thing needs. */
function literal(text: string): string | null {
  return /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}$|^\/[A-Za-z0-9._/-]{1,200}$/.test(text) ? text : null;
}

export interface SlowProvider {
  /** As people call it, `Yahoo`; makes the name of a file or transport. */
  name: string;
  /** What the names of its MX hosts end in, `yahoodns.net`, or null when they are not all its own. */
  mxDomain: string | null;
  /** Recipient domains seen in this server's logs. */
  domains: readonly string[];
  /** One of its MX hosts, to test a rule with. */
  mxHost: string | null;
}

/** Where this server keeps Exim's retry rules. */
export interface EximPlace {
  scheme: 'monolithic' | 'debian-split' | 'debian-template';
  /** The rule that applies now: a new one must stand above it. */
  current: { path: string; line: number; parameters: readonly RetryParameter[] };
}

const MOST_DOMAINS = 20;

/**
 * A retry rule for one provider. Null when its names cannot stand in a configuration, or nothing can be matched.
 *
 * Exim looks for the rule by what failed: for connections, greetings, TLS, MAIL and DATA by the MX host's name and then
 * the recipient's domain, so one `*.mx-domain` line does; for a refused RCPT by the recipient alone, so each domain
 * needs its line, and a pattern for MX hosts would never match.
 *
 * Source: Exim specification, "Choosing which retry rule to use for address errors" and "… for host and message
 *         errors"; update-exim4.conf(8).
 */
export function eximRetryRemedy(
  provider: SlowProvider,
  refused: 'recipient' | 'host-or-message',
  place: EximPlace,
  parameters: readonly RetryParameter[],
  queueRun_s: number,
  gain: SimulationSummary | null,
): Remedy | null {
  const byHost = refused === 'host-or-message' && provider.mxDomain ? literal(provider.mxDomain) : null;
  const domains = provider.domains.slice(0, MOST_DOMAINS).map(literal);
  if (byHost === null && (domains.length === 0 || domains.includes(null))) return null;
  const patterns = byHost ? [`*.${byHost}`] : domains;
  const times = retryParametersText(parameters);
  const lines = patterns.map((pattern) => `${pattern!.padEnd(24)} *  ${times}`);
  const path = literal(place.current.path);
  if (path === null) return null;
  const fileName = slug(provider.name);
  const exim = path.includes('exim4') ? 'exim4' : 'exim';
  const test = `${exim} -brt ${literal(provider.mxHost ?? '') ?? ''} ${domains[0] ?? ''}`
    .replace(/ +/g, ' ')
    .trim();
  const apply = place.scheme === 'monolithic' ? `${exim} -bV` : 'update-exim4.conf';
  const splitPath = `${path.slice(0, path.lastIndexOf('/') + 1)}20_local_${fileName}`;
  const isSplit = place.scheme === 'debian-split';
  const where = isSplit
    ? `a new file ${splitPath}; it is read before ${path}`
    : `${path}, above line ${place.current.line}: the first rule that matches counts`;
  const interval_s = Math.min(...parameters.map((p) => p.interval_s));
  return {
    title: `Retry ${provider.name} every ${timeText(interval_s)} ${byHost ? 'by the names of its MX hosts' : 'by recipient domain'}`,
    change: lines.join('\n'),
    where: `${where}; then ${apply} && systemctl reload ${exim}; ${test} must print the new rule`,
    cost: [
      queueRun_s > interval_s
        ? `queue runners come every ${timeText(queueRun_s)}, so it is tried no more often than that: shorten the daemon's -q too (Debian: QUEUEINTERVAL in /etc/default/exim4)`
        : interval_s % queueRun_s === 0
          ? `an interval of whole queue runs is easily missed by a second and then waits for the next: a little less than ${timeText(interval_s)} is safer`
          : '',
      gain ? triesCost(gain) : 'more connections to a provider that may count them against this server',
      'mail already waiting keeps the time set by the old rule for its next try',
    ]
      .filter(Boolean)
      .join('; '),
    undo: `${isSplit ? `rm ${splitPath}` : `take the ${lines.length === 1 ? 'line' : `${lines.length} lines`} out`}, then ${apply} && systemctl reload ${exim}`,
    preferred: gain !== null && gain.savedShare.middle >= 0.25 && gain.bouncedThen.pessimistic === 0,
  };
}

/** How much more often the provider would be asked, in words. */
function triesCost(gain: SimulationSummary): string {
  const then = gain.attemptsThen.pessimistic;
  return `up to ${then.toLocaleString('en')} tries where there were ${gain.attempts.toLocaleString('en')}; the provider may count them against this server`;
}

/** `Yahoo Japan` as `yahoo`, a word for names of files and transports. */
function slug(name: string): string {
  return /[a-z0-9]+/.exec(name.toLowerCase())?.[0].slice(0, 20) ?? 'provider';
}

/** What main.cf says of the map from domains to transports. */
export interface PostfixPlace {
  mainCf: string;
  masterCf: string;
  /** Value of transport_maps, or null when it is not set. */
  transportMaps: string | null;
  /** Settings in force; see POSTFIX_RETRY_DEFAULTS for those that main.cf leaves out. */
  minimalBackoff_s: number;
  maximalBackoff_s: number;
  queueRunDelay_s: number;
}

/**
 * Sooner retries with Postfix: for one provider, and for all.
 *
 * The backoff times are the queue manager's own and hold for every destination; set with `-o` in the master.cf entry of
 * a transport they do nothing. For one destination, its deferred mail can be flushed at intervals of our own.
 *
 * Source: qmgr(8), postconf(5) minimal_backoff_time, maximal_backoff_time, queue_run_delay; postqueue(1) -s, flush(8),
 *         ETRN_README (fast_flush_domains).
 */
export function postfixRetryRemedies(
  provider: SlowProvider,
  place: PostfixPlace,
  interval_s: number,
): Remedy[] {
  const domains = provider.domains.slice(0, MOST_DOMAINS).map(literal);
  const remedies: Remedy[] = [];
  const minutes = Math.max(5, Math.round(interval_s / 60));
  if (domains.length > 0 && !domains.includes(null)) {
    const name = slug(provider.name);
    remedies.push({
      title: `Flush the mail deferred for ${provider.name} every ${minutes} minutes`,
      change: [
        `# ${place.mainCf}`,
        `fast_flush_domains = $relay_domains, ${domains.join(', ')}`,
        `# /etc/cron.d/flush-${name}`,
        `${everyMinutes(minutes)} root ${domains.map((d) => `postqueue -s ${d}`).join('; ')}`,
      ].join('\n'),
      where: `${place.mainCf} and a new file /etc/cron.d/flush-${name}; then postfix reload`,
      cost: 'every message with a recipient there is tried at once, its other recipients too; mail deferred before the change is not listed and waits as before',
      undo: `rm /etc/cron.d/flush-${name}; postconf -X fast_flush_domains; postfix reload`,
      preferred: false,
    });
  }
  if (interval_s < place.maximalBackoff_s)
    remedies.push({
      title: `Retry all deferred mail at least every ${timeText(interval_s)}`,
      change: [
        `maximal_backoff_time = ${interval_s}s`,
        ...(interval_s < place.minimalBackoff_s ? [`minimal_backoff_time = ${interval_s}s`] : []),
        ...(interval_s < place.queueRunDelay_s ? [`queue_run_delay = ${interval_s}s`] : []),
      ].join('\n'),
      where: `${place.mainCf}, then postfix reload. These are the queue manager's: an -o in master.cf for one transport does nothing`,
      cost: 'every destination is retried so often, dead ones too: more connections, and a longer active queue when many sites are down',
      undo: `postconf maximal_backoff_time=${place.maximalBackoff_s}s minimal_backoff_time=${place.minimalBackoff_s}s queue_run_delay=${place.queueRunDelay_s}s; postfix reload`,
      preferred: false,
    });
  return remedies;
}

/** Cron's five fields for about so many minutes; cron has no interval that crosses the hour. */
function everyMinutes(minutes: number): string {
  if (minutes < 60) return `*/${minutes} * * * *`;
  return `7 */${Math.min(12, Math.round(minutes / 60))} * * *`;
}

/**
 * A transport of its own for a provider that defers for volume: fewer connections at once, and pauses between them.
 *
 * Shape:  null when its names cannot stand in a configuration. transport_maps knows recipient domains only, not MX
 *         hosts, so each domain has its line.
 * Source: postconf(5) transport_destination_concurrency_limit, _rate_delay, _recipient_limit (of 1 would make the
 *         concurrency limit one per recipient), _concurrency_failed_cohort_limit; QSHAPE_README and transport(5).
 */
export function postfixSlowTransport(
  provider: SlowProvider,
  place: PostfixPlace,
  limits: { concurrency: number; rateDelay_s: number; recipients: number },
): Remedy | null {
  const domains = provider.domains.slice(0, MOST_DOMAINS).map(literal);
  if (domains.length === 0 || domains.includes(null)) return null;
  const name = `slow${slug(provider.name)}`;
  // Only a map that is made of a text file can be added to.
  const known = /^(?:hash|btree|lmdb|cdb|dbm):(\/[\w./-]+)$/.exec(
    place.transportMaps?.trim().split(/[,\s]+/)[0] ?? '',
  );
  const map = known ? known[1]! : '/etc/postfix/transport';
  const type = known ? known[0].split(':')[0]! : 'hash';
  const settings = [
    // A delay between deliveries means one at a time whatever the limit says.
    limits.rateDelay_s > 0
      ? `${name}_destination_rate_delay = ${limits.rateDelay_s}s`
      : `${name}_destination_concurrency_limit = ${Math.max(1, limits.concurrency)}`,
    `${name}_destination_recipient_limit = ${Math.max(2, limits.recipients)}`,
    // Without it one failed connection puts off all mail of that domain when it is delivered one by one.
    `${name}_destination_concurrency_failed_cohort_limit = 100`,
  ];
  const maps = place.transportMaps?.trim()
    ? known
      ? []
      : [`transport_maps = ${type}:${map}, ${oneLine(place.transportMaps)}`]
    : [`transport_maps = ${type}:${map}`];
  return {
    title: `Send to ${provider.name} through a slower transport of its own`,
    change: [
      `# ${place.masterCf}`,
      `${name.padEnd(9)} unix  -       -       y       -       -       smtp`,
      `# ${place.mainCf}`,
      ...maps,
      ...settings,
      `# ${map}`,
      ...domains.map((d) => `${d!.padEnd(24)} ${name}:`),
    ].join('\n'),
    where: `${place.masterCf}, ${place.mainCf} and ${map}; then postmap ${type}:${map} && postfix reload.${known ? '' : ' Where postconf default_database_type is not hash, write its type instead.'} The smtp line must have the same chroot column (y or n) as your own smtp line`,
    cost: `a large mailing to ${provider.name} takes longer to leave; domains it takes on later need a line each`,
    undo: `take the lines out of the three files, postmap ${type}:${map}, postfix reload`,
    preferred: false,
  };
}

/** A setting from the evidence on one line, without what could begin another. */
function oneLine(value: string): string {
  return value
    .replace(/[^\w.,:/$(){}@ -]+/g, ' ')
    .replace(/ +/g, ' ')
    .slice(0, 500)
    .trim();
}
