import type { Place } from '../../findings/finding.js';
import { RECEIVED_HOLDS } from '../../knowledge/received-holds.js';
import type { ReceivedMail, Trace } from '../../store/received-mail.js';
import { type Skewed, type Stamp, truestOf } from './clocks.js';
import { type Host, hostsOf } from './hosts.js';
import type { Held } from './remedies.js';
import { utc, wait } from './words.js';

/** The hop of the Date field, which comes before all others. */
export const AUTHOR = -1;

/** Between two stamps that are relied on, with nothing reliable between them. */
export interface Gap {
  from: Stamp;
  to: Stamp;
  seconds: number;
}

/** Why a wait was one, where a field says so. */
export interface Explained {
  kind: 'greylisting' | 'moderation' | 'fetch' | 'resent';
  says: string;
  program: string;
  place: Place | null;
}

export interface Scene {
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

export const timeOf = (trace: Trace | undefined): number | null => trace?.date?.at ?? null;

export function sceneOf(mail: ReceivedMail, path: string, late: number): Scene {
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

export function problemOf(trace: Trace): string | null {
  if (trace.tooLong) return 'the field is longer than 32 kB';
  if (trace.written === null) return 'no date';
  return trace.date === null ? 'a date that cannot be read' : trace.date.problem;
}

// ---- words and places

export const placeAt = (scene: Scene, hop: number): Place[] => {
  const line = hop === AUTHOR ? scene.mail.date?.line : scene.mail.traces[hop]?.line;
  return line === undefined ? [] : [{ path: scene.path, line }];
};
export const placesOf = (scene: Scene, gap: Gap): Place[] => [
  ...placeAt(scene, gap.from.hop),
  ...placeAt(scene, gap.to.hop),
];
export const label = (scene: Scene, hop: number): string =>
  hop === AUTHOR
    ? 'the author'
    : `hop ${hop + 1}${scene.hosts[hop]?.name ? `, ${scene.hosts[hop]!.name}` : ''}`;
export const clockOf = (scene: Scene, hop: number): string =>
  hop === AUTHOR ? 'the author’s clock' : `the clock of ${label(scene, hop)}`;
export const percent = (share: number) => `${Math.round(share * 100)} %`;
export const times = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;

/** The hops that may have had the mail between two reliable stamps: the first, and those whose own time says nothing. */
export function holdersOf(gap: Gap): number[] {
  const hops: number[] = [];
  for (let hop = Math.max(0, gap.from.hop); hop < gap.to.hop; hop++) hops.push(hop);
  return hops;
}

/** How many independent clocks agree with a stamp on its side of the gap; a fleet that keeps time counts double. */
export function witnesses(scene: Scene, gap: Gap, side: 'before' | 'after'): { score: number; says: string } {
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
export function isWholeHours(seconds: number): boolean {
  const off = seconds % 1800;
  return seconds >= 1800 - 8 && Math.min(off, 1800 - off) <= 8;
}

// ---- why a wait may have been one

export function explained(scene: Scene, gap: Gap): Explained | null {
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
