import type { Clear, Fact, Finding, HypothesisVerdict, Note, Place } from '../../findings/finding.js';
import type { MailHop, MailRoute } from '../../findings/mail-route.js';
import { RECEIVED_HOLDS } from '../../knowledge/received-holds.js';
import type { ReceivedMail, Trace } from '../../store/received-mail.js';
import { between } from '../statistics.js';
import { offBy, type Skewed, type Stamp, truestOf } from './clocks.js';
import { type Host, hostsOf } from './hosts.js';
import {
  askAuthor,
  askOperator,
  fetchSooner,
  type Held,
  keepTime,
  passGreylist,
  queueIdOf,
  readOwnLog,
  type Wait,
} from './remedies.js';
import { iso, utc, wait } from './words.js';

export const MAIL_RECEIVED_LATE = 'mail-received-late';
/** What counts as late unless the user says otherwise: nobody expects mail within seconds, nobody waits five minutes. */
export const LATE_S = 300;

const AUTHOR = -1;
/** Accused at this weight and with this lead, as everywhere (bandwidth-spent.md). */
const ACCUSED = { weight: 4, lead: 3 };

type CulpritId = 'slow-hop' | 'clock-skew' | 'sender-queued';
interface Sign extends Fact {
  weight: number;
}
interface Weighed {
  id: CulpritId;
  says: string;
  weight: number;
  signs: Sign[];
  bring: string[];
}

/** Between two stamps that are relied on, with nothing reliable between them. */
interface Gap {
  from: Stamp;
  to: Stamp;
  seconds: number;
}

/** Why a wait was one, where a field says so. */
interface Explained {
  kind: 'greylisting' | 'moderation' | 'fetch' | 'resent';
  says: string;
  program: string;
  place: Place | null;
}

interface Scene {
  mail: ReceivedMail;
  path: string;
  late: number;
  hosts: Host[];
  held: Held[];
  kept: Stamp[];
  skewed: Skewed[];
  gaps: Gap[];
  /** First to last stamp that is relied on, seconds. */
  total: number;
}

/**
 * Judges one received mail: which host held it, for how long, and whether the clocks let that be said.
 *
 * Shape:  the hops, oldest first, and exactly one of finding, clear and cannotTell.
 * Units:  seconds; moments in UTC. `late` is what counts as a wait, in seconds.
 * Errors: none; what cannot be told is told as that.
 * Source: RFC 5321 4.4 (each host stamps when it takes the mail over, so the time up to the next stamp is its own),
 *         4.5.4.1 (how long servers retry); the page of this investigation.
 */
export function judgeMail(mail: ReceivedMail, path: string, late = LATE_S): MailRoute {
  const scene = sceneOf(mail, path, late);
  const { traces } = mail;
  const first = timeOf(traces[0]);
  const authored = mail.date?.date ?? null;
  const known = {
    path,
    line: mail.line,
    messageId: mail.messageId,
    from: mail.from,
    date: authored ? `${iso(authored.at)}Z` : null,
    returnPath: mail.returnPath,
    deliveredTo: mail.deliveredTo,
    spf: mail.spf,
    authentication: mail.authentication,
    queuedSeconds: authored && first !== null ? (first - authored.at) / 1000 : null,
    totalSeconds: scene.kept.length > 1 ? scene.total : null,
    hops: hopsOf(scene),
  };
  const lacking = lacks(scene);
  if (lacking)
    return {
      ...known,
      finding: null,
      clear: null,
      cannotTell: { investigation: MAIL_RECEIVED_LATE, ...lacking },
    };
  const finding = findingOf(scene);
  return { ...known, finding, clear: finding ? null : clearOf(scene), cannotTell: null };
}

const timeOf = (trace: Trace | undefined): number | null => trace?.date?.at ?? null;

function sceneOf(mail: ReceivedMail, path: string, late: number): Scene {
  const hosts = hostsOf(mail.traces);
  const held = mail.traces.map(
    (trace, i): Held => ({ host: hosts[i]!, trace, label: hosts[i]!.name ?? `hop ${i + 1}` }),
  );
  const stamps: Stamp[] = [];
  const authored = mail.date?.date;
  // The author's clock is a personal computer's more often than not: it is believed less than a server's.
  if (authored && authored.problem === null)
    stamps.push({ hop: AUTHOR, at: authored.at, clock: 'author', belief: 0.6 });
  for (const [hop, trace] of mail.traces.entries())
    if (trace.date && trace.date.problem === null)
      stamps.push({
        hop,
        at: trace.date.at,
        clock: hosts[hop]!.clock,
        belief: hosts[hop]!.known?.keepsTime ? 3 : 1,
      });
  const { kept, skewed } = truestOf(stamps);
  const gaps = kept.slice(1).map((to, i) => {
    const from = kept[i]!;
    return { from, to, seconds: Math.max(0, (to.at - from.at) / 1000) };
  });
  const total = gaps.reduce((sum, g) => sum + g.seconds, 0);
  return { mail, path, late, hosts, held, kept, skewed, gaps, total };
}

