import type { RuleParts } from './effects.js';

const BASE =
  /^type \S+ hook (\S+)(?: devices? (?:= )?(?:\{[^}]*\}|\S+))? priority (?:([a-z]+)|(-?\d+))(?: ([+-]) (\d+))?;(?: policy (\w+);)?/;

/** Names of priorities as nft prints them (nft(8), "Standard priority names"); the bridge family has others. */
const PRIORITIES: Record<string, number> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
};

/** The line of a base chain that says where it hangs. */
export function nftBase(
  line: string,
): { hook: string; priority: number | null; policy: string | null } | null {
  const [, hook, name, number, sign, offset, policy] = BASE.exec(line) ?? [];
  if (!hook) return null;
  const start = name === undefined ? Number(number) : PRIORITIES[name];
  const priority = start === undefined ? null : start + Number(`${sign ?? ''}${offset ?? 0}`);
  return { hook, priority, policy: policy ?? null };
}

const STATE = /\bct state (!=|!|==)? ?(\{[^}]*\}|[\w,]+)/g;
const STATE_MAP = /\bct state vmap \{([^}]*)\}/;
const VERDICT =
  /(?:^| )(accept|drop|reject|return|continue|queue|notrack|masquerade|snat|dnat|redirect|tproxy|netmap|(?:jump|goto) \S+)(?= |$)/g;
const COUNTER = / ?\bcounter packets (\d{1,20}) bytes (\d{1,20})/;
/** What may stand in a rule that every packet passes: statements, no matches. */
const STATEMENTS =
  /^(?:counter|log(?: (?:prefix ""|level \w+|group \d+|flags \w+|snaplen \d+))*|notrack|accept|drop|return|reject(?: with .*)?|(?:jump|goto) \S+|queue.*|comment ""|meta mark set \S+| )*$/;

/** A rule as `nft list` prints it. */
export function nftParts(line: string): RuleParts {
  const text = line.replace(/ # handle \d+$/, '');
  const quoteless = text.replace(/"[^"]*"/g, '""');
  const [, packets, bytes] = COUNTER.exec(quoteless) ?? [];
  const bare = quoteless.replace(COUNTER, '').trim();
  const verdicts = [...bare.replace(/\{[^}]*\}/g, '{}').matchAll(VERDICT)];
  const map = STATE_MAP.exec(bare)?.[1];
  const mapped = mapOf(map ?? /\bvmap \{([^}]*)\}/.exec(bare)?.[1] ?? '');
  const ofInvalid = map === undefined ? undefined : mapped.find(([key]) => key === 'invalid')?.[1];
  const verdict = ofInvalid ?? verdicts.at(-1)?.[1] ?? (/(?:^| )log(?= |$)/.test(bare) ? 'log' : null);
  return {
    rule: text.replace(COUNTER, '').trim(),
    bare,
    verdict,
    matchesInvalid: ofInvalid !== undefined || [...bare.matchAll(STATE)].some(isInvalid),
    packets: packets === undefined ? null : Number(packets),
    bytes: bytes === undefined ? null : Number(bytes),
    unconditional: STATEMENTS.test(bare),
    targets: mapped.flatMap(([, v]) => /^(?:jump|goto) (\S+)/.exec(v)?.[1] ?? []),
  };
}

const isInvalid = ([, sign, states]: RegExpMatchArray) =>
  !sign?.startsWith('!') && /\binvalid\b/.test(states ?? '') && states !== 'vmap';

/** `established : accept, invalid : drop` */
const mapOf = (elements: string): [string, string][] =>
  elements.split(',').flatMap((e): [string, string][] => {
    const colon = e.lastIndexOf(' : ');
    return colon < 0 ? [] : [[e.slice(0, colon).trim(), e.slice(colon + 3).trim()]];
  });
