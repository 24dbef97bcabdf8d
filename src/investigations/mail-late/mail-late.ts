import type { CannotTell, Clear, Fact, Finding, Impact, Note } from '../../findings/finding.js';
import type { Verification } from '../../findings/verification.js';
import type { Case } from '../../store/case.js';
import type { Found, Investigation, Outcome } from '../investigation.js';
import { count, duration, share as percent, plural } from '../mail/words.js';
import { fisherExact, type Stretch, stretchOf } from '../rates.js';
import {
  type CulpritId,
  type Evidence,
  lateness,
  PERSONAL,
  quote,
  type Weighed,
  weighAll,
} from './hypotheses.js';
import { changesNear, remediesFor } from './remedies.js';
import { type Kind, MailScene, type ProviderCourse, STALLED } from './scene.js';
import { type Measure, verifyLateness } from './verify.js';

/** Fewer late recipients are a mishap; a smaller part of a provider's mail, or of all late mail, is no story. */
const LEAST_LATE = 3;
const LEAST_SHARE = 0.05;
const LEAST_OF_ALL_LATE = 0.05;
/** In logs of months a bad day is a small part: then it must be a stretch in which most were late. */
const LEAST_IN_STRETCH = 6;
const LEAST_SHARE_IN_STRETCH = 0.5;
const LEAST_SHARE_OF_STRETCH = 0.01;
/** Fisher's exact test: late mail to this provider against all others'. */
const SIGNIFICANT = 0.001;
const CONFIRM_AT = 3;
const LEAST_LEAD = 3;
const MOST_FINDINGS = 6;
/** Providers looked at, those with the most late mail first: before findings of one cause become one. */
const MOST_JUDGED = 24;
/** So many receivers that each greylist are one finding: what is to be done is the same for all. */
const ALIKE_FROM = 3;
const MOST_NAMED = 8;
/** Of a provider's waiting, so much in mid-transfer: then it is the question of mail-stalls. */
const STALLING = 0.5;
/** When this part of all providers with late mail has the same local cause, it is one finding about this server. */
const COMMON = 0.6;

export const mailLate: Investigation = {
  id: 'mail-late',
  asks: 'Why is mail to this provider late?',

  async lacks(store: Case): Promise<CannotTell | null> {
    const row = await store.row<{ n: bigint }>('SELECT count(*) AS n FROM recipient_facts');
    if (row && row.n > 0n) return null;
    return {
      investigation: 'mail-late',
      because: 'no mail log with deliveries among the evidence',
      bring: ['Exim’s mainlog or Postfix’s mail.log, rotated parts included'],
    };
  },

  async run(store: Case): Promise<Outcome> {
    const scene = await MailScene.of(store);
    if (scene.providers.length === 0) return { findings: [], clear: [localOnly(scene)], cannotTell: [] };
    const outcome: Outcome = { findings: [], clear: [], cannotTell: [] };
    const queueing = await localQueueing(scene);
    if (queueing) outcome.findings.push(queueing);
    const judged = await judgeProviders(scene);
    outcome.cannotTell.push(...judged.cannotTell);
    outcome.findings.push(...(await merged(scene, judged.found)));
    if (outcome.findings.length === 0 && outcome.cannotTell.length === 0)
      outcome.clear.push(allClear(scene, judged.asides));
    return outcome;
  },

  verify(store: Case, found: Found, split: string): Promise<Verification> {
    return verifyLateness(store, found.finding, found.measure as Measure, split);
  },
};

interface Judged {
  course: ProviderCourse;
  evidence: Evidence;
  ranked: Weighed[];
  culprit: Weighed | null;
}