function lacks({ mail }: Scene): { because: string; bring: string[] } | null {
  const whole = 'the mail as it was received: “show original”, “view source”, or the file in the mail folder';
  const { traces } = mail;
  if (mail.isCut)
    return {
      because:
        'the header has more than 1,000 fields: no mail passes so many hosts, so it went in a circle or was made up',
      bring: [whole],
    };
  if (traces.length === 0)
    return {
      because:
        'the header has no Received field: it was copied in part, or is of a mail that was never received (a draft, a sent copy)',
      bring: [whole],
    };
  const relied = traces.filter((t) => t.date && t.date.problem === null).length;
  const authored = mail.date?.date && mail.date.date.problem === null ? 1 : 0;
  if (relied === 0) return { because: 'no Received field has a time that can be relied on', bring: [whole] };
  return relied + authored < 2
    ? { because: 'there is only one time that can be relied on, and a wait is between two', bring: [whole] }
    : null;
}

// ---- what is shown

function hopsOf(scene: Scene): MailHop[] {
  const { mail, path, hosts, kept, skewed } = scene;
  let previous: number | null = null;
  return mail.traces.map((trace, i): MailHop => {
    const at = timeOf(trace);
    const delay: number | null = at !== null && previous !== null ? (at - previous) / 1000 : null;
    if (at !== null) previous = at;
    const n = kept.findIndex((s) => s.hop === i);
    const before = kept[n - 1];
    const after = n < 0 ? undefined : kept[n + 1];
    const wrong = skewed.find((s) => s.hop === i);
    const host = hosts[i]!;
    return {
      hop: i + 1,
      field: trace.field,
      by: host.name ?? trace.by,
      operator: host.operator,
      from: trace.from,
      with: trace.with,
      protocol: host.protocol?.says ?? null,
      id: trace.id,
      for: trace.for,
      via: trace.via,
      written: trace.written,
      time: at === null ? null : new Date(at).toISOString(),
      timeProblem: problemOf(trace),
      delaySeconds: delay,
      adjustedDelaySeconds:
        n > 0 && before && before.hop !== AUTHOR ? Math.max(0, (kept[n]!.at - before.at) / 1000) : null,
      heldSeconds: after ? Math.max(0, (after.at - kept[n]!.at) / 1000) : null,
      clockAhead: wrong ? { least: wrong.least, most: wrong.most } : null,
      place: { path, line: trace.line },
    };
  });
}

function problemOf(trace: Trace): string | null {
  if (trace.tooLong) return 'the field is longer than 32 kB';
  if (trace.written === null) return 'no date';
  return trace.date === null ? 'a date that cannot be read' : trace.date.problem;
}

// ---- words and places

const placeAt = (scene: Scene, hop: number): Place[] => {
  const line = hop === AUTHOR ? scene.mail.date?.line : scene.mail.traces[hop]?.line;
  return line === undefined ? [] : [{ path: scene.path, line }];
};
const placesOf = (scene: Scene, gap: Gap): Place[] => [
  ...placeAt(scene, gap.from.hop),
  ...placeAt(scene, gap.to.hop),
];
const label = (scene: Scene, hop: number): string =>
  hop === AUTHOR
    ? 'the author'
    : `hop ${hop + 1}${scene.hosts[hop]?.name ? `, ${scene.hosts[hop]!.name}` : ''}`;
const clockOf = (scene: Scene, hop: number): string =>
  hop === AUTHOR ? 'the author’s clock' : `the clock of ${label(scene, hop)}`;
const percent = (share: number) => `${Math.round(share * 100)} %`;
const times = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;

/** The hops that may have had the mail between two reliable stamps: the first, and those whose own time says nothing. */
function holdersOf(gap: Gap): number[] {
  const hops: number[] = [];
  for (let hop = Math.max(0, gap.from.hop); hop < gap.to.hop; hop++) hops.push(hop);
  return hops;
}

