import type { CannotTell, Clear, Fact, Finding, Impact, Note, Series } from '../../findings/finding.js';
import type { Verification } from '../../findings/verification.js';
import type { Case } from '../../store/case.js';
import type { Found, Investigation, Outcome } from '../investigation.js';
import { type Episode, episode, mean, median, sum } from '../statistics.js';
import { describeTexts } from '../web.js';
import { type Calendar, type Course, historyOf } from './course.js';
import {
  burstNote,
  densestBurst,
  docrootBytes,
  pagesPerDay,
  retentionImpact,
  savedByRetention,
} from './figures.js';
import { type Weighed, weighAll } from './hypotheses.js';
import { AVOID, remediesFor, serverOf } from './remedies.js';
import { mayDominate, predicate, Scene, type Slice, sliceText } from './scene.js';
import { explanations } from './slices.js';
import { type Measure, verifyMeasure } from './verify.js';

/** A site must have moved this share of all bytes in its episode to be worth an accusation. */
const LEAST_SHARE_OF_ALL = 0.05;
/** What came on top must be this share of all that all sites sent in the whole time of the evidence. */
const LEAST_OF_EVERYTHING = 0.03;
/** Less than this in all is nobody's bandwidth problem. */
const LEAST_BYTES = 5e6;
/** Weight (natural log-odds) from which a hypothesis may be accused, and its lead over the next. */
const CONFIRM_AT = 4;
const LEAST_LEAD = 3;
/** An accused slice makes up at least so much of the increase; of everything, where nothing changed. */
const LEAST_EXPLAINED = 0.35;
const LEAST_DOMINATING = 0.5;
/** A later, smaller rise on a site that has a culprit is told beside it. */
const ASIDE_BELOW = 0.25;

export const bandwidthSpent: Investigation = {
  id: 'bandwidth-spent',
  asks: 'What eats the bandwidth?',

  async lacks(store: Case): Promise<CannotTell | null> {
    const row = await store.row<{ n: bigint; bytes: bigint }>(
      'SELECT count(*) AS n, count(bytes) AS bytes FROM request_facts',
    );
    const n = Number(row?.n ?? 0);
    if (n > 0 && Number(row!.bytes) > 0) return null;
    return {
      investigation: 'bandwidth-spent',
      because:
        n === 0
          ? 'no access log among the evidence'
          : 'the access logs hold no bytes (%b, %O, $body_bytes_sent)',
      bring:
        n === 0 ? ['the web server’s access logs'] : ['logs in the combined format, which has the bytes'],
    };
  },

  async run(store: Case): Promise<Outcome> {
    const history = await historyOf(store);
    if (!history) return { findings: [], clear: [], cannotTell: [] };
    const { calendar, courses } = history;
    await describeTexts(store);
    const findings: Found[] = [];
    const quiet: { course: Course; says: string }[] = [];
    const cannotTell: CannotTell[] = [];
    for (const course of courses) {
      const judged = await judge(store, calendar, course, courses);
      findings.push(...judged.findings);
      if (judged.strange) cannotTell.push(judged.strange);
      if (judged.findings.length === 0) quiet.push({ course, says: judged.says });
    }
    findings.sort((a, b) => (b.finding.impact[0]?.value ?? 0) - (a.finding.impact[0]?.value ?? 0));
    const clear =
      findings.length + cannotTell.length === 0 ? [await allClear(store, calendar, courses, quiet)] : [];
    return { findings, clear, cannotTell };
  },

  verify(store: Case, found: Found, split: string): Promise<Verification> {
    return verifyMeasure(store, found.finding, found.measure as Measure, split);
  },
};

interface Judged {
  findings: Found[];
  /** It grew in few places, and no story fits. */
  strange?: CannotTell;
  /** What became of the site where nobody is accused. */
  says: string;
}

