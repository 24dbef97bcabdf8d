import type { Amount, Fact, Place } from '../../findings/finding.js';
import { duration, share as percent, plural } from '../mail/words.js';
import { between } from '../statistics.js';
import type { Kind, MailScene, ProviderCourse } from './scene.js';

export const CULPRITS = [
  'greylisting',
  'provider-deferral',
  'unreachable-host',
  'dns-failure',
  'tls-failure',
  'local-queueing',
  'own-retry-rule',
] as const;
export type CulpritId = (typeof CULPRITS)[number];

interface Sign {
  says: string;
  /** Log-likelihood ratio, natural log. */
  weight: number;
  amount?: Amount;
  from?: Place[];
}

/** A hypothesis with what the log says for and against it. */
export interface Weighed {
  id: CulpritId;
  says: string;
  weight: number;
  signs: (Fact & { weight: number })[];
  bring: string[];
}

/** On most days none of these makes mail late; a culprit needs its own signs. */
const PRIOR = -3;

/** Classes in which the receiving side speaks of its own accord and asks to come again. */
const REFUSING = ['reputation', 'volume', 'authentication', 'policy', 'outage', 'other'];
/** Reasons that lie in this server’s mail: the receiver means it, however soon it takes the next try. */
const EXPLICIT = ['reputation', 'volume', 'authentication', 'policy'];
/** Troubles that say nothing of this server’s mail and may be over in a moment. */
const PASSING = ['outage', 'other', 'network'];
/** What concerns one recipient or one message, not the provider. */
export const PERSONAL = ['mailbox-full', 'no-such-user', 'content'];

const SAYS: Record<CulpritId, string> = {
  greylisting: 'the receiver makes unknown senders wait (greylisting)',
  'provider-deferral': 'the receiver puts this server’s mail off',
  'unreachable-host': 'the receiver’s hosts cannot be reached',
  'dns-failure': 'the names of the receiver’s hosts cannot be looked up',
  'tls-failure': 'no encrypted session can be set up with the receiver',
  'local-queueing': 'mail waits in this server’s own queue before it is tried',
  'own-retry-rule': 'this server waits longer than it need before it tries again',
};

const BRING: Record<CulpritId, string[]> = {
  greylisting: ['logs of more days: greylisting lets a known sender through at once'],
  'provider-deferral': ['the whole text of the refusals, and logs from before they began'],
  'unreachable-host': ['a packet capture of the connections to this receiver (tcpdump port 25)'],
  'dns-failure': ['the resolver’s log, and what `dig MX` says for the domain on this server'],
  'tls-failure': ['what `openssl s_client -starttls smtp` says to the receiver’s host'],
  'local-queueing': ['the mail program’s configuration, and queue-run lines in the log'],
  'own-retry-rule': ['the retry rules of the mail program’s configuration'],
};

/** What the log of one provider says, added up once for all hypotheses. */
export interface Evidence {
  course: ProviderCourse;
  kinds: Kind[];
  refusals: number;
  /** Part of the time between refusal and next try that follows refusals of a class, and of the refusals. */
  shareOf(fits: (kind: Kind) => boolean): number;
  behaviour: { greylisting: number; throttling: number; says: string } | null;
  places(where?: string): Promise<Place[]>;
  scene: MailScene;
  /** Other providers’ recipients that were put off, of all. */
  others: { recipients: number; late: number };
}

export async function weighAll(evidence: Evidence): Promise<Weighed[]> {
  const judged = await Promise.all(
    CULPRITS.map(async (id) => weighed(id, await SIGNS[id](evidence), evidence)),
  );
  return judged.toSorted((a, b) => b.weight - a.weight);
}

function weighed(id: CulpritId, signs: Sign[], { scene }: Evidence): Weighed {
  return {
    id,
    says: SAYS[id],
    weight: PRIOR + signs.reduce((sum, s) => sum + s.weight, 0),
    signs: signs.map(({ from, ...sign }) => ({
      ...sign,
      from: from && from.length > 0 ? from : scene.searched(),
    })),
    bring: BRING[id],
  };
}

/** The share of the waiting that follows refusals of this kind: what a hypothesis is about. */
async function share(
  { shareOf, places, refusals }: Evidence,
  fits: (kind: Kind) => boolean,
  what: string,
  sql: string,
  most: number,
): Promise<Sign> {
  const part = shareOf(fits);
  return {
    says: `${percent(part)} of the waiting follows ${what}`,
    weight: between(part, [
      [0, -6],
      [0.15, -4],
      [0.5, 1],
      [0.85, most],
    ]),
    amount: { value: Math.round(part * 1000) / 10, unit: 'percent' },
    ...(part > 0 && refusals > 0 ? { from: await places(sql) } : {}),
  };
}

const inSql = (list: readonly string[]) => list.map((c) => `'${c}'`).join(', ');

/** How much of the delay was over before the receiver would have taken it: ours, and proven so by others’ mail. */
function ownShare({ course: { spent }, shareOf }: Evidence): {
  proven: number;
  most: number;
  meanwhile: number;
} {
  if (spent.total <= 0) return { proven: 0, most: 0, meanwhile: 0 };
  const most = spent.ownRetry / spent.total;
  // Each was refused once and taken at its next try, while others were taken in between.
  const singles = spent.once >= 0.8 && most >= 0.85 && shareOf((k) => PASSING.includes(k.class)) >= 0.6;
  return {
    proven: spent.ownProven / spent.total,
    most,
    meanwhile: singles ? spent.meanwhile / spent.total : 0,
  };
}

