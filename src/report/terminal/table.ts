import { escapeForTerminal } from './escape.js';
import {
  displayWidth,
  type Line,
  lineWidth,
  padEnd,
  padStart,
  type Span,
  span,
  styled,
  truncate,
  truncateMiddle,
} from './text.js';

export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** 0 is never left out; of the others, the highest goes first when the width does not do. */
  priority?: number;
  /** May be cut down to `min` columns, at the end or (paths) in the middle. */
  cut?: 'end' | 'middle';
  min?: number;
}

export interface Table {
  lines: Line[];
  /** Titles of the columns that there was no room for: never leave one out without saying so. */
  leftOut: string[];
}

const GAP = 2;

/** Cells are spans or plain strings (escaped here). Numbers to the right, text to the left, titles over both. */
export function table(columns: Column[], rows: (Span | string)[][], width: number): Table {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? span(cell) : cell)));
  const natural = columns.map((column, i) =>
    cells.reduce(
      (max, row) => Math.max(max, displayWidth(row[i]?.text ?? '')),
      displayWidth(escapeForTerminal(column.title)),
    ),
  );
  const kept = keptColumns(columns, natural, width);
  const widths = fitted(columns, natural, kept, width);
  const titled = columns.some((c) => c.title !== '');
  const head = titled
    ? [
        row(
          columns,
          kept,
          widths,
          columns.map((c) => span(c.title, 'dim')),
        ),
      ]
    : [];
  return {
    lines: [...head, ...cells.map((cell) => row(columns, kept, widths, cell))],
    leftOut: columns.filter((_, i) => !kept.includes(i)).map((c) => c.title),
  };
}

function least(column: Column, natural: number): number {
  return column.cut ? Math.min(natural, column.min ?? 8) : natural;
}

function total(widths: number[]): number {
  return widths.reduce((sum, w) => sum + w, 0) + GAP * Math.max(0, widths.length - 1);
}

/** Drops columns until those left fit at their least width. */
function keptColumns(columns: Column[], natural: number[], width: number): number[] {
  let kept = columns.map((_, i) => i);
  while (total(kept.map((i) => least(columns[i]!, natural[i]!))) > width) {
    const droppable = kept.filter((i) => (columns[i]!.priority ?? 0) > 0);
    if (droppable.length === 0) break;
    const worst = droppable.reduce((a, b) =>
      (columns[b]!.priority ?? 0) >= (columns[a]!.priority ?? 0) ? b : a,
    );
    kept = kept.filter((i) => i !== worst);
  }
  return kept;
}

/** Takes what is too much from the widest column that may be cut, until it fits. */
function fitted(columns: Column[], natural: number[], kept: number[], width: number): number[] {
  const widths = [...natural];
  let over = total(kept.map((i) => widths[i]!)) - width;
  while (over > 0) {
    const cuttable = kept.filter((i) => columns[i]!.cut && widths[i]! > least(columns[i]!, natural[i]!));
    if (cuttable.length === 0) break;
    cuttable.sort((a, b) => widths[b]! - widths[a]!);
    const [widest, next] = cuttable;
    const floor = Math.max(
      least(columns[widest!]!, natural[widest!]!),
      next === undefined ? 0 : widths[next]! - 1,
    );
    const step = Math.max(1, Math.min(over, widths[widest!]! - floor));
    widths[widest!]! -= step;
    over -= step;
  }
  return widths;
}

function row(columns: Column[], kept: number[], widths: number[], cells: Span[]): Line {
  const line = kept.flatMap((i, n) => {
    const column = columns[i]!;
    const cell = cells[i] ?? span('');
    const width = widths[i]!;
    const cut = column.cut === 'middle' ? truncateMiddle : truncate;
    const text = [styled(cut(cell.text, width), cell.style)];
    const padded = column.align === 'right' ? padStart(text, width) : padEnd(text, width);
    return n === 0 ? padded : [span(' '.repeat(GAP)), ...padded];
  });
  // Trailing blanks would wrap on a terminal that is exactly as wide as the table.
  const last = line.at(-1);
  return last && last.text.trim() === '' && lineWidth(line) > 0 ? line.slice(0, -1) : line;
}
