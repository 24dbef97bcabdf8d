import {
  type ConnectionFact,
  type ConnectionOutcome,
  type ConnectionStory,
  endpoint,
  type FoundConnection,
} from '../../findings/connection-story.js';
import type { Fact } from '../../findings/finding.js';
import { WIDEST } from './examine.js';
import { labelled, textWidth } from './labelled.js';
import { bytesShort, count, date, seconds } from './numbers.js';
import { type Names, seenAt, shortNames } from './place.js';
import type { Screen, Style } from './style.js';
import { type Column, table } from './table.js';
import { flow, hanging, indent, type Line, padStart, print, type Span, span, withRight } from './text.js';
import { timeSequence } from './time-sequence.js';

const LOOKS: Record<ConnectionOutcome, Style> = {
  unanswered: 'culprit',
  refused: 'culprit',
  stalled: 'culprit',
  reset: 'warning',
  closed: 'good',
  'half-closed': 'plain',
  open: 'open',
};

const HEADINGS: Record<ConnectionFact['about'], { label: string; style: Style }> = {
  stall: { label: 'STALL', style: 'culprit' },
  resent: { label: 'RESENT', style: 'warning' },
  window: { label: 'WINDOW', style: 'warning' },
  path: { label: 'PATH', style: 'warning' },
  pause: { label: 'PAUSES', style: 'label' },
  end: { label: 'END', style: 'label' },
};

const GRAPH_HEIGHT = 18;
const MOST_PHASES = 24;

/** One connection: what it was, its phases, what went wrong, and its graph. */
export function renderConnection(story: ConnectionStory, screen: Screen): string {
  const width = Math.min(WIDEST, screen.width);
  const text = textWidth(width);
  const names = shortNames([story.capture]);
  const about = (id: ConnectionFact['about']): Line[] => {
    const { label, style } = HEADINGS[id];
    const facts = story.facts.filter((f) => f.about === id);
    return labelled(
      label,
      style,
      facts.flatMap((f) => factLines(f, names, text)),
      width,
    );
  };
  const blocks: Line[][] = [
    [...head(story, width), ...indent(identity(story, names, width - 3), 3)],
    labelled('PHASES', 'label', phaseLines(story, names, text), width),
    ...(['stall', 'resent', 'window', 'path', 'pause', 'end'] as const).map(about),
    [
      ...hanging([span(graphTitle(story), 'dim')], width, 3),
      ...timeSequence(story, width, GRAPH_HEIGHT, screen.unicode),
    ],
  ];
  return print(
    blocks.filter((b) => b.length > 0).flatMap((b, i) => (i === 0 ? b : [[], ...b])),
    screen,
  );
}

function head({ originator, responder, outcome, says }: ConnectionStory, width: number): Line[] {
  return hanging(
    [
      span(`${endpoint(originator)} → ${endpoint(responder)}`, 'strong'),
      span('  '),
      span(says, LOOKS[outcome]),
    ],
    width,
    3,
  );
}

function identity(story: ConnectionStory, names: Names, width: number): Line[] {
  const { originator, responder } = story.traffic;
  const sent = (who: string, t: typeof originator): Line => [
    span(
      `${who} ${bytesShort(t.bytes)}${t.repeatedBytes > 0 ? ` and ${bytesShort(t.repeatedBytes)} again` : ''}${
        t.acknowledgedBytes < t.bytes ? ` (${bytesShort(t.acknowledgedBytes)} acknowledged)` : ''
      }`,
    ),
  ];
  return flow(
    [
      [span(`connection ${count(story.connection)} of ${names(story.capture)}`)],
      [
        span(
          `packets ${story.firstPacket} to ${story.lastPacket}, ${count(story.packets)} of them its own${
            story.packetsRead < story.packets ? ` (${count(story.packetsRead)} read)` : ''
          }`,
        ),
      ],
      ...(story.beganAt === null
        ? []
        : [[span(`${date(story.beganAt)}:${story.beganAt.slice(17, 23)} UTC`)]]),
      sent('client sent', originator),
      sent('server sent', responder),
    ],
    width,
  );
}