async function judgeProviders(
  scene: MailScene,
): Promise<{ found: Judged[]; cannotTell: CannotTell[]; asides: Fact[] }> {
  const all = { recipients: sumOf(scene, 'recipients'), late: sumOf(scene, 'late') };
  const lateAtLiving = scene.providers.reduce((n, p) => n + (p.delivered > 0 ? p.late : 0), 0);
  const found: Judged[] = [];
  const cannotTell: CannotTell[] = [];
  const asides: Fact[] = [];
  for (const course of scene.providers) {
    if (found.length >= MOST_JUDGED) break;
    if (course.late < LEAST_LATE) continue;
    // What goes to domains that never take anything is no measure for those that do.
    if (course.late < LEAST_OF_ALL_LATE * (course.delivered > 0 ? lateAtLiving : all.late)) continue;
    if (course.late < LEAST_SHARE * course.recipients && !(await lateInAStretch(scene, course))) continue;
    const kinds = await scene.kindsOf(course.id);
    const evidence = evidenceOf(scene, course, kinds, all);
    if (evidence.shareOf((k) => PERSONAL.includes(k.class)) > 0.5) {
      asides.push(await ownMatter(evidence));
      continue;
    }
    if (course.delivered === 0 && course.failed > 0 && evidence.shareOf((k) => k.class === 'dns') > 0.5) {
      asides.push(await deadDomain(evidence));
      continue;
    }
    const stalled = evidence.shareOf((k) => k.stalled);
    if (stalled >= STALLING) {
      asides.push(await breaksOff(evidence, stalled));
      continue;
    }
    if (course.late >= LEAST_LATE * 2) evidence.behaviour = await behaviour(scene, course);
    const ranked = await weighAll(evidence);
    const [first, second] = ranked;
    if (!first || first.weight < CONFIRM_AT) {
      cannotTell.push(noStory(course, kinds));
      continue;
    }
    const lead = first.weight - (second?.weight ?? -10);
    found.push({ course, evidence, ranked, culprit: lead >= LEAST_LEAD ? first : null });
  }
  return { found, cannotTell, asides };
}

/** Late for a reason of the recipient’s own: a full mailbox is no story about the provider. */
async function ownMatter({ course, kinds, places }: Evidence): Promise<Fact> {
  const kind = kinds.find((k) => PERSONAL.includes(k.class))!;
  return {
    says: `${plural(course.late, 'recipient')} at ${course.name} got mail late for a reason of their own: ${kind.class.replaceAll('-', ' ')} (${quote(kind.text)})`,
    amount: { value: course.late, unit: 'recipient' },
    from: await places(`class = '${kind.class}'`),
  };
}

/** Looked up in vain until it was given up, and nothing ever got there: the domain is dead or misspelt, not late. */
async function deadDomain({ course, kinds, places }: Evidence): Promise<Fact> {
  const kind = kinds.find((k) => k.class === 'dns')!;
  return {
    says: `nothing was ever delivered to ${course.name}, and mail to it was given up (${quote(kind.text)}): the domain is dead, its name servers are, or it is misspelt; dig MX ${course.name} tells`,
    amount: { value: course.late, unit: 'recipient' },
    from: await places("class = 'dns'"),
  };
}

/** Whether a provider's late mail lies together: a stretch of its mail, in order of arrival, in which most was late. */
async function lateInAStretch(scene: MailScene, course: ProviderCourse): Promise<boolean> {
  if (course.late < Math.max(LEAST_IN_STRETCH, LEAST_SHARE_OF_STRETCH * course.recipients)) return false;
  const stretch = stretchOf(await scene.latenessOf(course.id));
  if (!stretch || stretch.inside < LEAST_SHARE_IN_STRETCH) return false;
  return stretch.inside * (stretch.to - stretch.from) >= LEAST_IN_STRETCH;
}

const sumOf = (scene: MailScene, key: 'recipients' | 'late') =>
  scene.providers.reduce((n, p) => n + p[key], 0);

