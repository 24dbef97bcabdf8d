import { bar, sparkline } from './chart.js';
import { amountShort, bytes, count, percent } from './numbers.js';
import type { Screen } from './style.js';
import { type Column, table } from './table.js';
import { flow, type Line, print, type Span, span } from './text.js';

interface TopRow {
  /** One value for each of `by`. */
  key: string[];
  value: number;
  requests: number;
  /** Of the total: 0 to 1. */
  share: number;
  /** The same measure over time, oldest first. */
  series?: number[];
}

export interface Top {
  by: string[];
  measure: 'bytes' | 'requests';
  rows: TopRow[];
  total: number;
  /** How many there are beyond these rows. */
  others?: number;
}

const SPARK = 16;

/** The biggest of anything by anything: amount, share, bar and course, the keys last because they are longest. */
export function renderTop(top: Top, opts: Screen): string {
  const { rows, measure } = top;
  if (rows.length === 0) return print([[span(`No ${measure} to rank.`)]], opts);
  const unit = measure === 'bytes' ? 'byte' : 'request';
  const isCourse = rows.some((r) => (r.series?.length ?? 0) > 1);
  const largest = rows.reduce((max, r) => Math.max(max, r.value), 0);
  const barWidth = opts.width >= 100 ? 16 : 8;
  const columns: Column[] = [
    { title: measure, align: 'right' },
    { title: 'share', align: 'right', priority: 1 },
    { title: '', priority: 3 },
    ...(measure === 'bytes' ? [{ title: 'requests', align: 'right', priority: 4 } as const] : []),
    ...(isCourse ? [{ title: 'course', priority: 5 }] : []),
    ...top.by.map((by): Column => ({ title: by, cut: by === 'path' ? 'middle' : 'end', min: 12 })),
  ];
  const cells = rows.map((r): (Span | string)[] => [
    span(amountShort({ value: r.value, unit }), 'strong'),
    percent(r.share * 100),
    // The bar compares the rows with each other, so the largest is full; the share is of everything.
    span(bar(largest > 0 ? r.value / largest : 0, barWidth, opts.unicode), 'bar'),
    ...(measure === 'bytes' ? [count(r.requests)] : []),
    ...(isCourse ? [span(sparkline(r.series ?? [], SPARK, opts.unicode), 'bar')] : []),
    ...top.by.map((_, i) => r.key[i] ?? ''),
  ]);
  const made = table(columns, cells, opts.width);
  const leftOut = made.leftOut.filter((title) => title !== '');
  return print([...made.lines, [], ...footer(top, leftOut, opts.width)], opts);
}

function footer(top: Top, leftOut: string[], width: number): Line[] {
  const shown = top.rows.reduce((sum, r) => sum + r.value, 0);
  const total = top.measure === 'bytes' ? bytes(top.total) : `${count(top.total)} requests`;
  const parts = [`total ${total}`];
  if (top.total > 0) parts.push(`these ${count(top.rows.length)}: ${percent((shown / top.total) * 100)}`);
  if (top.others) parts.push(`${count(top.others)} more`);
  if (leftOut.length > 0) parts.push(`no room for ${leftOut.join(', ')}`);
  return flow(
    parts.map((part) => [span(part, 'dim')]),
    width,
  );
}
