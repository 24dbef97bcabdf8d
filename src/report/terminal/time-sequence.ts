import type { ConnectionStory, DrawnPoint, PointKind } from '../../findings/connection-story.js';
import { clock, roundSteps, timeScale } from '../time-scale.js';
import { bytesShort } from './numbers.js';
import type { Style } from './style.js';
import { flow, type Line, padStart, span } from './text.js';

/** What a cell shows when several things lie in it: the last of these. */
const ORDER = [
  'window',
  'ack',
  'data',
  'sack',
  'retransmission',
  'probe',
  'zero-window',
  'resent-after-ack',
  'fin',
  'reset',
] as const satisfies readonly PointKind[];

/** Data is drawn in dots, eight a cell; everything else has a mark, so that no colour is needed to tell it. */
const MARKS: Record<PointKind, { unicode: string; ascii: string; style: Style; says: string }> = {
  data: { unicode: '⣿', ascii: '#', style: 'bar', says: 'sent' },
  ack: { unicode: '▁', ascii: '_', style: 'good', says: 'ACK' },
  window: { unicode: '▔', ascii: '"', style: 'dim', says: 'window edge' },
  sack: { unicode: 's', ascii: 's', style: 'good', says: 'SACK' },
  retransmission: { unicode: 'R', ascii: 'R', style: 'warning', says: 'sent again' },
  'resent-after-ack': {
    unicode: 'X',
    ascii: 'X',
    style: 'culprit',
    says: 'sent again after its ACK was here',
  },
  probe: { unicode: 'p', ascii: 'p', style: 'warning', says: 'probe' },
  'zero-window': { unicode: '0', ascii: '0', style: 'culprit', says: 'window 0' },
  fin: { unicode: 'F', ascii: 'F', style: 'plain', says: 'FIN' },
  reset: { unicode: '!', ascii: '!', style: 'culprit', says: 'RST' },
};

const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

/** The highest number drawn: of the data and ACKs; a window may reach far above the picture. */
function topOf(points: readonly DrawnPoint[]): number {
  let top = 1;
  for (const p of points) if (p.kind !== 'window') top = Math.max(top, p.to);
  return top * 1.08;
}

/** The time–sequence graph in characters: bytes upwards, time to the right. */
export function timeSequence(
  story: ConnectionStory,
  width: number,
  height: number,
  unicode: boolean,
): Line[] {
  const { points } = story.drawing;
  if (points.length === 0) return [];
  const labelWidth = 9;
  const columns = Math.max(16, width - labelWidth - 1);
  const scale = timeScale(
    points.map((p) => p.atS),
    story.seconds,
  );
  const top = topOf(points);
  const across = unicode ? columns * 2 : columns;
  const up = unicode ? height * 4 : height;
  const x = (s: number) => Math.min(across - 1, Math.floor(scale.at(s) * across));
  const y = (n: number) => Math.min(up - 1, Math.floor((Math.max(0, n) / top) * up));
  const cells = new Uint8Array(columns * height);
  const dots = new Uint8Array(columns * height);
  const rank = (kind: PointKind) => ORDER.indexOf(kind) + 1;
  const [wide, high] = unicode ? [2, 4] : [1, 1];
  const put = (px: number, py: number, kind: PointKind) => {
    const cell = (height - 1 - Math.floor(py / high)) * columns + Math.floor(px / wide);
    cells[cell] = Math.max(cells[cell]!, rank(kind));
    if (unicode && kind === 'data') dots[cell]! |= DOTS[px % 2 === 1 ? 1 : 0][3 - (py % 4)]!;
  };
  const steps = new Map<PointKind, { x: number; y: number | null }>();
  for (const p of points) {
    const px = x(p.atS);
    if (p.kind === 'ack' || p.kind === 'window') {
      const py = p.to > top ? null : y(p.to);
      const before = steps.get(p.kind);
      if (before && before.y !== null) for (let i = before.x; i < px; i++) put(i, before.y, p.kind);
      if (py !== null) put(px, py, p.kind);
      steps.set(p.kind, { x: px, y: py });
      continue;
    }
    // The byte before `to` is the last one of a segment.
    const last = y(Math.max(p.from, p.to - 1));
    for (let i = y(p.from); i <= last; i++) put(px, i, p.kind);
  }
  for (const [kind, { x: from, y: at }] of steps)
    if (at !== null) for (let i = from; i < across; i++) put(i, at, kind);
  const labels = new Map<number, string>();
  for (const n of roundSteps(top, Math.max(2, Math.floor(height / 3))))
    labels.set(height - 1 - Math.floor(y(n) / high), n === 0 ? '0' : bytesShort(n));
  const lines: Line[] = [];
  for (let row = 0; row < height; row++) {
    const line = [
      ...padStart([span(labels.get(row) ?? '', 'dim')], labelWidth),
      span(unicode ? '│' : '|', 'dim'),
    ];
    for (let column = 0; column < columns; column++) {
      const cell = row * columns + column;
      const kind = ORDER[cells[cell]! - 1];
      if (kind === undefined) line.push(span(' '));
      else if (kind === 'data' && unicode)
        line.push(span(String.fromCharCode(0x2800 + dots[cell]!), MARKS.data.style));
      else line.push(span(MARKS[kind][unicode ? 'unicode' : 'ascii'], MARKS[kind].style));
    }
    lines.push(line);
  }
  lines.push(
    [
      span(' '.repeat(labelWidth)),
      span((unicode ? '└' : '+') + (unicode ? '─' : '-').repeat(columns), 'dim'),
    ],
    timeLabels(scale, columns, labelWidth),
  );
  const shown = ORDER.filter((kind) => points.some((p) => p.kind === kind));
  const legend: Line[] = shown.map((kind) => [
    span(MARKS[kind][unicode ? 'unicode' : 'ascii'], MARKS[kind].style),
    span(` ${MARKS[kind].says}`, 'dim'),
  ]);
  const notes = [
    ...(scale.shortened ? ['pauses are shortened: read the times below'] : []),
    ...(points.some((p) => p.kind === 'window' && p.to > top) ? ['part of the window edge lies above'] : []),
    ...(story.drawing.merged > 0 ? [`${story.drawing.merged} points drawn together with others`] : []),
  ];
  return [
    ...lines,
    ...flow(legend, width, '  '),
    ...(notes.length > 0
      ? flow(
          notes.map((n) => [span(n, 'dim')]),
          width,
        )
      : []),
  ];
}

function timeLabels(scale: ReturnType<typeof timeScale>, columns: number, margin: number): Line {
  const ticks = scale.ticks(Math.max(2, Math.floor(columns / 12)));
  let text = ' '.repeat(margin + 1);
  for (const [i, tick] of ticks.entries()) {
    const step = Math.min(
      tick - (ticks[i - 1] ?? Number.NEGATIVE_INFINITY),
      (ticks[i + 1] ?? Number.POSITIVE_INFINITY) - tick,
    );
    const label = clock(tick, Math.max(step, 1e-6) / (scale.shortened ? 2 : 1));
    const at = Math.min(
      margin + 1 + columns - label.length,
      margin + 1 + Math.round(scale.at(tick) * (columns - 1)) - (i === 0 ? 0 : Math.floor(label.length / 2)),
    );
    if (at < text.length + (i === 0 ? 0 : 1)) continue;
    text = text.padEnd(at) + label;
  }
  return [span(text, 'dim')];
}
