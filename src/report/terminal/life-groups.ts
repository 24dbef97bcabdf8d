import type {
  LifeEvent,
  LifePlace,
  LifeRecipient,
  MessageLife,
  PartKind,
} from '../../findings/message-life.js';

/** Recipients of one message that went the same way. */
export interface Way {
  recipients: LifeRecipient[];
  outcome: LifeRecipient['outcome'];
  /** Where all of them are, and how many providers there are. */
  provider: string | null;
  providers: number;
  leastS: number;
  mostS: number;
  /** The slowest of them; its parts stand for the others'. */
  worst: LifeRecipient;
}

/**
 * Recipients by provider, outcome and the order of what they waited for: the slowest way first. Parts under a second
 * tell no way from another; where there would be more than `most` ways, nor do providers.
 */
export function waysOf(life: MessageLife, most = Number.POSITIVE_INFINITY): Way[] {
  const ways = grouped(life, (r) => r.provider?.id ?? null);
  return ways.length <= most ? ways : grouped(life, () => null);
}

function grouped(life: MessageLife, by: (r: LifeRecipient) => string | null): Way[] {
  const groups = new Map<string, LifeRecipient[]>();
  for (const r of life.recipients) {
    const kinds = r.parts.filter((p) => p.seconds >= 1).map((p) => p.kind);
    const key = JSON.stringify([by(r), r.outcome, kinds]);
    const group = groups.get(key);
    if (group) group.push(r);
    else groups.set(key, [r]);
  }
  return [...groups.values()]
    .map((recipients): Way => {
      const worst = recipients.reduce((a, b) => (b.totalS > a.totalS ? b : a));
      return {
        recipients,
        outcome: worst.outcome,
        provider: worst.provider?.name ?? null,
        providers: new Set(recipients.map((r) => r.provider?.id)).size,
        leastS: recipients.reduce((least, r) => Math.min(least, r.totalS), worst.totalS),
        mostS: worst.totalS,
        worst,
      };
    })
    .sort((a, b) => b.mostS - a.mostS);
}

/** What one recipient waited for, summed where it waited for the same more than `most` times. */
export interface Share {
  kind: PartKind;
  says: string;
  seconds: number;
  /** Of the whole life, 0 to 1. */
  share: number;
  times: number;
  from: LifePlace;
}

export function sharesOf(r: LifeRecipient, most = 7): Share[] {
  const single = r.parts.map(
    ({ kind, says, seconds, from }): Share => ({ kind, says, seconds, share: 0, times: 1, from }),
  );
  const sums = new Map<PartKind, Share & { longest: number }>();
  for (const part of single) {
    const sum = sums.get(part.kind);
    if (!sum) sums.set(part.kind, { ...part, longest: part.seconds });
    else {
      sum.seconds += part.seconds;
      sum.times++;
      if (part.seconds > sum.longest)
        Object.assign(sum, { says: part.says, from: part.from, longest: part.seconds });
    }
  }
  const shares =
    single.length <= most
      ? single
      : [...sums.values()].map(({ longest, ...sum }) => ({
          ...sum,
          seconds: Math.round(sum.seconds * 1000) / 1000,
        }));
  return shares.map((s) => ({ ...s, share: r.totalS > 0 ? s.seconds / r.totalS : 0 }));
}

/** An event, or several that say the same one after the other. */
export interface TimelineRow {
  first: LifeEvent;
  last: LifeEvent;
  count: number;
  /** How many different recipients. */
  addresses: number;
}

/** Fewer than these stand each for itself. */
const LEAST_TOGETHER = 3;

export function timelineOf(life: MessageLife): TimelineRow[] {
  const rows: TimelineRow[] = [];
  const { events } = life;
  for (let i = 0; i < events.length; ) {
    const { same } = events[i]!;
    let to = i + 1;
    while (to < events.length && events[to]!.same === same) to++;
    const together = to - i >= LEAST_TOGETHER;
    for (const group of together ? [events.slice(i, to)] : events.slice(i, to).map((e) => [e]))
      rows.push({
        first: group[0]!,
        last: group.at(-1)!,
        count: group.length,
        addresses: new Set(group.map((e) => e.address)).size,
      });
    i = to;
  }
  return rows;
}