async function judge(store: Case, calendar: Calendar, course: Course, all: Course[]): Promise<Judged> {
  const whole = course.bytes.map((b, i) => (calendar.whole[i] ? b : null));
  const stretch = wholeEpisode(whole);
  const total = sum(course.bytes);
  if (total < LEAST_BYTES) return { findings: [], says: `${course.site.name}: too few bytes to matter` };
  const ofAll = (from: number, to: number) =>
    sum(course.bytes.slice(from, to)) / Math.max(1, sum(all.map((c) => sum(c.bytes.slice(from, to)))));
  const everything = sum(all.map((c) => sum(c.bytes)));
  const onTop = stretch ? (stretch.during - stretch.outside) * (stretch.to - stretch.from) : total;
  if (onTop < LEAST_OF_EVERYTHING * everything)
    return { findings: [], says: `${course.site.name}: ${percent(total / everything)} of all bytes` };
  if (stretch && ofAll(stretch.from, stretch.to) < LEAST_SHARE_OF_ALL)
    return {
      findings: [],
      says: `${course.site.name} grew, but is ${percent(ofAll(stretch.from, stretch.to))} of all bytes`,
    };
  if (!stretch && !(await mayDominate(store, course.site, LEAST_DOMINATING)))
    return { findings: [], says: throughout(course, calendar) };
  const scene = await Scene.of(store, calendar, course, stretch);
  const ranked = await weighAll(scene);
  const found = stretch
    ? verdictOf(ranked, LEAST_EXPLAINED)
    : verdictOf(ranked.filter(isWaste), LEAST_DOMINATING);
  if (found.kind === 'none') {
    const strange = stretch ? await unexplained(scene, stretch) : null;
    if (strange) return { findings: [], says: strange.because, strange };
    const says = stretch
      ? `${course.site.name}: ${rise(stretch, scene)}, spread over visitors, agents and pages as before`
      : throughout(course, calendar);
    return { findings: [], says };
  }
  if (found.kind === 'open') {
    // Nothing changed and two stories compete: that is how this site is used.
    if (!stretch) return { findings: [], says: throughout(course, calendar) };
    return { findings: [await openFinding(scene, ranked, found.rivals, stretch, all)], says: '' };
  }
  const main = await culpritFinding(scene, ranked, found.culprit, found.lead, stretch, all);
  const findings = [main];
  const later = stretch ? await remaining(store, calendar, course, scene, found.culprit, all) : null;
  if (later?.kind === 'aside') main.finding.notes.push(later.note);
  if (later?.kind === 'finding') findings.push(later.found);
  return { findings, says: '' };
}

function throughout({ site, bytes }: Course, calendar: Calendar): string {
  return `${site.name}: about ${amount(median(bytes))} ${calendar.unit === 'day' ? 'a day' : 'an hour'} throughout`;
}

/** Dimensions in which a single element says something: a name, not a kind. */
const TELLING: (keyof Slice)[] = ['agent', 'path', 'referringSite', 'net'];
const LEAST_SURPRISE = 0.1;

/** An increase that few things make up, without any story that fits: that is neither a culprit nor all clear. */
async function unexplained(scene: Scene, stretch: Episode): Promise<CannotTell | null> {
  const found = (await explanations(scene)).filter(
    (e) =>
      TELLING.includes(e.dimension) &&
      e.surprise >= LEAST_SURPRISE &&
      e.elements.every((x) => Object.values(x.slice)[0] !== null),
  );
  if (found.length === 0) return null;
  const parts = found.map((e) => e.elements.map((x) => sliceText(x.slice)).join(' + ')).join('; ');
  const from = when(scene.calendar.starts[stretch.from]!, scene.calendar.unit);
  return {
    investigation: 'bandwidth-spent',
    because: `${scene.site.name}: ${rise(stretch, scene)} from ${from}, made up by ${parts}; that fits none of the known stories`,
    bring: [
      'what changed on that day (a new feature, campaign or customer)',
      'logs with referrers and agents, if these have none',
    ],
  };
}

/** Popularity with no change is what a site is for. */
const isWaste = (w: Weighed) => w.id !== 'popular-object';

/** The episode among the steps that are covered wholly, in indices of the calendar. */
function wholeEpisode(bytes: (number | null)[]): Episode | null {
  const kept = bytes.flatMap((b, i) => (b === null ? [] : [i]));
  const found = episode(kept.map((i) => bytes[i]!));
  if (!found) return null;
  const end = found.to >= kept.length ? bytes.length : kept[found.to]!;
  const first = kept[found.from]!;
  // What is covered in part belongs to its neighbour.
  const start = first === 1 && bytes[0] === null ? 0 : first;
  return {
    ...found,
    from: start,
    to: end,
    fromEarliest: kept[found.fromEarliest]!,
    fromLatest: kept[found.fromLatest]!,
  };
}