function evidenceOf(
  scene: MailScene,
  course: ProviderCourse,
  kinds: Kind[],
  all: Evidence['others'],
): Evidence {
  const refusals = kinds.reduce((n, k) => n + k.refusals, 0);
  const waited = kinds.reduce((n, k) => n + k.waited, 0);
  // Time where it is known (a refusal that no other try follows has none), else the number of refusals.
  const part = (k: Kind) => (waited > 0 ? k.waited / waited : k.refusals / Math.max(1, refusals));
  return {
    course,
    kinds,
    refusals,
    shareOf: (fits) => kinds.reduce((sum, k) => sum + (fits(k) ? part(k) : 0), 0),
    behaviour: null,
    places: (where) => scene.places(course.id, where),
    scene,
    others: { recipients: all.recipients - course.recipients, late: all.late - course.late },
  };
}

async function behaviour(scene: MailScene, course: ProviderCourse): Promise<Evidence['behaviour']> {
  const b = await scene.behaviourOf(course.id);
  const says =
    b.greylisting.score > b.throttling.score
      ? (b.greylisting.reasons[0] ?? 'each sender and recipient waited a fixed time')
      : (b.throttling.reasons[0] ?? 'no fixed wait of each sender and recipient shows');
  return { greylisting: b.greylisting.score, throttling: b.throttling.score, says };
}

/** Late because transfers break off: mail-stalls asks why. */
async function breaksOff({ course, kinds, places }: Evidence, stalled: number): Promise<Fact> {
  const worst = kinds.find((k) => k.stalled);
  return {
    says: `mail to ${course.name} is late because deliveries break off while the message is sent (${percent(stalled)} of the waiting${worst ? `, ${quote(worst.text)}` : ''}): that is what mail-stalls is about`,
    amount: { value: course.late, unit: 'recipient' },
    from: await places(STALLED),
  };
}

function noStory(course: ProviderCourse, kinds: Kind[]): CannotTell {
  const [worst] = kinds;
  return {
    investigation: 'mail-late',
    because: `${plural(course.late, 'recipient')} at ${course.name} got mail late${worst ? ` after ${quote(worst.text)}` : ''}, and no known story fits well enough`,
    bring: ['logs of more days, and the mail program’s configuration'],
  };
}

/** Findings of single providers; those that share a cause on this side, and all that greylist, become one. */
async function merged(scene: MailScene, found: Judged[]): Promise<Found[]> {
  const common = commonCause(scene, found);
  const greylisting = found.filter((j) => j.culprit?.id === 'greylisting');
  const groups: { those: Judged[]; says: string }[] = [];
  if (common)
    groups.push({
      those: found.filter((j) => j.culprit?.id === common),
      says: 'look for it on this server or its network before asking a provider',
    });
  if (greylisting.length >= ALIKE_FROM)
    groups.push({ those: greylisting, says: 'each for itself; the most late mail first' });
  const grouped = new Set(groups.flatMap((g) => g.those));
  const findings: Found[] = [];
  for (const group of groups) findings.push(await groupFinding(scene, group.those, group.says));
  for (const judged of found) {
    if (findings.length >= MOST_FINDINGS) break;
    if (grouped.has(judged)) continue;
    findings.push(judged.culprit ? await culpritFinding(scene, judged) : await openFinding(scene, judged));
  }
  return findings;
}

/** One finding of several providers, told by the one with the most late mail. */
async function groupFinding(scene: MailScene, those: Judged[], says: string): Promise<Found> {
  const [widest] = those;
  const { finding, measure } = await culpritFinding(scene, widest!);
  const { id, says: story } = widest!.culprit!;
  const names = those.slice(0, MOST_NAMED).map((j) => j.course.name);
  const list = `${names.join(', ')}${those.length > names.length ? ` and ${those.length - names.length} more` : ''}`;
  finding.id = `mail-late:${id}:all`;
  finding.subject = { providers: list };
  finding.title = `Mail to ${plural(those.length, 'provider')} is late: ${story}`;
  finding.impact.unshift({
    says: `at ${plural(those.length, 'provider')} got mail late`,
    value: those.reduce((n, j) => n + j.course.late, 0),
    unit: 'recipient',
  });
  finding.notes.unshift({ says: `the same cause at ${list}: ${says}`, from: [] });
  if (finding.check)
    finding.check.command = finding.check.command.replace(`mail-late:${id}:${widest!.course.id}`, finding.id);
  (measure as Measure).providers = those.map((j) => j.course.id);
  return { finding, measure };
}

