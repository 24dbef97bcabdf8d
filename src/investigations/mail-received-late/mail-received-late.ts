import type { Clear, Fact, Finding, HypothesisVerdict, Note } from '../../findings/finding.js';
import type { MailHop, MailRoute } from '../../findings/mail-route.js';
import type { ReceivedMail } from '../../store/received-mail.js';
import { offBy, type Skewed } from './clocks.js';
import {
  absent,
  type CulpritId,
  neighbours,
  range,
  senderQueued,
  skewInstead,
  skewSays,
  skewSeen,
  slowHop,
  type Weighed,
} from './hypotheses.js';
import {
  askAuthor,
  askOperator,
  fetchSooner,
  keepTime,
  passGreylist,
  queueIdOf,
  readOwnLog,
  type Wait,
} from './remedies.js';
import {
  AUTHOR,
  type Explained,
  explained,
  type Gap,
  holdersOf,
  label,
  placeAt,
  placesOf,
  problemOf,
  type Scene,
  sceneOf,
  timeOf,
  times,
} from './scene.js';
import { iso, utc, wait } from './words.js';

const MAIL_RECEIVED_LATE = 'mail-received-late';
/** What counts as late unless the user says otherwise: nobody expects mail within seconds, nobody waits five minutes. */
export const LATE_S = 300;

/** Accused at this weight and with this lead, as everywhere (bandwidth-spent.md). */
const ACCUSED = { weight: 4, lead: 3 };

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
  return {
    ...base(verdict, titleOf(scene, gap, name, accused)),
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

function titleOf(scene: Scene, gap: Gap, name: string, accused: Weighed | null): string {
  const longest = wait(gap.seconds);
  if (accused?.id === 'slow-hop') {
    const kind = explained(scene, gap)?.kind;
    if (kind === 'greylisting')
      return `Greylisting by ${scene.held[gap.to.hop]!.label} held this mail up for ${longest}`;
    if (kind === 'fetch') return `This mail lay in a mailbox for ${longest} until it was fetched`;
    return `${name} held this mail for ${longest}`;
  }
  if (accused?.id === 'sender-queued')
    return `This mail lay at the sender’s for ${longest} before it was sent`;
  if (accused) return accused.says.replace(/^n/, 'N');
  if (gap.from.hop === AUTHOR)
    return `${longest} passed between this mail’s date and the first server: queued, or a wrong clock`;
  const holders = holdersOf(gap).map((hop) => label(scene, hop));
  return `${longest} passed at ${holders.join(' or ')}: held, or a wrong clock`;
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
