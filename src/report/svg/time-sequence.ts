import {
  type ConnectionStory,
  type DrawnPoint,
  endpoint,
  type PointKind,
} from '../../findings/connection-story.js';
import { count } from '../terminal/numbers.js';
import { clock, roundSteps, timeScale } from '../time-scale.js';

const WIDTH = 1000;
const HEIGHT = 560;
const LEFT = 84;
const RIGHT = 24;
const TOP = 62;
const BOTTOM = 92;

const COLOURS: Record<PointKind, string> = {
  data: '#1f6feb',
  retransmission: '#d97706',
  'resent-after-ack': '#c1121f',
  probe: '#7c3aed',
  ack: '#15803d',
  window: '#6b7280',
  sack: '#65a30d',
  'zero-window': '#c1121f',
  fin: '#111827',
  reset: '#c1121f',
};

const SAYS: Record<PointKind, string> = {
  data: 'sent',
  retransmission: 'sent again',
  'resent-after-ack': 'sent again after its ACK was here',
  probe: 'probe',
  ack: 'ACK',
  window: 'window edge',
  sack: 'SACK',
  'zero-window': 'window 0',
  fin: 'FIN',
  reset: 'RST',
};

/** Text for XML 1.0: what markup could be made of is written out, what XML may not hold becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(
      /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu,
      '\ufffd',
    )
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const n = (value: number): string => String(Math.round(value * 100) / 100);

/**
 * The time–sequence graph of a connection as a self-contained SVG: no script, no font, nothing fetched.
 *
 * Data is a vertical stroke from its first byte to its last, ACKs and the window edge are steps, and what went wrong
 * has a mark of its own shape, with its packet number as the tooltip.
 */