/** A cause that lies on this side, when it is that of the providers that most of all mail goes to. */
function commonCause(scene: MailScene, found: Judged[]): CulpritId | null {
  const local: CulpritId[] = ['dns-failure', 'unreachable-host', 'tls-failure', 'own-retry-rule'];
  for (const id of local) {
    const those = found.filter((j) => j.culprit?.id === id);
    const mail = those.reduce((n, j) => n + j.course.recipients, 0);
    if (
      those.length >= 3 &&
      those.length >= COMMON * found.length &&
      mail >= COMMON * sumOf(scene, 'recipients')
    )
      return id;
  }
  return null;
}

// ---- findings

async function timesOf(
  scene: MailScene,
  course: ProviderCourse,
): Promise<{ stretch: Stretch | null; since: string | null; until: string | null; before: boolean }> {
  const attempts = await scene.attemptsOf(course.id, null);
  const stretch = stretchOf(attempts.map((a) => a.refused));
  const refused = attempts.filter((a) => a.refused);
  const inside = stretch ? attempts.slice(stretch.from, stretch.to).filter((a) => a.refused) : refused;
  const first = inside[0] ?? refused[0];
  const last = inside.at(-1) ?? refused.at(-1);
  if (!first || !last) return { stretch, since: null, until: null, before: false };
  const acceptedBefore = attempts.some((a) => a.at < first.at && !a.refused);
  const after = attempts.filter((a) => a.at > last.at);
  const acceptedAfter = after.filter((a) => !a.refused).length;
  const refusedAfter = after.length - acceptedAfter;
  const ended =
    acceptedAfter >= 3 &&
    refusedAfter * 10 <= acceptedAfter &&
    (stretch ? stretch.to < attempts.length : false);
  return {
    stretch,
    since: scene.wall(first.at),
    until: ended ? scene.wall(last.at) : null,
    before: !acceptedBefore,
  };
}

function confidenceOf(weight: number, lead: number): Finding['confidence'] {
  if (weight >= 5 && lead >= 6) return 'certain';
  return weight >= 4 && lead >= 4 ? 'likely' : 'possible';
}

function impactOf({ course }: Judged, all: MailScene): Impact[] {
  const { spent } = course;
  const impacts: Impact[] = [
    { says: `at ${course.name} got mail late`, value: course.late, unit: 'recipient' },
    {
      says: `of the mail to ${course.name}`,
      value: Math.round((1000 * course.late) / course.recipients) / 10,
      unit: 'percent',
    },
    { says: 'late by, median', value: Math.round(course.lateDelays.median), unit: 'second' },
    { says: 'late by, 90 of 100', value: Math.round(course.lateDelays.p90), unit: 'second' },
    { says: 'late by, 99 of 100', value: Math.round(course.lateDelays.p99), unit: 'second' },
    { says: 'late by, at worst', value: Math.round(course.lateDelays.max), unit: 'second' },
    {
      says: 'never delivered as far as the logs go (bounced, or in the queue still)',
      value: course.never,
      unit: 'recipient',
    },
  ].filter((i) => Number.isFinite(i.value)) as Impact[];
  if (spent.total > 0) {
    const part = (seconds: number) => Math.round((1000 * seconds) / spent.total) / 10;
    impacts.push(
      {
        says: 'of the delay the receiver refused (first to last refusal)',
        value: part(spent.refused),
        unit: 'percent',
      },
      {
        says: 'of the delay lies between the last refusal and the try that was taken: this server’s retry time',
        value: part(spent.ownRetry),
        unit: 'percent',
      },
      { says: 'of the delay lies before the first try', value: part(spent.beforeFirst), unit: 'percent' },
    );
  }
  if (Number.isFinite(all.usual))
    impacts.push({
      says: 'usual delay of mail that was never put off',
      value: Math.round(all.usual * 10) / 10,
      unit: 'second',
    });
  return impacts;
}

