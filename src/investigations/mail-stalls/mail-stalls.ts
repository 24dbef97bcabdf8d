import type { CannotTell, Clear, Fact, Finding, Impact, Note } from '../../findings/finding.js';
import type { Verification } from '../../findings/verification.js';
import type { Case } from '../../store/case.js';
import type { Found, Investigation, Outcome } from '../investigation.js';
import { count, share as percent, plural } from '../mail/words.js';
import { fisherExact } from '../rates.js';
import { captureOf } from './capture.js';
import { circumstancesOf } from './circumstances.js';
import { bytes, captureCommand, type Evidence, type Weighed, weighAll } from './hypotheses.js';
import { type RemedyPlace, remediesFor } from './remedies.js';
import { placesOf, type StallCourse, StallScene } from './scene.js';
import { type Measure, verifyStalls } from './verify.js';

/** Fewer broken tries are a mishap. */
const LEAST_STALLED = 3;
/** Against all other receivers, of messages as large. */
const SIGNIFICANT = 0.02;
const LEAST_SHARE = 0.03;
const CONFIRM_AT = 4;
const LEAST_LEAD = 3;
/** Rivals within this of the first stay open. */
const RIVAL_WITHIN = 5;
const MOST_FINDINGS = 4;

export const mailStalls: Investigation = {
  id: 'mail-stalls',
  asks: 'Why do deliveries break off in mid-transfer?',

  async lacks(store: Case): Promise<CannotTell | null> {
    const row = await store.row<{ n: bigint }>('SELECT count(*) AS n FROM recipient_facts');
    if (row && row.n > 0n) return null;
    return {
      investigation: 'mail-stalls',
      because: 'no mail log with deliveries among the evidence',
      bring: ['Exim’s mainlog or Postfix’s mail.log, and a packet capture of its deliveries if there is one'],
    };
  },

  async run(store: Case): Promise<Outcome> {
    const scene = await StallScene.of(store);
    const around = await circumstancesOf(store);
    const outcome: Outcome = { findings: [], clear: [], cannotTell: [] };
    for (const course of scene.courses) {
      if (outcome.findings.length >= MOST_FINDINGS) break;
      const others = await othersOf(scene, course);
      if (!worthTelling(course, others)) continue;
      const capture = await captureOf(store, course);
      const evidence: Evidence = { scene, course, others, around, capture };
      outcome.findings.push(await findingOf(evidence));
    }
    if (outcome.findings.length === 0) outcome.clear.push(await allClear(scene));
    return outcome;
  },

  verify(store: Case, found: Found, split: string): Promise<Verification> {
    return verifyStalls(store, found.finding, found.measure as Measure, split);
  },
};

/** Broken tries are many, and more than others have with messages as large. */
function worthTelling(course: StallCourse, others: Evidence['others']): boolean {
  const broken = course.stalled.length;
  if (broken < LEAST_STALLED) return false;
  const large = largeOf(course);
  if (broken / course.tries.length < LEAST_SHARE && large.stalled / Math.max(1, large.tries) < 0.3)
    return false;
  return (
    others.large < 3 ||
    fisherExact(
      large.stalled,
      large.tries - large.stalled,
      others.largeStalled,
      others.large - others.largeStalled,
    ) < SIGNIFICANT ||
    // Everybody's large mail breaks off: this server's matter, told once for each.
    others.largeStalled / others.large > 0.3
  );
}

function largeOf(course: StallCourse): { tries: number; stalled: number } {
  const least = Math.min(course.split.bytes, course.smallestStalled);
  const list = course.tries.filter((t) => t.bytes === null || t.bytes >= least);
  return { tries: list.length, stalled: list.filter((t) => t.stalled).length };
}

async function othersOf(scene: StallScene, course: StallCourse): Promise<Evidence['others']> {
  const least = course.smallestStalled;
  const passed = await scene.passedElsewhere(course.id, least);
  const broken = scene.broken.filter((t) => t.provider !== course.id && t.bytes !== null && t.bytes >= least);
  return {
    large: passed.large + broken.length,
    largeStalled: broken.length,
    fastOpen: passed.fastOpen,
    passed: passed.passed,
  };
}