/** How many independent clocks agree with a stamp on its side of the gap; a fleet that keeps time counts double. */
function witnesses(scene: Scene, gap: Gap, side: 'before' | 'after'): { score: number; says: string } {
  const clocks = new Map<string, number>();
  const near = Math.max(60, gap.seconds / 10);
  for (const s of scene.kept) {
    const isSide = side === 'before' ? s.hop <= gap.from.hop : s.hop >= gap.to.hop;
    const other = side === 'before' ? gap.from : gap.to;
    if (!isSide || Math.abs(s.at - other.at) / 1000 > near) continue;
    // On the host where the mail was made, its Date is of the same clock.
    if (s.hop === AUTHOR && scene.hosts[0]?.isOrigin && gap.from.hop !== AUTHOR) continue;
    clocks.set(s.clock, s.belief >= 3 ? 2 : s.hop === AUTHOR ? 0.7 : 1);
  }
  const score = [...clocks.values()].reduce((sum, v) => sum + v, 0);
  const kept = [...clocks].filter(([, v]) => v === 2).map(([clock]) => `${clock}’s`);
  const others = clocks.size - kept.length;
  const what = [...kept, ...(others > 0 ? [times(others, kept.length > 0 ? 'other' : 'clock')] : [])].join(
    ' and ',
  );
  return { score, says: `${side} the wait: ${what}${clocks.size > 1 ? ', which agree' : ' alone'}` };
}

/** Zones are off by whole hours (and some halves); waits are so by chance once in two hundred times. */
function isWholeHours(seconds: number): boolean {
  const off = seconds % 1800;
  return seconds >= 1800 - 8 && Math.min(off, 1800 - off) <= 8;
}

// ---- why a wait may have been one

function explained(scene: Scene, gap: Gap): Explained | null {
  const { mail, hosts } = scene;
  const { resent } = mail;
  if (
    resent &&
    resent.at >= gap.from.at - 60_000 &&
    resent.at <= gap.to.at + 60_000 &&
    (gap.to.at - resent.at) / 1000 < scene.late
  )
    return {
      kind: 'resent',
      says: `somebody sent it on by hand at ${utc(resent.at)} (Resent-Date)`,
      program: '',
      place: { path: scene.path, line: resent.line },
    };
  for (const remark of mail.remarks) {
    for (const hold of RECEIVED_HOLDS) {
      if (hold.field !== remark.name) continue;
      const found = hold.pattern.exec(remark.value)?.groups;
      if (!found) continue;
      const place: Place = { path: scene.path, line: remark.line };
      if (hold.kind === 'moderation') {
        // Its own date may be of a zone that names itself only in the text before; only the order counts here.
        const until = Date.parse(found.until ?? '');
        if (until < gap.from.at - 60_000 || until > gap.to.at + 60_000 || Number.isNaN(until)) continue;
        return {
          kind: 'moderation',
          says: `${hold.program} held it for a moderator, who let it through at ${utc(until)}`,
          program: hold.program,
          place,
        };
      }
      const seconds =
        found.seconds !== undefined
          ? Number(found.seconds)
          : Number(found.h) * 3600 + Number(found.m) * 60 + Number(found.s);
      const isHere = remark.above === gap.to.hop || remark.above === gap.to.hop + 1;
      if (!isHere || gap.from.hop === AUTHOR || seconds > gap.seconds + 60 || seconds < 30) continue;
      return {
        kind: 'greylisting',
        says: `${label(scene, gap.to.hop)} refused it at first and took it ${wait(seconds)} after the first attempt (${remark.name === 'x-greylist' ? 'X-Greylist' : remark.name})`,
        program: hold.program,
        place,
      };
    }
  }
  if (gap.to.hop !== AUTHOR && hosts[gap.to.hop]!.protocol?.kind === 'fetch')
    return {
      kind: 'fetch',
      says: `it lay in a mailbox until ${label(scene, gap.to.hop)} fetched it (${mail.traces[gap.to.hop]!.with})`,
      program: '',
      place: placeAt(scene, gap.to.hop)[0] ?? null,
    };
  return null;
}

// ---- the hypotheses

const longSign = (scene: Scene, gap: Gap, says: string): Sign => ({
  says,
  weight: between(gap.seconds, [
    [scene.late / 5, -5],
    [scene.late, 2],
    [scene.late * 3, 3.5],
    [scene.late * 12, 5],
  ]),
  amount: { value: gap.seconds, unit: 'second' },
  from: placesOf(scene, gap),
});

const shareSign = (scene: Scene, gap: Gap): Sign => ({
  says: `that is ${percent(gap.seconds / Math.max(1, scene.total))} of the ${wait(scene.total)} that it took in all`,
  weight: between(gap.seconds / Math.max(1, scene.total), [
    [0.2, -2],
    [0.5, 0.5],
    [0.9, 1.5],
  ]),
  from: placesOf(scene, gap),
});

/** RFC 5321 4.5.4.1: servers give a mail back after four or five days. */
const tooLongSign = (scene: Scene, gap: Gap, weight: number): Sign[] =>
  gap.seconds > 7 * 86_400
    ? [{ says: 'no mail server keeps trying for more than a week', weight, from: placesOf(scene, gap) }]
    : [];