async function factsFor(judged: Judged, times: Awaited<ReturnType<typeof timesOf>>): Promise<Fact[]> {
  const { course, evidence } = judged;
  const { others } = evidence;
  const facts: Fact[] = [
    {
      says: `${lateness(course)}; ${count(course.deferred)} of ${count(course.recipients)} were put off at least once`,
      amount: { value: course.late, unit: 'recipient' },
      from: await evidence.places(),
    },
  ];
  if (others.recipients > 0) {
    const p = fisherExact(
      course.late,
      course.recipients - course.late,
      others.late,
      others.recipients - others.late,
    );
    facts.push({
      says: `${count(others.late)} of ${plural(others.recipients, 'other recipient')} were late (${p < SIGNIFICANT ? 'not by chance' : 'may be chance'}, p = ${p.toPrecision(1)})`,
      amount: { value: others.late, unit: 'recipient' },
      from: evidence.scene.searched(),
    });
  }
  if (times.since && !times.before)
    facts.push({
      says: `${course.name} took mail at once until ${times.since.replace('T', ' ')}`,
      from: await evidence.places(),
    });
  return facts;
}

const factsOf = (w: Weighed): Fact[] => w.signs.map(({ weight: _, ...fact }) => fact);
const factsAgainst = (w: Weighed): Fact[] =>
  factsOf({ ...w, signs: w.signs.toSorted((a, b) => a.weight - b.weight) });

async function culpritFinding(scene: MailScene, judged: Judged): Promise<Found> {
  const { course, evidence, ranked } = judged;
  const culprit = judged.culprit!;
  const times = await timesOf(scene, course);
  const lead = culprit.weight - (ranked[1]?.weight ?? -10);
  const own = await factsFor(judged, times);
  const id = `mail-late:${culprit.id}:${course.id}`;
  const measure: Measure = { providers: [course.id], lateFrom: scene.lateFrom };
  const said = evidence.kinds.find((k) => !k.stalled);
  const { impact: savings, ...cure } = await remediesFor(scene, culprit.id, course, evidence.kinds);
  const finding: Finding = {
    id,
    investigation: 'mail-late',
    outcome: 'culprit',
    culprit: culprit.id,
    confidence: confidenceOf(culprit.weight, lead),
    subject: await subjectOf(scene, course, said),
    since: times.since,
    until: times.until,
    ...(times.before ? { sinceBeforeEvidence: true } : {}),
    title: `Mail to ${course.name} is late: ${culprit.says}`,
    impact: [...impactOf(judged, scene), ...savings],
    hypotheses: ranked.map((w) => ({
      id: w.id,
      says: w.says,
      verdict: w === culprit ? ('confirmed' as const) : ('ruled-out' as const),
      weight: Number(w.weight.toFixed(1)),
      facts: w === culprit ? [...own, ...factsOf(w)] : factsAgainst(w),
      bring: [],
    })),
    ...cure,
    check: {
      command: `culprit verify ${id}${times.until ? '' : " --since 'YYYY-MM-DD HH:MM'"}`,
      measures: `delay of mail to ${course.name}`,
      before: { value: Math.round(course.lateDelays.median), unit: 'second' },
      expects: Number.isFinite(scene.usual)
        ? `about ${duration(scene.usual)}, as mail that is never put off`
        : 'no refusals',
    },
    notes: await notesOf(scene, judged, times.since),
    series: [],
  };
  return { finding, measure };
}