async function findingOf(evidence: Evidence): Promise<Found> {
  const { scene, course, capture, around } = evidence;
  const ranked = weighAll(evidence);
  const [first, second] = ranked as [Weighed, Weighed];
  const lead = first.weight - second.weight;
  // A log shows that a transfer broke off, not what became of its packets: without a capture only a reset is told.
  const seen = capture !== null && capture.stalled.length > 0;
  const decided =
    first.weight >= CONFIRM_AT && lead >= LEAST_LEAD && (seen || first.id === 'connection-reset');
  const rivals = ranked.filter((w, i) => i < 2 || first.weight - w.weight < RIVAL_WITHIN);
  const id = `mail-stalls:${decided ? first.id : 'open'}:${course.id}`;
  const place = await placeOf(scene.store);
  const cure = decided ? remediesFor(first.id, course, around, place) : { remedies: [], avoid: [] };
  const least = course.split.bytes;
  const finding: Finding = {
    id,
    investigation: 'mail-stalls',
    outcome: decided ? 'culprit' : 'cannot-tell',
    culprit: decided ? first.id : null,
    confidence: decided ? confidenceOf(first.weight, lead, seen) : 'possible',
    subject: subjectOf(course),
    since: course.since === null ? null : scene.wall(course.since),
    until: course.until === null ? null : scene.wall(course.until),
    ...(course.before ? { sinceBeforeEvidence: true } : {}),
    title: decided
      ? `${sizeWord(course)}ail to ${course.name} breaks off: ${first.says}`
      : `${sizeWord(course)}ail to ${course.name} breaks off in mid-transfer: ${rivals
          .slice(0, 3)
          .map((w) => w.says)
          .join(', or ')}?`,
    impact: impactOf(course),
    hypotheses: ranked.map((w) => ({
      id: w.id,
      says: w.says,
      verdict: decided
        ? w === first
          ? 'confirmed'
          : 'ruled-out'
        : rivals.includes(w)
          ? 'undecided'
          : 'ruled-out',
      weight: Number(w.weight.toFixed(1)),
      facts: factsOf(w, decided ? w === first : rivals.includes(w)),
      bring: decided ? [] : rivals.includes(w) ? w.bring : [],
    })),
    remedies: cure.remedies,
    avoid: cure.avoid,
    check: decided
      ? {
          command: `culprit verify ${id}${course.until === null ? " --since 'YYYY-MM-DD HH:MM'" : ''}`,
          measures: `broken tries with messages of ${bytes(least)} and more to ${course.name}`,
          before: {
            value: Math.round((1000 * largeOf(course).stalled) / Math.max(1, largeOf(course).tries)) / 10,
            unit: 'percent',
          },
          expects: 'none',
        }
      : null,
    notes: notesOf(evidence, decided, first),
    series: [],
  };
  return { finding, measure: { provider: course.id, least } satisfies Measure };
}

const sizeWord = (course: StallCourse): string => (course.smallestStalled > 30_000 ? 'Large m' : 'M');

function confidenceOf(weight: number, lead: number, seen: boolean): Finding['confidence'] {
  if (seen && weight >= 9 && lead >= 6) return 'certain';
  return weight >= 6 && lead >= 4 ? 'likely' : 'possible';
}

/** For a culprit what speaks for it, strongest first; for the others what speaks against them. */
function factsOf(w: Weighed, favoured: boolean): Fact[] {
  const signs = w.signs.toSorted((a, b) => (favoured ? b.weight - a.weight : a.weight - b.weight));
  const telling = favoured ? signs.filter((s) => s.weight > 0) : signs.filter((s) => s.weight < 0);
  const list = (telling.length > 0 ? telling : signs).slice(0, favoured ? 8 : 4);
  if (list.length === 0) return [];
  return list.map(({ weight: _, ...fact }) => fact);
}