function slowHop(scene: Scene, gap: Gap): Weighed {
  const holders = holdersOf(gap);
  const names = holders.map((hop) => label(scene, hop));
  const why = explained(scene, gap);
  const before = witnesses(scene, gap, 'before');
  const after = witnesses(scene, gap, 'after');
  const operators = new Set(holders.map((hop) => scene.hosts[hop]!.operator ?? scene.hosts[hop]!.clock));
  const fragile = Math.min(before.score, after.score) < 2;
  const signs: Sign[] = [
    longSign(
      scene,
      gap,
      `${names[0]} had it at ${utc(gap.from.at)}; ${label(scene, gap.to.hop)} got it at ${utc(gap.to.at)}, ${wait(gap.seconds)} later`,
    ),
    shareSign(scene, gap),
    ...[before, after].map(
      ({ score, says }, i): Sign => ({
        says: `clocks ${says}`,
        weight: between(score, [
          [1, -0.5],
          [2, 2],
          [3, 3],
        ]),
        from: placeAt(scene, i === 0 ? gap.from.hop : gap.to.hop),
      }),
    ),
    ...tooLongSign(scene, gap, -4),
  ];
  if (why && why.kind !== 'resent')
    signs.unshift({ says: why.says, weight: 3, from: why.place ? [why.place] : [] });
  else if (isWholeHours(gap.seconds) && fragile)
    signs.push({
      says: 'the wait is of whole half hours to within 8 s, as a wrong time zone makes it',
      weight: -3,
      from: placesOf(scene, gap),
    });
  // A clock beyond the wait that contradicts one of its ends by as much may be right, and that end wrong.
  const disputed = scene.skewed.find(
    (s) =>
      (s.isAmbiguous || s.hop < gap.from.hop || s.hop > gap.to.hop) &&
      Math.abs(offBy(s)) >= gap.seconds / 2 &&
      [gap.from.hop, gap.to.hop].includes(rivalOf(scene, s)),
  );
  if (disputed)
    signs.push({ says: backwards(scene, disputed), weight: -5, from: neighbours(scene, disputed) });
  else if (scene.skewed.length === 0)
    signs.push({ says: 'no step of the way goes back in time', weight: 1, from: placesOf(scene, gap) });
  if (operators.size > 1)
    signs.push({
      says: `it may have been any of ${names.join('; ')}: the times between cannot be relied on`,
      weight: -6,
      from: holders.flatMap((hop) => placeAt(scene, hop)).slice(0, 5),
    });
  return {
    id: 'slow-hop',
    says:
      why?.kind === 'greylisting'
        ? `${names[0]} had to keep it, because ${why.says}`
        : why?.kind === 'moderation'
          ? `${names[0]} kept it: ${why.says}`
          : why?.kind === 'fetch'
            ? why.says
            : `${names.join(' or ')} had it in its queue for ${wait(gap.seconds)} before ${label(scene, gap.to.hop)} got it`,
    weight: sum(-2, signs),
    signs,
    bring: [
      ...holders.slice(0, 2).map((hop) => {
        const id = queueIdOf(scene.mail.traces[hop]!);
        return `the mail log of ${label(scene, hop)}${id ? ` for ${id}` : ''}, which has every attempt and the answer to it`;
      }),
      'another mail that came the same way: a wrong clock shows in each, a queue does not',
    ],
  };
}

function senderQueued(scene: Scene, gap: Gap): Weighed {
  const origin = scene.hosts[0]?.isOrigin === true && gap.to.hop === 0;
  const near = Math.max(60, gap.seconds / 10);
  const signed = scene.mail.signed.find((s) => Math.abs(s.at - gap.from.at) / 1000 <= near);
  const after = witnesses(scene, gap, 'after');
  const signs: Sign[] = [
    longSign(
      scene,
      gap,
      `it is dated ${utc(gap.from.at)}; ${label(scene, gap.to.hop)} got it at ${utc(gap.to.at)}, ${wait(gap.seconds)} later`,
    ),
    shareSign(scene, gap),
    origin
      ? {
          says: 'it was made on the very host that first received it: both times are of one clock',
          weight: 3,
          from: placesOf(scene, gap),
        }
      : signed
        ? {
            says: `${signed.domain} signed it at ${utc(signed.at)} (DKIM t=), near its date: the date is right`,
            weight: 3,
            from: [{ path: scene.path, line: signed.line }],
          }
        : {
            says: 'for the time before only the author’s own clock speaks',
            weight: -2,
            from: placeAt(scene, AUTHOR),
          },
    {
      says: `clocks ${after.says}`,
      weight: between(after.score, [
        [1, -0.5],
        [2, 1],
      ]),
      from: placeAt(scene, gap.to.hop),
    },
    ...tooLongSign(scene, gap, -3),
  ];
  if (isWholeHours(gap.seconds) && !origin && !signed)
    signs.push({
      says: 'the wait is of whole half hours to within 8 s, as a wrong time zone makes it',
      weight: -3,
      from: placesOf(scene, gap),
    });
  return {
    id: 'sender-queued',
    says: `it lay at the author’s, or in a program’s queue, for ${wait(gap.seconds)} before the first server got it`,
    weight: sum(-3, signs),
    signs,
    bring: [
      'what the author or the sending program says: was it scheduled, offline, or queued?',
      'another mail by the same author: a wrong clock shows in each',
    ],
  };
}