type Verdict =
  | { kind: 'culprit'; culprit: Weighed; lead: number }
  | { kind: 'open'; rivals: Weighed[] }
  | { kind: 'none' };

function verdictOf(ranked: Weighed[], leastExplained: number): Verdict {
  const [first, second] = ranked;
  if (!first || first.weight < CONFIRM_AT || first.explains < leastExplained) return { kind: 'none' };
  const lead = first.weight - (second?.weight ?? -10);
  if (lead >= LEAST_LEAD) return { kind: 'culprit', culprit: first, lead };
  const rivals = ranked.filter(
    (w) => first.weight - w.weight < LEAST_LEAD && w.explains >= leastExplained / 2,
  );
  return { kind: 'open', rivals };
}

function confidenceOf(weight: number, lead: number): Finding['confidence'] {
  if (weight >= 9 && lead >= 6) return 'certain';
  return weight >= 6 && lead >= 4 ? 'likely' : 'possible';
}

/** What is left of a site once the culprit's requests are taken out: a second culprit, or something to be told. */
async function remaining(
  store: Case,
  calendar: Calendar,
  course: Course,
  scene: Scene,
  culprit: Weighed,
  all: Course[],
): Promise<{ kind: 'aside'; note: Note } | { kind: 'finding'; found: Found } | null> {
  const theirs = await scene.courseOf(culprit.slice!);
  const bytes = course.bytes.map((b, i) => Math.max(0, b - theirs[i]!));
  const stretch = wholeEpisode(bytes.map((b, i) => (calendar.whole[i] ? b : null)));
  if (!stretch) return null;
  const rest: Course = { ...course, bytes };
  const left = await Scene.of(store, calendar, rest, stretch, culprit.slice);
  const ranked = await weighAll(left);
  const verdict = verdictOf(ranked, LEAST_EXPLAINED);
  if (verdict.kind !== 'culprit') return null;
  const second = verdict.culprit;
  const size = (second.figures?.bytes ?? 0) / Math.max(1, sum(theirs));
  if (second.id !== 'popular-object' && size >= ASIDE_BELOW)
    return { kind: 'finding', found: await culpritFinding(left, ranked, second, verdict.lead, stretch, all) };
  const from = calendar.starts[stretch.from]!;
  const to = calendar.starts[Math.min(stretch.to, calendar.starts.length) - 1]!;
  return {
    kind: 'aside',
    note: {
      says: `Besides, from ${day(from)} to ${day(to)}: ${second.says} (${second.id}, ${amount(second.figures?.bytes ?? 0)}); that is not this culprit`,
      amount: { value: second.figures?.bytes ?? 0, unit: 'byte' },
      from: await left.places(second.slice!),
    },
  };
}

// ---- findings

async function culpritFinding(
  scene: Scene,
  ranked: Weighed[],
  culprit: Weighed,
  lead: number,
  stretch: Episode | null,
  all: Course[],
): Promise<Found> {
  const { site, calendar, store } = scene;
  const slice = culprit.slice!;
  const bytes = await scene.courseOf(slice);
  const own = wholeEpisode(bytes.map((b, i) => (calendar.whole[i] ? b : null))) ?? stretch;
  const time = await timeOf(scene, slice, own);
  const confidence = confidenceOf(culprit.weight, lead);
  const measure: Measure = { site, slice, unit: calendar.unit };
  const inAll = culprit.figures!.bytes;
  const perStep = inAll / scene.steps;
  const finding: Finding = {
    id: `bandwidth-spent:${culprit.id}:${site.name}`,
    investigation: 'bandwidth-spent',
    outcome: 'culprit',
    culprit: culprit.id,
    confidence,
    subject: subjectOf(site.name, slice),
    since: time.since,
    until: time.until,
    ...(time.before ? { sinceBeforeEvidence: true } : {}),
    title: titleOf(scene, culprit, all),
    impact: await impactOf(scene, culprit, all),
    hypotheses: ranked.map((w) => ({
      id: w.id,
      says: w.says,
      verdict: w === culprit ? ('confirmed' as const) : ('ruled-out' as const),
      weight: Number(w.weight.toFixed(1)),
      facts: w === culprit ? [...changeFacts(scene, stretch), ...factsOf(w)] : factsAgainst(w),
      bring: [],
    })),
    remedies: remediesFor(culprit, site, await serverOf(store)),
    avoid: AVOID[culprit.id],
    check: {
      command: `culprit verify ${ofShell(`bandwidth-spent:${culprit.id}:${site.name}`)}${time.until ? '' : " --since 'YYYY-MM-DD HH:MM'"}`,
      measures: `bytes a day of ${sliceText(slice)} on ${site.name}`,
      before: scene.perDay(perStep),
      expects: expected(
        scene.changed ? median(bytes.filter((_, i) => i < scene.from || i >= scene.to)) : 0,
        calendar,
      ),
    },
    notes: await notesOf(scene, culprit),
    series: seriesOf(scene, bytes, slice),
  };
  return { finding, measure };
}