function subjectOf(course: StallCourse): Record<string, string> {
  const host = course.stalled.find((t) => t.host !== null)?.host;
  return { provider: course.id, name: course.name, ...(host ? { mailHost: host } : {}) };
}

function impactOf(course: StallCourse): Impact[] {
  const large = largeOf(course);
  const lost = course.stalled.flatMap((t) => (t.written === null ? [] : [t.written]));
  return [
    {
      says: `deliveries to ${course.name} broke off while the message was sent`,
      value: course.stalled.length,
      unit: 'attempt',
    },
    {
      says: `of those with messages of ${bytes(Math.min(course.split.bytes, course.smallestStalled))} and more`,
      value: Math.round((1000 * large.stalled) / Math.max(1, large.tries)) / 10,
      unit: 'percent',
    },
    ...(lost.length > 0
      ? [
          {
            says: 'handed to the network in vain',
            value: lost.reduce((a, b) => a + b, 0),
            unit: 'byte' as const,
          },
        ]
      : []),
  ];
}

function notesOf({ course, around, capture }: Evidence, decided: boolean, first: Weighed): Note[] {
  const notes: Note[] = [];
  if (!decided) notes.push({ says: `what would decide it: ${captureCommand(course)}`, from: [] });
  if (decided && first.id === 'fast-open-acks-dropped') {
    notes.push({
      says: 'Small messages fit into what the tracker believes the window to be, so they pass; a first connection to an address has no cookie yet, and carries any size',
      from: [],
    });
    notes.push({
      says: 'Window scaling off “helps” because a scale that is 0 from the start cannot be lost',
      from: [],
    });
    if (capture?.mechanism) notes.push({ says: capture.mechanism.says, from: capture.mechanism.from });
    if (course.until !== null)
      notes.push({
        says: 'the settings among the evidence may be those after the cure',
        from: around.eximFastOpen?.from ?? [],
      });
  }
  const waiting = course.stalled.length - new Set(course.stalled.map((t) => `${t.bytes} ${t.host}`)).size;
  if (waiting > 0)
    notes.push({
      says: `messages were tried again and broke off again: ${plural(waiting, 'repeat')}`,
      from: placesOf(course.stalled, 2),
    });
  return notes;
}

async function placeOf(store: Case): Promise<RemedyPlace> {
  const transport = await store.row<{ section: string; path: string; line: number }>(
    `SELECT t.section, s.path, t.line FROM settings t JOIN sources s USING (source_id)
     WHERE t.program = 'exim' AND starts_with(t.section, 'transport ') AND t.name = 'driver' AND t.value = 'smtp'
     ORDER BY t.seq LIMIT 1`,
  );
  const rule = await store.row<{ text: string; path: string; line: number }>(
    `SELECT f.rule AS text, s.path, f.line FROM filter_rules f JOIN sources s USING (source_id)
     WHERE f.matches_invalid AND f.verdict IN ('drop', 'reject') ORDER BY f.line LIMIT 1`,
  );
  return {
    transport: transport
      ? { name: transport.section.slice('transport '.length), path: transport.path, line: transport.line }
      : null,
    rule: rule ?? null,
    postfix: false,
  };
}

async function allClear(scene: StallScene): Promise<Clear> {
  const { passed, largest } = await scene.passedElsewhere(null, 0);
  const broken = scene.broken.length;
  return {
    investigation: 'mail-stalls',
    says: `transfers: ${plural(passed, 'message')} handed over, ${broken === 0 ? 'none' : count(broken)} broke off; the largest has ${bytes(largest)}`,
    facts: [
      {
        says: `${broken === 0 ? 'no delivery' : plural(broken, 'attempt')} ended with a timeout or a reset while the message was sent (${percent(broken / Math.max(1, passed + broken))})`,
        from: scene.searched(),
      },
    ],
  };
}