const SIGNS: Record<CulpritId, (e: Evidence) => Promise<Sign[]>> = {
  async greylisting(e) {
    const signs = [
      await share(e, (k) => k.greylistWords, 'replies that speak of greylisting', 'greylist_words', 7),
    ];
    const early = e.shareOf(
      (k) => k.code !== null && (k.phase === 'connect' || k.phase === 'banner' || k.phase === 'ehlo'),
    );
    if (early > 0.5)
      signs.push({
        says: `${percent(early)} of the refusals came before sender and recipient were named; greylisting needs both`,
        weight: -5,
        from: await e.places("phase IN ('connect', 'banner', 'ehlo')"),
      });
    if (e.behaviour) {
      const { greylisting, says } = e.behaviour;
      if (greylisting !== 0) signs.push({ says, weight: Math.max(-4, Math.min(5, greylisting)) });
    }
    return signs;
  },

  async 'provider-deferral'(e) {
    const fits = (k: Kind) => REFUSING.includes(k.class) && !k.greylistWords && k.code !== null;
    const signs = [
      await share(
        e,
        fits,
        'refusals in the receiver’s own words',
        `class IN (${inSql(REFUSING)}) AND code > 0 AND NOT greylist_words`,
        6,
      ),
    ];
    const told = e.kinds.find((k) => fits(k) && k.class !== 'other');
    if (told)
      signs.push({
        says: `the words tell the reason: ${told.class.replaceAll('-', ' ')} (${quote(told.text)})`,
        weight: EXPLICIT.includes(told.class) ? 4 : 0.5,
        from: await e.places(`class = '${told.class}'`),
      });
    if (e.behaviour && e.behaviour.throttling > 0 && !(e.behaviour.greylisting > 2))
      signs.push({
        says: 'many messages were refused together and taken together, whatever their age',
        weight: Math.min(3, e.behaviour.throttling),
      });
    const { proven, meanwhile } = ownShare(e);
    if (meanwhile > 0.5 && proven <= 0.6)
      signs.push({
        says: 'each was refused once and taken at its next try, and other mail was taken in between',
        weight: -4,
      });
    if (proven > 0.6)
      signs.push({
        says: `${percent(proven)} of the delay came after the receiver took other mail again`,
        weight: between(proven, [
          [0.6, 0],
          [0.9, -5],
        ]),
      });
    return signs;
  },

  async 'unreachable-host'(e) {
    const fits = (k: Kind) => k.class === 'network' && !k.stalled;
    return [
      await share(
        e,
        fits,
        'connections that were not made or not answered',
        "class = 'network' AND phase NOT IN ('data', 'body', 'end-of-data')",
        7,
      ),
      ...(ownShare(e).proven > 0.6
        ? [{ says: 'the receiver could be reached again long before the next try', weight: -4 }]
        : []),
    ];
  },

  async 'dns-failure'(e) {
    return [await share(e, (k) => k.class === 'dns', 'look-ups that failed', "class = 'dns'", 7)];
  },

  async 'tls-failure'(e) {
    return [
      await share(e, (k) => k.class === 'tls', 'TLS sessions that could not be set up', "class = 'tls'", 7),
    ];
  },

  async 'local-queueing'(e) {
    const { spent } = e.course;
    const part = spent.total > 0 ? spent.beforeFirst / spent.total : 0;
    return [
      {
        says: `${percent(part)} of the delay lies before the first try`,
        weight: between(part, [
          [0.05, -6],
          [0.4, -2],
          [0.6, 2],
          [0.9, 6],
        ]),
        amount: { value: Math.round(part * 1000) / 10, unit: 'percent' },
      },
    ];
  },

  async 'own-retry-rule'(e) {
    const { proven, most, meanwhile } = ownShare(e);
    const explicit = e.shareOf((k) => EXPLICIT.includes(k.class));
    const words = e.shareOf((k) => k.greylistWords);
    return [
      {
        says:
          proven > 0.05
            ? `${percent(proven)} of the delay came after the receiver had taken other mail again: only this server’s retry time kept it`
            : `at most ${percent(most)} of the delay lies between the last refusal and the next try`,
        weight: between(meanwhile > 0.5 ? Math.max(proven, 0.45) : proven, [
          [0.1, -6],
          [0.45, -1],
          [0.7, 5],
          [0.9, 8],
        ]),
        amount: { value: Math.round(proven * 1000) / 10, unit: 'percent' },
      },
      ...(meanwhile > 0.5 && proven < 0.7
        ? [
            {
              says: `each was refused once and taken at its next try; ${percent(most)} of the delay is the wait between, and for ${percent(meanwhile)} of it the receiver had taken other mail`,
              weight: 9,
              amount: { value: Math.round(most * 1000) / 10, unit: 'percent' as const },
            },
          ]
        : []),
      ...(explicit > 0.5
        ? [{ says: 'the receiver gave a reason of its own for putting this mail off', weight: -3 }]
        : []),
      ...(words > 0.5
        ? [
            {
              says: 'greylisting judges each sender and recipient by itself: other mail that was taken proves nothing',
              weight: -6,
              from: await e.places('greylist_words'),
            },
          ]
        : []),
    ];
  },
};

/** A reply short enough for a sentence. */
export function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return `“${line.length > 110 ? `${line.slice(0, 107)}…` : line}”`;
}

export const lateness = (course: ProviderCourse): string =>
  `${plural(course.late, 'recipient')} late by ${duration(course.lateDelays.median)} (median), ${duration(course.lateDelays.p90)} (90 %), ${duration(course.lateDelays.max)} at worst`;