/** Held against the wait: that nobody held it, and a clock on one side of it is off by just so much. */
function skewInstead(scene: Scene, gap: Gap): Weighed {
  const byAuthor = gap.from.hop === AUTHOR;
  const before = byAuthor ? { score: 0.7, says: '' } : witnesses(scene, gap, 'before');
  const after = witnesses(scene, gap, 'after');
  const fewest = Math.min(before.score, after.score);
  const [side, hop] = before.score <= after.score ? ['before', gap.from.hop] : ['after', gap.to.hop];
  const signed =
    byAuthor &&
    scene.mail.signed.some((s) => Math.abs(s.at - gap.from.at) / 1000 <= Math.max(60, gap.seconds / 10));
  const isOneClock = byAuthor && scene.hosts[0]?.isOrigin === true && gap.to.hop === 0;
  const signs: Sign[] = [
    isOneClock
      ? { says: 'both times are of one clock', weight: -6, from: placesOf(scene, gap) }
      : signed
        ? { says: 'a DKIM signature agrees with the date', weight: -5, from: placesOf(scene, gap) }
        : {
            says: byAuthor
              ? 'only the author’s own clock would have to be wrong, and those are more often than a server’s'
              : `${side} the wait ${fewest < 2 ? `only the clock of ${label(scene, hop as number)} would have to be wrong` : 'several clocks would have to be wrong by the same'}`,
            weight: byAuthor
              ? 3
              : between(fewest, [
                  [1, 0.5],
                  [2, -4],
                  [3, -7],
                ]),
            from: placeAt(scene, hop as number),
          },
  ];
  if (isWholeHours(gap.seconds) && fewest < 2 && !isOneClock && !signed)
    signs.push({
      says: 'the wait is of whole half hours to within 8 s, as a wrong time zone makes it',
      weight: 3,
      from: placesOf(scene, gap),
    });
  if (!byAuthor)
    signs.push({ says: 'no step goes back in time there', weight: -1, from: placesOf(scene, gap) });
  return {
    id: 'clock-skew',
    says: `nobody held it: ${clockOf(scene, hop as number)} is ${side === 'before' ? 'behind' : 'ahead'} by about ${wait(gap.seconds)}`,
    weight: sum(-3, signs),
    signs,
    bring: ['another mail that came the same way: a wrong clock shows in each, a queue does not'],
  };
}

/** Steps that go back in time: no queue can do that. */
function skewSeen(scene: Scene, worst: Skewed, largest: Gap | null): Weighed {
  const off = offBy(worst);
  const isAmbiguous = worst.isAmbiguous;
  const signs: Sign[] = [
    {
      says: backwards(scene, worst),
      weight: between(Math.abs(off), [
        [5, 0],
        [30, 3],
        [300, 9],
      ]),
      amount: { value: Math.abs(off), unit: 'second' },
      from: neighbours(scene, worst),
    },
    largest && largest.seconds < scene.late
      ? {
          says: `without that clock no step takes longer than ${wait(largest.seconds)}`,
          weight: 1.5,
          from: placesOf(scene, largest),
        }
      : {
          says: 'whether it was held besides cannot be seen: too few other clocks',
          weight: 0,
          from: placeAt(scene, worst.hop),
        },
    isAmbiguous
      ? {
          says: 'which of the clocks is wrong cannot be told: leaving out either makes the others agree',
          weight: 0,
          from: neighbours(scene, worst),
        }
      : {
          says: 'all other clocks agree once this one is left out',
          weight: 2,
          from: placeAt(scene, worst.hop),
        },
  ];
  return {
    id: 'clock-skew',
    says: skewSays(scene, worst),
    weight: sum(-3, signs),
    signs,
    bring: ['another mail that came the same way: a wrong clock shows in each'],
  };
}

/** The kept hop that contradicts a wrong clock. */
function rivalOf(scene: Scene, s: Skewed): number {
  return offBy(s) > 0
    ? scene.kept.find((k) => k.hop > s.hop)!.hop
    : scene.kept.findLast((k) => k.hop < s.hop)!.hop;
}

function neighbours(scene: Scene, s: Skewed): Place[] {
  return [...placeAt(scene, s.hop), ...placeAt(scene, rivalOf(scene, s))];
}

function backwards(scene: Scene, s: Skewed): string {
  const rival = rivalOf(scene, s);
  const [early, late] = offBy(s) > 0 ? [s.hop, rival] : [rival, s.hop];
  if (early === AUTHOR)
    return `${label(scene, late)} got it ${wait(offBy(s))} before it was written, by their clocks`;
  return `${label(scene, late)} got it ${wait(offBy(s))} before ${label(scene, early)} had it, by their clocks`;
}