async function openFinding(scene: MailScene, judged: Judged): Promise<Found> {
  const { course, ranked, evidence } = judged;
  const rivals = ranked.filter((w) => ranked[0]!.weight - w.weight < LEAST_LEAD);
  const times = await timesOf(scene, course);
  const own = await factsFor(judged, times);
  const finding: Finding = {
    id: `mail-late:open:${course.id}`,
    investigation: 'mail-late',
    outcome: 'cannot-tell',
    culprit: null,
    confidence: 'possible',
    subject: await subjectOf(scene, course, evidence.kinds[0]),
    since: times.since,
    until: times.until,
    ...(times.before ? { sinceBeforeEvidence: true } : {}),
    title: `Mail to ${course.name} is late: ${rivals.map((w) => w.says).join(', or ')}?`,
    impact: impactOf(judged, scene),
    hypotheses: ranked.map((w) => ({
      id: w.id,
      says: w.says,
      verdict: rivals.includes(w) ? ('undecided' as const) : ('ruled-out' as const),
      weight: Number(w.weight.toFixed(1)),
      facts: w === ranked[0] ? [...own, ...factsOf(w)] : rivals.includes(w) ? factsOf(w) : factsAgainst(w),
      bring: rivals.includes(w) ? w.bring : [],
    })),
    remedies: [],
    avoid: [],
    check: null,
    notes: await notesOf(scene, judged, times.since),
    series: [],
  };
  return { finding, measure: { providers: [course.id], lateFrom: scene.lateFrom } satisfies Measure };
}

async function subjectOf(
  scene: MailScene,
  course: ProviderCourse,
  kind: Kind | undefined,
): Promise<Record<string, string>> {
  const host = await scene.store.row<{ mx: string | null; domain: string | null }>(
    `SELECT mode(mx) AS mx, mode(domain) AS domain FROM judged WHERE provider = $1 AND late`,
    [course.id],
  );
  return {
    provider: course.id,
    name: course.name,
    ...(host?.mx ? { mailHost: host.mx } : {}),
    ...(host?.domain ? { domain: host.domain } : {}),
    ...(kind ? { reason: kind.class } : {}),
  };
}

async function notesOf(
  scene: MailScene,
  { evidence, course }: Judged,
  since: string | null,
): Promise<Note[]> {
  const notes: Note[] = [];
  for (const k of evidence.kinds.slice(0, 4))
    notes.push({
      says: `${plural(k.refusals, 'refusal')} (${k.class.replaceAll('-', ' ')}${k.phase ? `, at ${k.phase}` : ''}): ${quote(k.text)}`,
      amount: { value: k.refusals, unit: 'refusal' },
      from: [],
    });
  if (course.waiting > 0)
    notes.push({
      says: `${plural(course.waiting, 'recipient')} still waiting when the logs end: counted as neither delivered nor lost`,
      from: [],
    });
  notes.push(...(await changesNear(scene, since)));
  return notes;
}

// ---- this server's own queue