function expected(usual: number, { unit }: Calendar): string {
  return usual < 1e6 ? 'next to nothing' : `back to about ${amount(usual)} a ${unit}`;
}

/** A site's name comes from the log: in a command it is a word, whatever it holds. */
const ofShell = (word: string): string =>
  /^[\w.:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

const factsOf = (w: Weighed): Fact[] => w.signs.map(({ weight: _, ...fact }) => fact);
/** What rules it out most comes first. */
const factsAgainst = (w: Weighed): Fact[] =>
  factsOf({ ...w, signs: w.signs.toSorted((a, b) => a.weight - b.weight) });

function subjectOf(vhost: string, slice: Slice): Record<string, string> {
  const subject: Record<string, string> = { vhost };
  for (const [key, value] of Object.entries(slice))
    if (typeof value === 'string' && key !== 'kind') subject[key] = value;
  return subject;
}

async function timeOf(
  scene: Scene,
  slice: Slice,
  own: { from: number; to: number } | null,
): Promise<{ since: string; until: string | null; before: boolean }> {
  const { calendar } = scene;
  const from = own?.from ?? 0;
  const to = own?.to ?? calendar.starts.length;
  const ended = to < calendar.starts.length;
  const { sql, values } = await predicate(scene.store, slice);
  const [row] = await scene.rows<{ first: string | null; last: string | null }>(
    `SELECT strftime(min(moment), '%Y-%m-%dT%H:%M:%S') AS first, strftime(max(moment), '%Y-%m-%dT%H:%M:%S') AS last
     FROM scene WHERE bin >= ${from} AND bin < ${to} AND ${sql}`,
    values,
  );
  const before = from === 0 || (from === 1 && !calendar.whole[0]);
  return { since: row?.first ?? calendar.starts[from]!, until: ended ? (row?.last ?? null) : null, before };
}

function titleOf(scene: Scene, culprit: Weighed, all: Course[]): string {
  const { site } = scene;
  const share = sum(scene.course.bytes.slice(scene.from, scene.to)) / sumDuring(all, scene);
  const of = culprit.figures!.bytes / Math.max(1, sum(scene.course.bytes.slice(scene.from, scene.to)));
  const what: Record<Weighed['id'], string> = {
    'image-cache-refetch': 'one image cache',
    'hotlinked-object': 'pages elsewhere that show its objects',
    crawler: 'one crawler',
    'range-refetch': 'the same ranges sent over and over',
    'popular-object': 'one page that got popular',
    'brute-force': 'password guessing',
  };
  return `${percent(of)} of ${site.name}’s bandwidth${all.length > 1 ? ` (${percent(share)} of all sites’)` : ''} is ${what[culprit.id]}`;
}

const sumDuring = (all: Course[], scene: Scene) =>
  Math.max(1, sum(all.map((c) => sum(c.bytes.slice(scene.from, scene.to)))));

async function impactOf(scene: Scene, culprit: Weighed, all: Course[]): Promise<Impact[]> {
  const f = culprit.figures!;
  const { name } = scene.site;
  const siteBytes = sum(scene.course.bytes.slice(scene.from, scene.to));
  const impact: Impact[] = [
    { says: `${TO[culprit.id]} ${sliceText(culprit.slice!)}`, value: f.bytes, unit: 'byte' },
    { says: 'of that on average', ...scene.perDay(f.bytes / scene.steps) },
    {
      says: `of ${name}’s bytes in that time`,
      value: rounded((100 * f.bytes) / Math.max(1, siteBytes)),
      unit: 'percent',
    },
    { says: `were sent by ${name} in all in that time`, value: siteBytes, unit: 'byte' },
  ];
  if (all.length > 1)
    impact.push({
      says: `of the bytes of all ${all.length} sites in that time are ${name}’s`,
      value: rounded((100 * siteBytes) / sumDuring(all, scene)),
      unit: 'percent',
    });
  impact.push(
    { says: 'wasted: beyond the first fetch of each object', value: f.waste, unit: 'byte' },
    { says: 'made up of these', value: f.requests, unit: 'request' },
    { says: 'in them, each counted once', value: f.objects, unit: 'object' },
    {
      says: 'for pages and feeds of the site in the same time',
      value: rounded(await pagesPerDay(scene)),
      unit: 'request/day',
    },
  );
  if (culprit.id !== 'popular-object' && culprit.id !== 'brute-force')
    impact.push(...retentionImpact(await savedByRetention(scene, culprit.slice!)));
  const docroot = await docrootBytes(scene.store, scene);
  if (docroot)
    impact.push({
      says: `is the whole site on disk (${docroot.folder})`,
      value: docroot.bytes,
      unit: 'byte',
    });
  return impact;
}

const TO: Record<Weighed['id'], string> = {
  'image-cache-refetch': 'to',
  'hotlinked-object': 'for requests',
  crawler: 'to',
  'range-refetch': 'in parts for',
  'popular-object': 'for',
  'brute-force': 'for',
};

async function notesOf(scene: Scene, culprit: Weighed): Promise<Note[]> {
  const notes: Note[] = [];
  const burst = await densestBurst(scene, culprit.slice!);
  if (burst && culprit.id !== 'popular-object') notes.push(burstNote(burst));
  const found = await explanations(scene);
  if (found.length > 0)
    notes.push({
      says: `${scene.changed ? 'What makes up the increase' : 'What makes up the bytes'}: ${found
        .slice(0, 4)
        .map((e) =>
          e.elements.map((x) => `${sliceText(x.slice)} (${percent(Math.min(1, x.explains))})`).join(' + '),
        )
        .join('; ')}`,
      from: [],
    });
  const { unread } = scene;
  if (unread > 0)
    notes.push({
      says: `${unread.toLocaleString('en-GB')} lines of these logs could not be read; culprit sources shows them`,
      from: [],
    });
  return notes;
}

function changeFacts(scene: Scene, stretch: Episode | null): Fact[] {
  if (!stretch) return [];
  const { calendar } = scene;
  const sure =
    stretch.fromEarliest === stretch.fromLatest
      ? ''
      : ` (95 %: between ${day(calendar.starts[stretch.fromEarliest]!)} and ${day(calendar.starts[stretch.fromLatest]!)})`;
  return [
    {
      says: `${scene.site.name}: ${rise(stretch, scene)} from ${when(calendar.starts[stretch.from]!, calendar.unit)}${sure}`,
      from: { searched: scene.paths, lines: scene.lines, unread: scene.unread },
    },
  ];
}

function rise(stretch: Episode, scene: Scene): string {
  const step = scene.calendar.unit === 'day' ? 'a day' : 'an hour';
  return `${amount(stretch.outside)} → ${amount(stretch.during)} ${step}, ${times(stretch.during / Math.max(1, stretch.outside))}`;
}

function seriesOf(scene: Scene, bytes: number[], slice: Slice): Series[] {
  const unit = scene.calendar.unit === 'day' ? ('byte/day' as const) : ('byte' as const);
  const points = (values: number[]) => scene.calendar.starts.map((at, i) => ({ at, value: values[i]! }));
  const each = scene.calendar.unit === 'day' ? 'bytes a day' : 'bytes an hour';
  return [
    { title: `${each}, ${scene.site.name}`, unit, points: points(scene.course.bytes) },
    { title: `${each}, ${sliceText(slice)}`, unit, points: points(bytes) },
  ];
}

/** Something grew, and the evidence cannot decide between two or more stories. */
async function openFinding(
  scene: Scene,
  ranked: Weighed[],
  rivals: Weighed[],
  stretch: Episode,
  all: Course[],
): Promise<Found> {
  const { site, calendar } = scene;
  const first = rivals[0]!;
  const time = await timeOf(scene, {}, stretch);
  const names = rivals.map((r) => r.id).join(' or ');
  const finding: Finding = {
    id: `bandwidth-spent:cannot-tell:${site.name}`,
    investigation: 'bandwidth-spent',
    outcome: 'cannot-tell',
    culprit: null,
    confidence: 'possible',
    subject: { vhost: site.name },
    since: time.since,
    until: time.until,
    ...(time.before ? { sinceBeforeEvidence: true } : {}),
    title: `${site.name} sends ${times(stretch.during / Math.max(1, stretch.outside))} the bytes: ${names}?`,
    impact: [
      {
        says: `${site.name}’s bytes in that time`,
        value: sum(scene.course.bytes.slice(scene.from, scene.to)),
        unit: 'byte',
      },
      {
        says: 'of all sites’ bytes in that time',
        value: rounded((100 * sum(scene.course.bytes.slice(scene.from, scene.to))) / sumDuring(all, scene)),
        unit: 'percent',
      },
    ],
    hypotheses: ranked.map((w) => ({
      id: w.id,
      says: w.says,
      verdict: rivals.includes(w) ? ('undecided' as const) : ('ruled-out' as const),
      weight: Number(w.weight.toFixed(1)),
      facts:
        w === first
          ? [...changeFacts(scene, stretch), ...factsOf(w)]
          : rivals.includes(w)
            ? factsOf(w)
            : factsAgainst(w),
      bring: rivals.includes(w) ? w.bring : [],
    })),
    remedies: [],
    avoid: [],
    check: null,
    notes: await notesOf(scene, first),
    series: seriesOf(scene, scene.course.bytes, {}).slice(0, 1),
  };
  return { finding, measure: { site, slice: {}, unit: calendar.unit } satisfies Measure };
}

// ---- all clear

async function allClear(
  store: Case,
  calendar: Calendar,
  courses: Course[],
  quiet: { course: Course; says: string }[],
): Promise<Clear> {
  const total = sum(courses.map((c) => sum(c.bytes)));
  const step = calendar.unit === 'day' ? 'a day' : 'an hour';
  const together = calendar.starts.map((_, i) => sum(courses.map((c) => c.bytes[i]!)));
  const kept = together.filter((_, i) => calendar.whole[i]);
  const third = Math.max(1, Math.floor(kept.length / 3));
  const early = mean(kept.slice(0, third));
  const late = mean(kept.slice(-third));
  const grew = kept.length >= 6 ? late / Math.max(1, early) : 1;
  const sources = await store.rows<{ path: string; lines: bigint; unread: bigint }>(
    "SELECT path, lines, unread FROM sources WHERE kind = 'access-log' ORDER BY first_at",
  );
  const from = {
    searched: sources.map((s) => s.path),
    lines: sum(sources.map((s) => Number(s.lines))),
    unread: sum(sources.map((s) => Number(s.unread))),
  };
  const growth =
    grew > 1.3
      ? `, ${grew.toFixed(1)} times more in the last third than in the first, spread over sites, agents and pages`
      : grew < 0.77
        ? ', less than before'
        : ', no lasting change';
  return {
    investigation: 'bandwidth-spent',
    says: `bandwidth: ${amount(total)} in all, ${amount(median(kept))} ${step}${growth}`,
    facts: quiet
      .toSorted((a, b) => sum(b.course.bytes) - sum(a.course.bytes))
      .slice(0, 10)
      .map(({ course, says }) => ({
        says,
        amount: { value: sum(course.bytes), unit: 'byte' as const },
        from,
      })),
  };
}

// ---- words

const times = (ratio: number) => `${ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(1)} times`;
const rounded = (n: number) => Number(n.toFixed(1));

function percent(share: number): string {
  const p = share * 100;
  return `${p >= 99.95 ? 100 : p >= 10 ? p.toFixed(0) : p.toFixed(1)} %`;
}

/** Bytes in decimal units, as providers bill them. */
function amount(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${value >= 99.5 || unit === 0 ? value.toFixed(0) : value.toPrecision(2)} ${units[unit]}`;
}

const day = (iso: string) => iso.slice(0, 10);
const when = (iso: string, unit: Calendar['unit']) =>
  unit === 'day' ? day(iso) : iso.slice(0, 16).replace('T', ' ');
