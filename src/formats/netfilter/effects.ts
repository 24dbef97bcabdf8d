/** What a rule is made of, whichever program wrote it down. */
export interface RuleParts {
  /** As written, without counters. */
  rule: string;
  /** The same without quoted text. */
  bare: string;
  verdict: string | null;
  matchesInvalid: boolean;
  packets: number | null;
  bytes: number | null;
  /** No packet that comes to it passes it by. */
  unconditional?: boolean;
  /** Chains that it may go to otherwise than by its verdict: those of a verdict map. */
  targets?: string[];
}

/**
 * What a rule does that can stall mail, or that matters to one who looks for what does.
 * `drops-invalid`: packets of state INVALID go no further; `no-tracking`: connections escape the tracker;
 * `sets-mss`: the TCP segment size of a handshake is changed; `queues-mail`, `translates-mail`: port 25 goes to a
 * program, or elsewhere; `drops-icmp-errors`: ICMP that path-MTU discovery needs goes no further.
 */
export type RuleEffect =
  | 'drops-invalid'
  | 'no-tracking'
  | 'sets-mss'
  | 'queues-mail'
  | 'translates-mail'
  | 'drops-icmp-errors';

const MAIL_PORT =
  /(?:\b(?:dport|sport)s?\b|--(?:dport|sport|destination-port|source-port)s?|\b(?:dpts?|spts?|dports|sports|ports)\b)(?: ?!=)?[ :]\{?(?:[ ,\w:-]{0,200}[ ,:{])?(?:25|smtp)(?![\w:-])/;
const ICMP = /\b(?:icmp|icmpv6|ipv6-icmp|icmp6)\b/;
const NOT_ICMP = /(?:!=|!) ?(?:icmp|ipv6-icmp|icmpv6)\b/;
/** A rule that names types, and none of those that tell of a packet too large. */
const ICMP_TYPE =
  /(?:icmp|icmpv6) (?:type|code)|--icmp(?:v6)?-type|\b(?:ipv6-)?icmptype \d|\b(?:ipv6-)?icmp (?:ipv6-)?icmp [a-z]/;
const TOO_BIG =
  /destination-unreachable|fragmentation-needed|packet-too-big|--icmp-type 3\b|--icmpv6-type 2\b|\bicmptype 3\b|\bipv6-icmptype 2\b|\btype \{?[ ,\w-]{0,200}\b3\b/;

/** The effect of a rule; `dropsThere`: the chain that it goes to drops all. */
export function effectOf(r: RuleParts, dropsThere: boolean): RuleEffect | null {
  const drops = r.verdict === 'drop' || r.verdict === 'reject' || dropsThere;
  if (r.matchesInvalid && drops) return 'drops-invalid';
  if (r.verdict === 'notrack') return 'no-tracking';
  if (/\bTCPMSS\b|tcp option maxseg size set/.test(r.bare)) return 'sets-mss';
  if (MAIL_PORT.test(r.bare)) {
    if (r.verdict === 'queue') return 'queues-mail';
    if (/^(?:snat|dnat|redirect|masquerade|netmap|tproxy)$/.test(r.verdict ?? '')) return 'translates-mail';
  }
  const icmp = drops && ICMP.test(conditionsOf(r.bare)) && !NOT_ICMP.test(r.bare);
  return icmp && (!ICMP_TYPE.test(r.bare) || TOO_BIG.test(r.bare)) ? 'drops-icmp-errors' : null;
}

/** A rule without how it rejects: `reject with icmp port-unreachable` matches no ICMP. */
const conditionsOf = (bare: string) => bare.replace(/reject[- ]with \S+(?: type)? ?\S*/g, '');
