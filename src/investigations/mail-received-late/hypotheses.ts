import type { Fact, Place } from '../../findings/finding.js';
import { between } from '../statistics.js';
import { offBy, type Skewed } from './clocks.js';
import { queueIdOf } from './remedies.js';
import {
  AUTHOR,
  clockOf,
  explained,
  type Gap,
  holdersOf,
  isWholeHours,
  label,
  percent,
  placeAt,
  placesOf,
  type Scene,
  witnesses,
} from './scene.js';
import { utc, wait } from './words.js';

export type CulpritId = 'slow-hop' | 'clock-skew' | 'sender-queued';
interface Sign extends Fact {
  weight: number;
}
export interface Weighed {
  id: CulpritId;
  says: string;
  weight: number;
  signs: Sign[];
  bring: string[];
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

export function slowHop(scene: Scene, gap: Gap): Weighed {
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

export function senderQueued(scene: Scene, gap: Gap): Weighed {
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
export function skewInstead(scene: Scene, gap: Gap): Weighed {
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
export function skewSeen(scene: Scene, worst: Skewed, largest: Gap | null): Weighed {
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

export function neighbours(scene: Scene, s: Skewed): Place[] {
  return [...placeAt(scene, s.hop), ...placeAt(scene, rivalOf(scene, s))];
}

function backwards(scene: Scene, s: Skewed): string {
  const rival = rivalOf(scene, s);
  const [early, late] = offBy(s) > 0 ? [s.hop, rival] : [rival, s.hop];
  if (early === AUTHOR)
    return `${label(scene, late)} got it ${wait(offBy(s))} before it was written, by their clocks`;
  return `${label(scene, late)} got it ${wait(offBy(s))} before ${label(scene, early)} had it, by their clocks`;
}

export function range(s: Skewed): string {
  const ends = [s.least, s.most].filter((v) => v !== null && v * offBy(s) > 0).map((v) => Math.abs(v!));
  const [low = 0, high] = ends.toSorted((a, b) => a - b);
  const way = offBy(s) > 0 ? 'ahead' : 'behind';
  if (high === undefined) return `at least ${wait(low)} ${way}`;
  return wait(low) === wait(high) ? `${wait(low)} ${way}` : `${wait(low)} to ${wait(high)} ${way}`;
}

export function skewSays(scene: Scene, s: Skewed): string {
  if (!s.isAmbiguous) return `${clockOf(scene, s.hop)} is ${range(s)}`;
  const [way, other] = offBy(s) > 0 ? ['ahead', 'behind'] : ['behind', 'ahead'];
  return `${clockOf(scene, s.hop)} is ${way}, or ${clockOf(scene, rivalOf(scene, s))} ${other}, by at least ${wait(offBy(s))}`;
}

const sum = (prior: number, signs: Sign[]): number => prior + signs.reduce((total, s) => total + s.weight, 0);

export function absent(scene: Scene, id: CulpritId, says: string, why: string, from?: Place[]): Weighed {
  const { mail, path } = scene;
  const searched: Fact['from'] = from ?? {
    searched: [path],
    lines: mail.traces.length,
    unread: mail.traces.filter((t) => t.date === null).length,
  };
  return { id, says, weight: -8, signs: [{ says: why, weight: -8, from: searched }], bring: [] };
}