/** Mail to everybody waits before it is tried: nobody's fault but this server's. */
async function localQueueing(scene: MailScene): Promise<Found | null> {
  const row = await scene.store.row<{
    n: bigint;
    providers: bigint;
    slow: bigint;
    slow_providers: bigint;
    median: number | null;
    p90: number | null;
    most: number | null;
    total: number | null;
    before: number | null;
    dialogue: number | null;
    first: number | null;
    last: number | null;
  }>(
    `WITH firsts AS (
       SELECT j.provider, j.began_at, j.arrived_at, j.delay,
              greatest(0, coalesce(
                (a.before_ms + a.active_ms) / 1000.0,
                epoch(j.first_attempt_at) - epoch(j.arrived_at) - coalesce(a.delivery_ms, 0) / 1000.0)) AS waited,
              coalesce(a.delivery_ms, a.connect_ms + a.transmit_ms) / 1000.0 AS dialogue
       FROM judged j JOIN attempt_facts a USING (message_no, address_id)
       WHERE j.arrived_at IS NOT NULL AND a.attempted_at = j.first_attempt_at AND a.made)
     SELECT count(*) AS n, count(DISTINCT provider) AS providers, count(*) FILTER (waited >= 5) AS slow,
            count(DISTINCT provider) FILTER (waited >= 5) AS slow_providers, median(waited) AS median,
            quantile_cont(waited, 0.9) AS p90, max(waited) AS most, sum(delay) AS total, sum(waited) AS before,
            median(dialogue) AS dialogue, epoch(min(arrived_at) FILTER (waited >= 5)) AS first,
            epoch(max(arrived_at) FILTER (waited >= 5)) AS last
     FROM firsts`,
  );
  if (!row || row.median === null || Number(row.n) < LEAST_LATE) return null;
  const share = Number(row.slow) / Number(row.n);
  const inRuns = await queueRunShare(scene);
  const waiting = await scene.store.rows<{ text: string | null; n: bigint; path: string; line: number }>(
    `SELECT y.text, count(*) AS n, any_value(s.path) AS path, min(f.line) AS line FROM mail_facts f
     JOIN reply_texts y ON y.id = f.reply_id JOIN sources s USING (source_id)
     WHERE f.kind = 13 AND y.text LIKE 'no immediate delivery%' GROUP BY y.text ORDER BY n DESC LIMIT 3`,
  );
  const put = waiting.reduce((n, w) => n + Number(w.n), 0);
  // A slow dialogue looks the same in a log without DT: then queue runs or the program's own words must speak.
  const proof = row.dialogue !== null || inRuns >= 0.6 || put * 3 >= Number(row.n);
  const everywhere = Number(row.slow_providers) >= Math.max(1, COMMON * Number(row.providers));
  if (share < 0.5 || row.median < Math.max(5, 3 * (row.dialogue ?? 0)) || !everywhere || !proof) return null;
  const places = await scene.store.rows<{ path: string; line: number }>(
    `SELECT s.path, j.line FROM judged j JOIN sources s USING (source_id)
     WHERE j.before_first >= 5 ORDER BY j.before_first DESC LIMIT 3`,
  );
  const weight = 4 + (everywhere ? 2 : 0) + (inRuns >= 0.6 ? 3 : 0) + (put > 0 ? 3 : 0);
  const facts: Fact[] = [
    {
      says: `${count(Number(row.slow))} of ${plural(Number(row.n), 'recipient')} waited 5 s or more before the first try: ${duration(row.median)} (median), ${duration(row.p90!)} (90 %), ${duration(row.most!)} at worst`,
      amount: { value: Math.round(row.median), unit: 'second' },
      from: places,
    },
    {
      says: `at ${row.slow_providers} of ${plural(Number(row.providers), 'provider')}: no provider is slower than the others`,
      from: scene.searched(),
    },
    ...(inRuns >= 0.3
      ? [
          {
            says: `${percent(inRuns)} of the first tries came right after a queue run had begun`,
            from: scene.searched(),
          },
        ]
      : []),
    ...waiting.map((w) => ({
      says: `${plural(Number(w.n), 'message')}: ${quote(w.text ?? '')}`,
      from: [{ path: w.path, line: w.line }],
    })),
  ];
  const cure = await remediesFor(
    scene,
    'local-queueing',
    { ...scene.providers[0]!, id: 'all', name: 'everybody' },
    [],
  );
  const finding: Finding = {
    id: 'mail-late:local-queueing:all',
    investigation: 'mail-late',
    outcome: 'culprit',
    culprit: 'local-queueing',
    confidence: confidenceOf(weight, weight),
    subject: { provider: 'all' },
    since: row.first === null ? null : scene.wall(row.first),
    until: null,
    title: 'Mail to everybody is late: it waits in this server’s own queue before it is tried',
    impact: [
      { says: 'had their mail wait before the first try', value: Number(row.slow), unit: 'recipient' },
      { says: 'waited, median', value: Math.round(row.median), unit: 'second' },
      { says: 'waited, 90 of 100', value: Math.round(row.p90!), unit: 'second' },
      {
        says: 'of all delay lies before the first try',
        value: Math.round((1000 * (row.before ?? 0)) / Math.max(1e-9, row.total ?? 0)) / 10,
        unit: 'percent',
      },
    ],
    hypotheses: [
      {
        id: 'local-queueing',
        says: 'mail waits in this server’s own queue before it is tried',
        verdict: 'confirmed',
        weight,
        facts,
        bring: [],
      },
      {
        id: 'provider-deferral',
        says: 'a receiver puts this server’s mail off',
        verdict: 'ruled-out',
        weight: -6,
        facts: [
          {
            says: 'the wait lies before the first try, when no receiver had been asked',
            from: scene.searched(),
          },
        ],
        bring: [],
      },
    ],
    remedies: cure.remedies,
    avoid: cure.avoid,
    check: {
      command: "culprit verify mail-late:local-queueing:all --since 'YYYY-MM-DD HH:MM'",
      measures: 'delay of all mail',
      before: { value: Math.round(row.median), unit: 'second' },
      expects: 'a second or two',
    },
    notes: [],
    series: [],
  };
  return { finding, measure: { providers: [], lateFrom: scene.lateFrom } satisfies Measure };
}

