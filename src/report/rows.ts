import { escapeJson } from './json/escape-json.js';
import { escapeForTerminal } from './terminal/escape.js';
import { count } from './terminal/numbers.js';
import type { Screen } from './terminal/style.js';
import { table } from './terminal/table.js';
import { displayWidth, print, type Span, span, wrap } from './terminal/text.js';

/**
 * The answer of a query as a table, CSV or JSON.
 *
 * CSV follows RFC 4180: CRLF, quotes doubled. NULL is an empty field, an empty text is `""`.
 * A text that a spreadsheet would take for a formula (it begins with = + - @, tab or CR) gets a single quote in
 * front: agents, paths and referrers are written by strangers, and CSV is what gets opened in a spreadsheet.
 * Numbers, and the lone '-' of access logs, stay as they are. Who needs every byte takes json or jsonl.
 */
export interface Rows {
  columns: { name: string; type: string }[];
  rows: unknown[][];
}

export type RowsFormat = 'table' | 'csv' | 'json' | 'jsonl';

export interface RowsOptions extends Screen {
  /** Set when CSV goes to a terminal: its control characters are then shown escaped instead of obeyed. */
  toTerminal?: boolean;
}

export function renderRows(result: Rows, format: RowsFormat, opts: RowsOptions): string {
  if (format === 'table') return asTable(result, opts);
  if (format === 'csv') return asCsv(result, opts.toTerminal ?? false);
  const names = uniqueNames(result.columns.map((c) => c.name));
  // Written by hand: an object would put a column named `2022` before all others.
  const objects = result.rows.map(
    (row) => `{${names.map((name, i) => `${asJson(name)}:${asJson(row[i])}`).join(',')}}`,
  );
  if (format === 'jsonl') return objects.map((o) => `${o}\n`).join('');
  return objects.length === 0 ? '[]\n' : `[\n${objects.join(',\n')}\n]\n`;
}

/** `select a, a` must not lose a column in an object. */
function uniqueNames(names: string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let i = 2; taken.has(unique); i++) unique = `${name}_${i}`;
    taken.add(unique);
    return unique;
  });
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL)/i;

function asTable({ columns, rows }: Rows, opts: RowsOptions): string {
  const cells = rows.map((row) => columns.map((_, i) => tableCell(row[i])));
  const made = table(
    columns.map((c, i) => ({
      title: c.name,
      align: NUMERIC.test(c.type) ? 'right' : 'left',
      // The first column is kept, the last ones go first.
      priority: i,
      ...(NUMERIC.test(c.type)
        ? {}
        : { cut: 'end' as const, min: Math.max(12, displayWidth(escapeForTerminal(c.name))) }),
    })),
    cells,
    Math.max(opts.width, 40),
  );
  const foot = `${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'}`;
  const left =
    made.leftOut.length === 0 ? '' : `; no room for ${made.leftOut.join(', ')} (--format csv has all)`;
  return print([...made.lines, ...wrap([span(foot + left, 'dim')], opts.width)], opts);
}

function tableCell(value: unknown): Span {
  if (value === null || value === undefined) return span('NULL', 'dim');
  return span(cellText(value));
}

function cellText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'object' && value !== null && !hasOwnText(value)) return asJson(value);
  return String(value);
}

/** DuckDB's timestamps, decimals and intervals are objects that know how to write themselves. */
function hasOwnText(value: object): boolean {
  return !Array.isArray(value) && value.toString !== Object.prototype.toString;
}

function asJson(value: unknown): string {
  return escapeJson(JSON.stringify(plain(value)));
}

/** What JSON has no form for: bigints beyond 2^53 and numbers that are none become text, never a wrong number. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date || value instanceof Uint8Array || hasOwnText(value)) return cellText(value);
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v)]));
}

function asCsv({ columns, rows }: Rows, toTerminal: boolean): string {
  const lines = [columns.map((c) => c.name), ...rows].map((row) =>
    columns.map((_, i) => csvField(row[i], toTerminal)).join(','),
  );
  return lines.map((line) => `${line}\r\n`).join('');
}

const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

function csvField(value: unknown, toTerminal: boolean): string {
  if (value === null || value === undefined) return '';
  const raw = cellText(value);
  const isText = typeof value !== 'number' && typeof value !== 'bigint';
  const risky = isText && FORMULA.test(raw) && raw !== '-' && !NUMBER.test(raw);
  const guarded = risky ? `'${raw}` : raw;
  const text = toTerminal ? escapeForTerminal(guarded) : guarded;
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
