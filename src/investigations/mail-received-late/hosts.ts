import { getDomain } from 'tldts';
import { RECEIVED_OPERATORS, type ReceivedOperator } from '../../knowledge/received-operators.js';
import { RECEIVED_PROTOCOLS, type ReceivedProtocol } from '../../knowledge/received-protocols.js';
import type { Trace } from '../../store/received-mail.js';

const PROTOCOLS = new Map(RECEIVED_PROTOCOLS.map((p) => [p.keyword, p]));

/** A host on the way, who runs it, and which clock its stamp is of. */
export interface Host {
  /** As best it can be named; null when nothing names it. */
  name: string | null;
  operator: string | null;
  known: ReceivedOperator | null;
  /** Stamps of one clock are one witness. */
  clock: string;
  protocol: ReceivedProtocol | null;
  /** The mail was made on this very host, so that its Date is of the same clock. */
  isOrigin: boolean;
}

/** The hosts of a chain, oldest first. */
export function hostsOf(traces: readonly Trace[]): Host[] {
  return traces.map((trace, i) => {
    const name = nameOf(trace, traces[i + 1]);
    const known = name === null ? null : knownOperator(name);
    return {
      name,
      operator: known?.name ?? (name === null ? null : getDomain(name)),
      known,
      clock: known?.keepsTime ? known.name : (name?.toLowerCase() ?? `hop ${i + 1}`),
      protocol: PROTOCOLS.get(trace.with?.toLowerCase() ?? '') ?? null,
      isOrigin: i === 0 && isMadeHere(trace),
    };
  });
}

/** BY, or where that is `localhost`: what the program says in parentheses, or what the next host calls this one. */
function nameOf(trace: Trace, newer: Trace | undefined): string | null {
  const inComment = /(?:^|[\s(])([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,8})(?:[\s\])]|$)/i.exec(
    trace.byComment ?? '',
  )?.[1];
  const candidates = [trace.by, inComment, newer?.from?.reverse, newer?.from?.name];
  const telling = candidates.find((c) => c != null && isTelling(c));
  return telling ?? (trace.by !== null && trace.by !== 'localhost' ? trace.by : null);
}

function isTelling(name: string): boolean {
  return (name.includes('.') || name.includes(':')) && !/^localhost\b|^127\.|^\[|^\d+\.[\d.]*$/i.test(name);
}

function knownOperator(name: string): ReceivedOperator | null {
  const lower = name.toLowerCase();
  const ends = (domain: string) => lower === domain || lower.endsWith(`.${domain}`);
  return (
    RECEIVED_OPERATORS.find((o) => o.domains.some(ends) || o.addresses.some((a) => lower.startsWith(a))) ??
    null
  );
}

function isMadeHere(trace: Trace): boolean {
  const address = trace.from?.address ?? '';
  return (
    PROTOCOLS.get(trace.with?.toLowerCase() ?? '')?.kind === 'local' ||
    /\b(?:from userid|invoked by (?:uid|alias)|from uid)\b/i.test(trace.byComment ?? '') ||
    address.startsWith('127.') ||
    address === '::1' ||
    /@?localhost(?:\.localdomain)?$/i.test(trace.from?.name ?? '')
  );
}