/** Part of the first tries that were logged within 5 s of a queue run's start, where runs are further apart. */
async function queueRunShare(scene: MailScene): Promise<number> {
  const row = await scene.store.row<{ share: number | null; every: number | null }>(
    `WITH runs AS (SELECT logged_at FROM mail_facts WHERE kind = 14),
     gaps AS (SELECT epoch(logged_at) - epoch(lag(logged_at) OVER (ORDER BY logged_at)) AS gap FROM runs),
     tries AS (SELECT j.first_attempt_at AS t, epoch(j.first_attempt_at) - epoch(j.arrived_at) AS waited FROM judged j
               WHERE j.first_attempt_at IS NOT NULL AND j.arrived_at IS NOT NULL)
     SELECT avg(CASE WHEN r.logged_at IS NOT NULL AND waited >= 5 AND epoch(t) - epoch(r.logged_at) <= 5 THEN 1 ELSE 0 END) AS share,
            (SELECT median(gap) FROM gaps) AS every
     FROM tries ASOF LEFT JOIN runs r ON tries.t >= r.logged_at`,
  );
  return row?.share != null && row.every != null && row.every > 12 ? row.share : 0;
}

// ---- all clear

function localOnly(scene: MailScene): Clear {
  return {
    investigation: 'mail-late',
    says: 'mail: no delivery to another host in the logs',
    facts: [{ says: 'only mail for this machine itself', from: scene.searched() }],
  };
}

function allClear(scene: MailScene, asides: Fact[]): Clear {
  const recipients = sumOf(scene, 'recipients');
  const deferred = scene.providers.reduce((n, p) => n + p.deferred, 0);
  const most = scene.providers.toSorted((a, b) => b.recipients - a.recipients).slice(0, 8);
  return {
    investigation: 'mail-late',
    says: `mail: ${plural(recipients, 'recipient')} at ${plural(scene.providers.length, 'provider')}, ${deferred === 0 ? 'none' : count(deferred)} put off; usually delivered in ${duration(scene.usual)}`,
    facts: [
      ...asides,
      ...most.map((p) => ({
        says: `${p.name}: ${plural(p.recipients, 'recipient')}, delivered in ${duration(p.delays.median)} (median), ${duration(p.delays.p90)} (90 %), ${duration(p.delays.p99)} (99 %)${p.deferred > 0 ? `; ${count(p.deferred)} put off` : ''}`,
        amount: {
          value: Number.isFinite(p.delays.p90) ? Math.round(p.delays.p90 * 10) / 10 : 0,
          unit: 'second' as const,
        },
        from: scene.searched(),
      })),
    ],
  };
}