function range(s: Skewed): string {
  const ends = [s.least, s.most].filter((v) => v !== null && v * offBy(s) > 0).map((v) => Math.abs(v!));
  const [low = 0, high] = ends.toSorted((a, b) => a - b);
  const way = offBy(s) > 0 ? 'ahead' : 'behind';
  if (high === undefined) return `at least ${wait(low)} ${way}`;
  return wait(low) === wait(high) ? `${wait(low)} ${way}` : `${wait(low)} to ${wait(high)} ${way}`;
}

function skewSays(scene: Scene, s: Skewed): string {
  if (!s.isAmbiguous) return `${clockOf(scene, s.hop)} is ${range(s)}`;
  const [way, other] = offBy(s) > 0 ? ['ahead', 'behind'] : ['behind', 'ahead'];
  return `${clockOf(scene, s.hop)} is ${way}, or ${clockOf(scene, rivalOf(scene, s))} ${other}, by at least ${wait(offBy(s))}`;
}

const sum = (prior: number, signs: Sign[]): number => prior + signs.reduce((total, s) => total + s.weight, 0);

function absent(scene: Scene, id: CulpritId, says: string, why: string, from?: Place[]): Weighed {
  const { mail, path } = scene;
  const searched: Fact['from'] = from ?? {
    searched: [path],
    lines: mail.traces.length,
    unread: mail.traces.filter((t) => t.date === null).length,
  };
  return { id, says, weight: -8, signs: [{ says: why, weight: -8, from: searched }], bring: [] };
}

// ---- the verdict

function findingOf(scene: Scene): Finding | null {
  const { gaps, late } = scene;
  const notResent = gaps.filter((g) => explained(scene, g)?.kind !== 'resent');
  const worst = notResent.reduce<Gap | null>((a, b) => (a === null || b.seconds > a.seconds ? b : a), null);
  const skewed = scene.skewed
    .filter((s) => s.hop !== AUTHOR)
    .toSorted((a, b) => Math.abs(offBy(b)) - Math.abs(offBy(a)));
  const wrong = skewed[0] && Math.abs(offBy(skewed[0])) >= late ? skewed[0] : null;
  if (worst && worst.seconds >= late) return waited(scene, worst, wrong);
  return wrong ? clockOnly(scene, wrong, worst) : null;
}

function waited(scene: Scene, gap: Gap, wrong: Skewed | null): Finding {
  const queueing = gap.from.hop === AUTHOR;
  const longest = wait(gap.seconds);
  const queueGap = scene.gaps.find((g) => g.from.hop === AUTHOR);
  const all: Weighed[] = queueing
    ? [
        senderQueued(scene, gap),
        skewInstead(scene, gap),
        absent(scene, 'slow-hop', 'a server held it', hopsWere(scene, gap)),
      ]
    : [
        slowHop(scene, gap),
        skewInstead(scene, gap),
        absent(
          scene,
          'sender-queued',
          'it lay at the author’s before the first server got it',
          queueGap
            ? `the first server got it ${wait(queueGap.seconds)} after its date`
            : 'no date that can be relied on says so',
          queueGap ? placesOf(scene, queueGap) : undefined,
        ),
      ];
  const verdict = weigh(all);
  const { accused } = verdict;
  const holder = holdersOf(gap)[0]!;
  const name = queueing ? 'the author' : (scene.hosts[holder]!.name ?? `hop ${holder + 1}`);
  const why = explained(scene, gap);
  const title =
    accused?.id === 'slow-hop'
      ? why?.kind === 'greylisting'
        ? `Greylisting by ${scene.held[gap.to.hop]!.label} held this mail up for ${longest}`
        : why?.kind === 'fetch'
          ? `This mail lay in a mailbox for ${longest} until it was fetched`
          : `${name} held this mail for ${longest}`
      : accused?.id === 'sender-queued'
        ? `This mail lay at the sender’s for ${longest} before it was sent`
        : accused
          ? `Nobody held this mail: ${accused.says}`
          : queueing
            ? `${longest} passed between this mail’s date and the first server: queued, or a wrong clock`
            : `${longest} passed at ${holdersOf(gap)
                .map((h) => label(scene, h))
                .join(' or ')}: held, or a wrong clock`;
  return {
    ...base(verdict, title),
    id: `${MAIL_RECEIVED_LATE}:${accused?.id ?? 'cannot-tell'}:${name}`,
    subject: subjectOf(scene, queueing ? null : holder, gap),
    since: iso(gap.from.at),
    until: iso(gap.to.at),
    impact: [
      {
        says: queueing ? 'before the first server' : `at ${label(scene, holder)}`,
        value: gap.seconds,
        unit: 'second',
      },
    ],
    remedies: remediesOf(scene, gap, why, accused?.id ?? null),
    avoid:
      accused?.id === 'slow-hop' && why === null
        ? ['sending it again by the same way: it joins the same queue']
        : [],
    check: {
      command: 'culprit why mail NEXT.eml',
      measures: 'the same step in a later mail',
      before: { value: gap.seconds, unit: 'second' },
      expects: `less than ${wait(scene.late)}`,
    },
    notes: notesOf(scene, gap, wrong),
  };
}