function phaseLines(story: ConnectionStory, names: Names, width: number): Line[] {
  const shown = story.phases.slice(0, MOST_PHASES);
  const lines = shown.flatMap((phase) => {
    const took = phase.untilS - phase.fromS;
    const figures: Line = [
      ...padStart([span(at(phase.fromS), 'dim')], 8),
      ...padStart([span(`+${seconds(took)}`, took >= 1 ? 'warning' : 'plain')], 11),
      span('  '),
    ];
    const moved = [
      ...(phase.originatorBytes > 0 ? [`client ${bytesShort(phase.originatorBytes)}`] : []),
      ...(phase.responderBytes > 0 ? [`server ${bytesShort(phase.responderBytes)}`] : []),
    ].join(', ');
    const says: Span[] = [span(phase.says), ...(moved === '' ? [] : [span(`  ${moved}`, 'dim')])];
    const [first = [], ...rest] = withPlaces(says, phase.from, names, width - 21);
    return [
      [...figures, ...first],
      ...indent(rest, 21),
      ...indent(
        phase.facts.flatMap((f) => factLines(f, names, width - 4)),
        4,
      ),
    ];
  });
  const more = story.phases.length - shown.length;
  return more > 0 ? [...lines, [span(`${count(more)} phases more: --json has them`, 'dim')]] : lines;
}

const at = (s: number): string => (s < 60 ? `${s.toFixed(3)}` : `${s.toFixed(1)}`);

function factLines(fact: Fact, names: Names, width: number): Line[] {
  return withPlaces([span(fact.says)], fact.from, names, width);
}

/** Text with where it was seen at the right: as many packet numbers as there is room for. */
function withPlaces(says: Line, from: Fact['from'], names: Names, width: number): Line[] {
  if ('searched' in from || from.length < 2) return withRight(says, seenAt(from, names, 34), width);
  const first = from[0]!;
  const numbers = from.flatMap((p) => ('packet' in p ? [String(p.packet)] : []));
  const start = seenAt([first], names, 34);
  const room = Math.max(0, Math.min(30, width - 40));
  let tail = '';
  let told = 1;
  for (const n of numbers.slice(1)) {
    if (tail.length + n.length + 2 > room) break;
    tail += `, ${n}`;
    told++;
  }
  return withRight(says, [...start, span(`${tail}${told < numbers.length ? ' …' : ''}`, 'dim')], width);
}

const graphTitle = ({ drawing, originator, responder }: ConnectionStory): string => {
  const [who, peer] = drawing.sender === 'originator' ? [originator, responder] : [responder, originator];
  return `what ${endpoint(who)} sent, and what ${endpoint(peer)} said of it: bytes upwards, time to the right`;
};

/** The connections that fit, newest last. */
export function renderConnections(found: readonly FoundConnection[], total: number, screen: Screen): string {
  const width = Math.min(WIDEST, screen.width);
  const names = shortNames(found.map((f) => f.capture));
  const columns: Column[] = [
    { title: 'packet', align: 'right' },
    { title: 'began (UTC)', priority: 1 },
    { title: 'client', cut: 'middle', min: 14 },
    { title: 'server', cut: 'middle', min: 14 },
    { title: 'packets', align: 'right', priority: 3 },
    { title: 'sent', align: 'right', priority: 2 },
    { title: 'took', align: 'right' },
    {
      title: 'capture',
      cut: 'middle',
      min: 10,
      priority: new Set(found.map((f) => f.capture)).size > 1 ? 0 : 4,
    },
  ];
  const rows = found.map((f): (Span | string)[] => [
    span(String(f.firstPacket), 'strong'),
    f.beganAt === null ? '–' : `${f.beganAt.slice(0, 10)} ${f.beganAt.slice(11, 19)}`,
    endpoint(f.originator),
    endpoint(f.responder),
    count(f.packets),
    bytesShort(f.originatorBytes),
    seconds(f.seconds),
    names(f.capture),
  ]);
  const notes: Line[] =
    total > found.length
      ? [[span(`${count(total - found.length)} older ones fit too: give both ends, or a packet`, 'dim')]]
      : [];
  return print([...notes, ...table(columns, rows, width).lines], screen);
}
