import { isIP } from 'node:net';
import { getDomain, parse } from 'tldts';
import { MAIL_PROVIDERS, type MailProvider, type ProviderName } from '../../knowledge/mail-providers.js';

export interface Provider {
  /** An id of the knowledge, or the registrable domain of the host, or the recipient's domain. */
  id: string;
  name: string;
  /** What told it: the suffix of the MX host, the recipient's domain, or only the host's registrable domain. */
  by: 'mx' | 'domain' | 'host';
  /** Whose servers and codes they are, when another provider runs them. */
  operator?: string;
}

interface Claim {
  provider: MailProvider;
  /** Seconds UTC, the second not included. */
  from: number;
  until: number;
  operator: string | undefined;
}

const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 1000;

function claims(names: (provider: MailProvider) => (string | ProviderName)[]): Map<string, Claim[]> {
  const all = new Map<string, Claim[]>();
  for (const provider of MAIL_PROVIDERS)
    for (const each of names(provider)) {
      const { name, from, until, operator } =
        typeof each === 'string' ? ({ name: each } as ProviderName) : each;
      const list = all.get(name) ?? [];
      if (list.length === 0) all.set(name, list);
      list.push({
        provider,
        from: from === undefined ? Number.NEGATIVE_INFINITY : day(from),
        until: until === undefined ? Number.POSITIVE_INFINITY : day(until),
        operator,
      });
    }
  return all;
}

const MX = claims((provider) => provider.mx);
const DOMAINS = claims((provider) => provider.domains);

/** The days on which any name changes hands, in order: between two of them every answer stays the same. */
const CHANGES = [
  ...new Set(
    [...MX.values(), ...DOMAINS.values()]
      .flat()
      .flatMap((claim) => [claim.from, claim.until])
      .filter(Number.isFinite),
  ),
].sort((a, b) => a - b);

const periodOf = (at: number): number => CHANGES.filter((change) => change <= at).length;

/**
 * Whose the name was at that time. A name that was only ever claimed outside that time still is its claimant's: the
 * name itself, seen in use, weighs more than a date that an administrator may not have kept to.
 */
function claimant(list: Claim[], at: number): Claim {
  return list.find((claim) => claim.from <= at && at < claim.until) ?? list.at(-1)!;
}

/** The claim to the name or to the longest suffix of it, or to the name under any public suffix (`yahoo.*`). */
function claimOf(known: Map<string, Claim[]>, name: string, at: number, below: boolean): Claim | null {
  for (let rest = name; ; ) {
    const list = known.get(rest);
    if (list) return claimant(list, at);
    const dot = rest.indexOf('.');
    if (!below || dot < 0) break;
    rest = rest.slice(dot + 1);
  }
  const { domain, domainWithoutSuffix } = parse(name);
  if (!domainWithoutSuffix || (!below && domain !== name)) return null;
  const list = known.get(`${domainWithoutSuffix}.*`);
  return list ? claimant(list, at) : null;
}

/** A host name as MTAs write it, made plain: `mx.example.com.`, `mx.example.com [192.0.2.1]:25`. */
function plain(name: string | null): string | null {
  if (name === null) return null;
  const end = name.search(/[[\s:]/);
  let host = (end < 0 ? name : name.slice(0, end)).slice(0, 253).toLowerCase();
  if (host.endsWith('.')) host = host.slice(0, -1);
  return host === '' || isIP(host) !== 0 ? null : host;
}

const MOST_REMEMBERED = 65_536;
const remembered = new Map<string, Provider>();

/**
 * The provider that mail to this host or domain went to.
 *
 * `at` in seconds UTC, for names that changed hands. The suffix of the MX host decides, since a domain says nothing
 * of who receives for it; then the recipient's domain, where a provider owns it; then the registrable domain of the
 * host, so that the hosts of one unknown provider are one; then the domain itself. Never fails; answers are kept.
 *
 * Source: knowledge/mail-providers.ts; the Public Suffix List (tldts).
 */
export function providerOf(mxHost: string | null, domain: string | null, at: number): Provider {
  const key = `${periodOf(at)} ${mxHost ?? ''} ${domain ?? ''}`;
  const before = remembered.get(key);
  if (before) return before;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const provider = find(plain(mxHost), plain(domain), at);
  remembered.set(key, provider);
  return provider;
}

function find(host: string | null, domain: string | null, at: number): Provider {
  const byMx = host === null ? null : claimOf(MX, host, at, true);
  if (byMx) return told(byMx, 'mx');
  const byDomain = domain === null ? null : claimOf(DOMAINS, domain, at, false);
  if (byDomain) return told(byDomain, 'domain');
  if (host !== null) {
    const name = getDomain(host) ?? host;
    return { id: name, name, by: 'host' };
  }
  return { id: domain ?? 'unknown', name: domain ?? 'unknown', by: 'domain' };
}

function told({ provider: { id, name }, operator }: Claim, by: 'mx' | 'domain'): Provider {
  return operator === undefined ? { id, name, by } : { id, name, by, operator };
}