/** A gap that the author's stamp opens says that every server was quick. */
function hopsWere(scene: Scene, gap: Gap): string {
  const others = scene.gaps.filter((g) => g !== gap);
  const longest = others.reduce((max, g) => Math.max(max, g.seconds), 0);
  return others.length === 0
    ? 'no two servers’ times can be compared'
    : `no server had it for longer than ${wait(longest)}`;
}

function clockOnly(scene: Scene, wrong: Skewed, largest: Gap | null): Finding {
  const verdict = weigh([
    skewSeen(scene, wrong, largest),
    largest
      ? absent(
          scene,
          'slow-hop',
          'a server held it',
          `once the wrong clock is left out, the longest step is ${wait(largest.seconds)}`,
          placesOf(scene, largest),
        )
      : {
          id: 'slow-hop',
          says: 'a server held it besides',
          weight: -1,
          signs: [],
          bring: ['the mail logs of both hosts, or another mail that came the same way'],
        },
    absent(
      scene,
      'sender-queued',
      'it lay at the author’s',
      'the date and the first server’s time do not say so',
    ),
  ]);
  const name = scene.hosts[wrong.hop]!.name ?? `hop ${wrong.hop + 1}`;
  const says = skewSays(scene, wrong);
  return {
    ...base(
      verdict,
      `${largest ? 'Nobody held this mail: ' : ''}${largest ? says : says[0]!.toUpperCase() + says.slice(1)}`,
    ),
    id: `${MAIL_RECEIVED_LATE}:clock-skew:${name}`,
    subject: subjectOf(scene, wrong.hop, null),
    since: iso(scene.kept[0]!.at),
    until: iso(scene.kept.at(-1)!.at),
    impact: [
      {
        says: `at least that the clock of ${name}${wrong.isAmbiguous ? ', or its neighbour’s,' : ''} is off`,
        value: Math.abs(offBy(wrong)),
        unit: 'second',
      },
    ],
    remedies: keepTime(name, range(wrong)),
    avoid: ['blaming the hop with the largest figure: it comes from the wrong clock'],
    check: null,
    notes: notesOf(scene, null, null),
  };
}

function remediesOf(
  scene: Scene,
  gap: Gap,
  why: Explained | null,
  accused: CulpritId | null,
): Finding['remedies'] {
  const until = gap.to.at;
  if (gap.from.hop === AUTHOR) return [askAuthor(gap.from.at, until, scene.held[gap.to.hop]!.label)];
  const w: Wait = {
    holder: scene.held[gap.from.hop]!,
    to: scene.held[gap.to.hop]!,
    from: gap.from.at,
    until,
    messageId: scene.mail.messageId,
  };
  if (accused === 'clock-skew') return keepTime(w.holder.label, 'off');
  if (why?.kind === 'greylisting') return passGreylist(w, why.program);
  if (why?.kind === 'fetch') return [fetchSooner(w)];
  const own = readOwnLog(w);
  return [askOperator(w), ...(own ? [own] : [])];
}

function subjectOf(scene: Scene, hop: number | null, gap: Gap | null): Record<string, string> {
  const subject: Record<string, string> = {};
  if (scene.mail.messageId) subject.messageId = scene.mail.messageId;
  if (hop === null) return subject;
  subject.hop = String(hop + 1);
  const { name, operator } = scene.hosts[hop]!;
  if (name) subject.host = name;
  if (operator) subject.operator = operator;
  const id = queueIdOf(scene.mail.traces[hop]!);
  if (id && gap) subject.queueId = id;
  return subject;
}