export function timeSequenceSvg(story: ConnectionStory): string {
  const { points, sender } = story.drawing;
  const [who, peer] =
    sender === 'originator' ? [story.originator, story.responder] : [story.responder, story.originator];
  const scale = timeScale(
    points.map((p) => p.atS),
    story.seconds,
  );
  const top = points.reduce((max, p) => (p.kind === 'window' ? max : Math.max(max, p.to)), 1) * 1.08;
  const x = (s: number) => LEFT + scale.at(s) * (WIDTH - LEFT - RIGHT);
  const y = (bytes: number) => HEIGHT - BOTTOM - (Math.max(0, bytes) / top) * (HEIGHT - TOP - BOTTOM);
  const title = `${endpoint(story.originator)} to ${endpoint(story.responder)}: ${story.says}`;
  const about = `Time–sequence graph: what ${endpoint(who)} sent and what ${endpoint(peer)} acknowledged. ${story.capture}, packets ${story.firstPacket} to ${story.lastPacket}.`;
  const of = (kind: PointKind) => points.filter((p) => p.kind === kind);
  const parts = [
    ...grid(scale, top, x, y),
    steps(of('window'), x, y, 'window', story.seconds),
    steps(of('ack'), x, y, 'ack', story.seconds),
    strokes(of('data'), x, y),
    ...(
      ['sack', 'retransmission', 'probe', 'zero-window', 'resent-after-ack', 'fin', 'reset'] as const
    ).flatMap((kind) => of(kind).map((p) => mark(p, x, y))),
    ...legend(points),
  ];
  const notes = [
    `bytes upwards, time to the right${scale.shortened ? '; pauses are shortened, the labels are right' : ''}`,
    ...(story.drawing.merged > 0 ? [`${count(story.drawing.merged)} points drawn together with others`] : []),
  ].join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">
<title id="t">${escapeXml(title)}</title>
<desc id="d">${escapeXml(about)}</desc>
<defs><clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT - TOP - BOTTOM}"/></clipPath></defs>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${LEFT}" y="26" font-size="15" font-weight="bold" fill="#111827">${escapeXml(fitting(title, 104))}</text>
<text x="${LEFT}" y="46" fill="#4b5563">${escapeXml(fitting(`${notes} · ${story.capture.split('/').at(-1)}, packets ${story.firstPacket} to ${story.lastPacket}`, 140))}</text>
${parts.filter((p) => p !== '').join('\n')}
</svg>
`;
}

const fitting = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

type Axis = (value: number) => number;

function grid(scale: ReturnType<typeof timeScale>, top: number, x: Axis, y: Axis): string[] {
  const foot = HEIGHT - BOTTOM;
  const rows = roundSteps(top, 8).map(
    (b) =>
      `<path d="M${LEFT} ${n(y(b))}H${WIDTH - RIGHT}" stroke="#e5e7eb"/><text x="${LEFT - 8}" y="${n(y(b) + 4)}" text-anchor="end" fill="#4b5563">${escapeXml(count(b))}</text>`,
  );
  const ticks = scale.ticks(10);
  const columns = ticks.map((s, i) => {
    const step = Math.min(
      s - (ticks[i - 1] ?? Number.NEGATIVE_INFINITY),
      (ticks[i + 1] ?? Number.POSITIVE_INFINITY) - s,
    );
    const label = clock(s, Math.max(step, 1e-6) / (scale.shortened ? 2 : 1));
    return `<path d="M${n(x(s))} ${TOP}V${foot + 5}" stroke="#e5e7eb"/><text x="${n(x(s))}" y="${foot + 20}" text-anchor="${i > 0 && i === ticks.length - 1 ? 'end' : 'middle'}" fill="#4b5563">${escapeXml(label)}</text>`;
  });
  return [
    ...rows,
    ...columns,
    `<path d="M${LEFT} ${TOP}V${foot}H${WIDTH - RIGHT}" fill="none" stroke="#6b7280"/>`,
  ];
}

function steps(
  points: readonly DrawnPoint[],
  x: Axis,
  y: Axis,
  kind: 'ack' | 'window',
  until: number,
): string {
  if (points.length === 0) return '';
  const path = points
    .map((p, i) => (i === 0 ? `M${n(x(p.atS))} ${n(y(p.to))}` : `H${n(x(p.atS))}V${n(y(p.to))}`))
    .join('');
  const dashes = kind === 'window' ? ' stroke-dasharray="5 3"' : '';
  return `<path clip-path="url(#plot)" d="${path}H${n(x(until))}" fill="none" stroke="${COLOURS[kind]}" stroke-width="1.5"${dashes}/>`;
}

function strokes(points: readonly DrawnPoint[], x: Axis, y: Axis): string {
  if (points.length === 0) return '';
  // A short segment would be thinner than a hair.
  const path = points
    .map((p) => `M${n(x(p.atS))} ${n(y(p.from))}V${n(Math.min(y(p.to), y(p.from) - 1.5))}`)
    .join('');
  return `<path d="${path}" fill="none" stroke="${COLOURS.data}" stroke-width="2"/>`;
}

/** A mark of its own shape, with what it is as the tooltip. */
function mark(p: DrawnPoint, x: Axis, y: Axis): string {
  const [px, low, high] = [x(p.atS), y(p.from), y(p.to)];
  const range = p.to > p.from ? `, bytes ${count(p.from)} to ${count(p.to)}` : `, at byte ${count(p.from)}`;
  const tip = `<title>${escapeXml(`packet ${p.packet}: ${SAYS[p.kind]}${range}`)}</title>`;
  return `<g stroke="${COLOURS[p.kind]}" fill="none" stroke-width="2">${tip}<path d="${shape(p.kind, px, low, high)}"/></g>`;
}

function shape(kind: PointKind, x: number, low: number, high: number): string {
  const middle = (low + high) / 2;
  const bar = `M${n(x)} ${n(low)}V${n(Math.min(high, low - 1.5))}`;
  const cross = `M${n(x - 5)} ${n(middle - 5)}l10 10M${n(x - 5)} ${n(middle + 5)}l10 -10`;
  if (kind === 'resent-after-ack') return bar + cross;
  if (kind === 'reset') return `${cross}M${n(x)} ${n(middle - 8)}v16`;
  if (kind === 'retransmission') return `${bar}M${n(x - 4)} ${n(middle)}h8`;
  if (kind === 'zero-window') return `M${n(x - 4)} ${n(middle)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`;
  if (kind === 'sack') return `M${n(x - 4)} ${n(low)}h8M${n(x - 4)} ${n(Math.min(high, low - 1.5))}h8${bar}`;
  if (kind === 'probe') return `M${n(x)} ${n(middle + 4)}l-4 -8h8z`;
  if (kind === 'fin') return `M${n(x - 4)} ${n(middle - 4)}h8v8h-8z`;
  return bar;
}

function legend(points: readonly DrawnPoint[]): string[] {
  const kinds = (Object.keys(COLOURS) as PointKind[]).filter((kind) => points.some((p) => p.kind === kind));
  const foot = HEIGHT - 30;
  let at = LEFT;
  return kinds.map((kind) => {
    const from = at;
    at += 30 + SAYS[kind].length * 7;
    const line = kind === 'ack' || kind === 'window';
    const d = line ? `M${from} ${foot - 4}h16` : shape(kind, from + 8, foot + 1, foot - 9);
    const dashes = kind === 'window' ? ' stroke-dasharray="5 3"' : '';
    return `<path d="${d}" fill="none" stroke="${COLOURS[kind]}" stroke-width="2"${dashes}/><text x="${from + 21}" y="${foot}" fill="#111827">${escapeXml(SAYS[kind])}</text>`;
  });
}
