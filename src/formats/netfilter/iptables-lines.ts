import type { RuleParts } from './effects.js';

export interface ChainLine {
  chain: string;
  /** Null for a chain of the user's. */
  policy: string | null;
  packets: number | null;
  bytes: number | null;
}

const POLICY = 'ACCEPT|DROP|REJECT|QUEUE|RETURN';
const SAVED_POLICY = new RegExp(String.raw`^:(\S+) (${POLICY}|-) \[(\d{1,20}):(\d{1,20})\]$`);
const RULESET_POLICY = new RegExp(
  String.raw`^(?:-P (\S+) (${POLICY})|-N (\S+))(?: -c (\d{1,20}) (\d{1,20}))?$`,
);
const LISTED_CHAIN = new RegExp(
  String.raw`^Chain (\S+) \((?:policy (${POLICY})(?: (\d+[KMGT]?) packets, (\d+[KMGT]?) bytes)?|-?\d+ references)\)$`,
);

/** `:INPUT ACCEPT [12:840]` of iptables-save. */
export function savedPolicy(line: string): ChainLine | null {
  const [, chain, policy, packets, bytes] = SAVED_POLICY.exec(line) ?? [];
  return chain ? chainLine(chain, policy === '-' ? undefined : policy, packets, bytes) : null;
}

/** `-P INPUT ACCEPT` or `-N CHAIN` of `iptables -S`. */
export function rulesetPolicy(line: string): ChainLine | null {
  const [, chain, policy, own, packets, bytes] = RULESET_POLICY.exec(line) ?? [];
  const name = chain ?? own;
  return name ? chainLine(name, policy, packets, bytes) : null;
}

/** `Chain INPUT (policy ACCEPT 12 packets, 840 bytes)` of `iptables -L`. */
export function listedChain(line: string): ChainLine | null {
  const [, chain, policy, packets, bytes] = LISTED_CHAIN.exec(line) ?? [];
  return chain ? chainLine(chain, policy, packets, bytes) : null;
}

const chainLine = (chain: string, policy?: string, packets?: string, bytes?: string): ChainLine => ({
  chain,
  policy: policy ?? null,
  packets: policy === undefined ? null : countOf(packets),
  bytes: policy === undefined ? null : countOf(bytes),
});

/** The kernel takes no rule that long; what is longer is cut. */
const MOST_TEXT = 4_000;
const SAVED_RULE = /^(?:\[(\d{1,20}):(\d{1,20})\] )?-A (\S+)(?: (.*))?$/;
const INLINE_COUNT = / ?-c (\d{1,20}) (\d{1,20})(?= |$)/;
const SAVED_STATE = /(! )?--(?:ct)?state (! )?([A-Z,]+)/;
const SAVED_TARGET = /(?:^| )-([jg]) (\S+)/;

/** A rule of iptables-save or `iptables -S`. */
export function savedRule(line: string): { chain: string; parts: RuleParts } | null {
  const [, packets, bytes, chain, text = ''] = SAVED_RULE.exec(line.slice(0, MOST_TEXT)) ?? [];
  if (!chain) return null;
  const quoteless = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const inline = INLINE_COUNT.exec(quoteless);
  const bare = quoteless.replace(INLINE_COUNT, '').trim();
  const [, jump, target] = SAVED_TARGET.exec(bare) ?? [];
  const verdict = target ? verdictOf(target, jump === 'g', bare) : null;
  return {
    chain,
    parts: {
      rule: text.replace(INLINE_COUNT, '').trim(),
      bare: bare || '-',
      verdict,
      matchesInvalid: isInvalid(SAVED_STATE.exec(bare)),
      packets: countOf(packets ?? inline?.[1]),
      bytes: countOf(bytes ?? inline?.[2]),
      unconditional:
        bare
          .replace(/-m comment --comment \S+/g, '')
          .trim()
          .startsWith('-j ') || /^-g /.test(bare),
    },
  };
}

/** Which columns `iptables -L` shows: `num` with --line-numbers, counters with -v. */
export interface ListedColumns {
  num: boolean;
  counts: boolean;
}

/** The line above the rules of a chain. */
export function listedColumns(line: string): ListedColumns | null {
  const [, num, counts] = /^(num +)?(pkts +bytes +)?target +prot\b/.exec(line) ?? [];
  return /^(?:num +)?(?:pkts +bytes +)?target +prot\b/.test(line)
    ? { num: num !== undefined, counts: counts !== undefined }
    : null;
}