function notesOf(scene: Scene, gap: Gap | null, wrong: Skewed | null): Note[] {
  const notes: Note[] = [];
  if (wrong) notes.push({ says: skewSays(scene, wrong), from: neighbours(scene, wrong) });
  for (const other of scene.gaps) {
    if (other === gap || other.seconds < scene.late) continue;
    const why = explained(scene, other);
    notes.push({
      says: `besides, ${wait(other.seconds)} passed at ${label(scene, other.from.hop)}${why ? `: ${why.says}` : ''}`,
      amount: { value: other.seconds, unit: 'second' },
      from: placesOf(scene, other),
    });
  }
  if (gap && gap.from.hop !== AUTHOR) {
    const [from, to] = [scene.hosts[gap.from.hop]!, scene.hosts[gap.to.hop]!];
    const inside = from.operator !== null && from.operator === to.operator;
    if (inside)
      notes.push({ says: `both hosts are ${from.operator}’s: it waited inside`, from: placesOf(scene, gap) });
    else if (explained(scene, gap) === null)
      notes.push({
        says: `why it waited stands in the log of ${label(scene, gap.from.hop)}: it was slow itself, or ${label(scene, gap.to.hop)} refused it for a time (greylisting and limits answer 4xx)`,
        from: [],
      });
    if (gap.from.hop === 0 && to.operator !== from.operator)
      notes.push({
        says: 'what stands below the first host of your own side was written by others, who may write anything',
        from: placeAt(scene, gap.from.hop),
      });
  }
  const silent = scene.mail.traces.flatMap((t, hop) => (problemOf(t) === null ? [] : [hop]));
  if (silent.length > 0)
    notes.push({
      says: `${times(silent.length, 'hop')} without a time that can be relied on (${problemOf(scene.mail.traces[silent[0]!]!)})`,
      from: silent.slice(0, 5).flatMap((hop) => placeAt(scene, hop)),
    });
  return notes.slice(0, 12);
}

function weigh(all: Weighed[]): { ranked: Weighed[]; accused: Weighed | null; lead: number } {
  const ranked = all.toSorted((a, b) => b.weight - a.weight);
  const lead = ranked[0]!.weight - (ranked[1]?.weight ?? -10);
  const isAccused = ranked[0]!.weight >= ACCUSED.weight && lead >= ACCUSED.lead;
  return { ranked, accused: isAccused ? ranked[0]! : null, lead };
}

function base({ ranked, accused, lead }: ReturnType<typeof weigh>, title: string) {
  const weight = ranked[0]!.weight;
  const confidence: Finding['confidence'] =
    accused && weight >= 9 && lead >= 6
      ? 'certain'
      : accused && weight >= 6 && lead >= 4
        ? 'likely'
        : 'possible';
  return {
    investigation: MAIL_RECEIVED_LATE,
    outcome: accused ? ('culprit' as const) : ('cannot-tell' as const),
    culprit: accused?.id ?? null,
    confidence,
    title,
    hypotheses: ranked.map((h): HypothesisVerdict => {
      const isOpen = h !== accused && h.weight > -2;
      return {
        id: h.id,
        says: h.says,
        verdict: h === accused ? 'confirmed' : isOpen ? 'undecided' : 'ruled-out',
        weight: Number(h.weight.toFixed(2)),
        facts: h.signs.map(({ weight: _, ...fact }) => fact),
        bring: isOpen ? h.bring : [],
      };
    }),
    series: [],
  };
}

function clearOf(scene: Scene): Clear {
  const { gaps, kept, late } = scene;
  const total = gaps.reduce((sum, g) => sum + (explained(scene, g)?.kind === 'resent' ? 0 : g.seconds), 0);
  const hops = gaps.filter((g) => g.from.hop !== AUTHOR && explained(scene, g)?.kind !== 'resent');
  const longest = hops.reduce<Gap | null>((a, b) => (a === null || b.seconds > a.seconds ? b : a), null);
  const queue = gaps.find((g) => g.from.hop === AUTHOR);
  const facts: Fact[] = [];
  if (longest)
    facts.push({
      says: `the longest step: ${wait(longest.seconds)} at ${label(scene, longest.from.hop)}`,
      amount: { value: longest.seconds, unit: 'second' },
      from: placesOf(scene, longest),
    });
  if (queue)
    facts.push({
      says: `the first server got it ${wait(queue.seconds)} after its date`,
      amount: { value: queue.seconds, unit: 'second' },
      from: placesOf(scene, queue),
    });
  for (const gap of gaps) {
    const why = explained(scene, gap);
    if (why?.kind === 'resent' && gap.seconds >= late)
      facts.push({
        says: `${wait(gap.seconds)} are no delay: ${why.says}`,
        from: why.place ? [why.place] : [],
      });
  }
  for (const s of scene.skewed.filter((s) => Math.abs(offBy(s)) > 0).slice(0, 5))
    facts.push({ says: skewSays(scene, s), from: neighbours(scene, s) });
  const last = kept.at(-1)!;
  facts.push({
    says: `if it was seen late, it was after ${utc(last.at)}, when ${label(scene, last.hop)} got it: in the mailbox, by a rule, or in the mail program`,
    from: placeAt(scene, last.hop),
  });
  return {
    investigation: MAIL_RECEIVED_LATE,
    says: `no host held it for ${wait(late)}: it took ${wait(total)} ${queue ? 'from its date' : 'from the first host'} to the last of ${times(scene.mail.traces.length, 'hop')}`,
    facts,
  };
}