const LISTED_STATE = /(! )?(?:ct)?\bstate (! )?([A-Z,]+)|(! )?\bctstate (! )?([A-Z,]+)/;
const ANYWHERE = /^(?:0\.0\.0\.0\/0|::\/0|anywhere)$/;

/** A rule of `iptables -L`, white space around it cut off. */
export function listedRule(line: string, columns: ListedColumns): RuleParts | null {
  const all = line.slice(0, MOST_TEXT).split(/\s+/);
  if (columns.num) all.shift();
  const [packets, bytes] = columns.counts ? all.splice(0, 2) : [];
  const counts = [packets, bytes].filter((c) => c !== undefined);
  if (!counts.every((c) => /^\d{1,20}[KMGT]?$/.test(c))) return null;
  const words = all;
  const option = words.findIndex((w) => w === '--' || w === '-f' || w === '!f');
  // The columns: target (may be missing), protocol, options (blank for IPv6 in old versions), in and out with -v.
  if (option < 0 ? words.length < 4 : option < 1 || option > 2) return null;
  const hasTarget = option !== 1;
  const target = hasTarget ? words[0]! : null;
  const rest = words.slice(option < 0 ? 2 : option + 1);
  const [entry, exit] = columns.counts ? [rest.shift(), rest.shift()] : ['*', '*'];
  const [source, destination, ...more] = rest;
  if (source === undefined || destination === undefined) return null;
  const bare = `${words[hasTarget ? 1 : 0]} ${more.join(' ')}`
    .replace(/\/\* .*? \*\//g, '')
    .replace(/"[^"]*"/g, '""');
  const conditions = more
    .join(' ')
    .replace(/\/\* .*? \*\/|reject-with \S+/g, '')
    .trim();
  return {
    rule: words.join(' '),
    bare: `${numberedProtocol(bare)} ${target ?? ''}`,
    verdict: target === null ? null : verdictOf(target, words.includes('[goto]'), bare),
    matchesInvalid: isListedInvalid(LISTED_STATE.exec(bare)),
    packets: countOf(packets),
    bytes: countOf(bytes),
    unconditional:
      /^(?:0|all)$/.test(words[hasTarget ? 1 : 0]!) &&
      [entry, exit].every((w) => w === '*' || w === 'any') &&
      ANYWHERE.test(source) &&
      ANYWHERE.test(destination) &&
      conditions === '',
  };
}

/** From version 1.8.9 on, -n shows the protocol's number: 1 is ICMP, 58 is ICMPv6. */
const numberedProtocol = (bare: string) => bare.replace(/^(?:1|58) /, 'icmp ');

const isInvalid = (m: RegExpExecArray | null) =>
  m !== null && !m[1] && !m[2] && m[3]!.split(',').includes('INVALID');
const isListedInvalid = (m: RegExpExecArray | null) =>
  m !== null && !(m[1] ?? m[2] ?? m[4] ?? m[5]) && (m[3] ?? m[6] ?? '').split(',').includes('INVALID');

const VERDICTS: Record<string, string> = { NFQUEUE: 'queue', NFLOG: 'log', ULOG: 'log' };
/** Targets of iptables-extensions(8) that are no chains. */
const TARGETS =
  /^(?:ACCEPT|DROP|REJECT|RETURN|LOG|NFLOG|ULOG|QUEUE|NFQUEUE|NOTRACK|SNAT|DNAT|REDIRECT|MASQUERADE|NETMAP|TPROXY|MARK|CONNMARK|TCPMSS|TCPOPTSTRIP|TTL|HL|TOS|DSCP|CT|SET|CLASSIFY|CHECKSUM|SECMARK|CONNSECMARK|AUDIT|TEE|TRACE|RATEEST|IDLETIMER|SYNPROXY|ECN|HMARK|LED|CLUSTERIP)$/;

function verdictOf(target: string, isGoto: boolean, text: string): string {
  if (target === 'CT') return /--notrack\b|CT notrack/.test(text) ? 'notrack' : 'ct';
  if (TARGETS.test(target)) return VERDICTS[target] ?? target.toLowerCase();
  return `${isGoto ? 'goto' : 'jump'} ${target}`;
}

const FACTOR: Record<string, number> = { K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

function countOf(text: string | undefined): number | null {
  return text === undefined ? null : Number.parseInt(text, 10) * (FACTOR[text.at(-1)!] ?? 1);
}
