import { type Command, Option } from 'commander';
import { CulpritError } from '../errors/culprit-error.js';
import { type RowsFormat, renderRows } from '../report/rows.js';
import { CASE_OPTION, type CaseOption, withCase } from './case-option.js';
import { print, screen } from './output.js';

interface SqlOptions extends CaseOption {
  format: RowsFormat;
  json?: boolean;
  limit?: string;
}

/** A table on a terminal is for reading; more rows than this are for a file. */
const TABLE_ROWS = 1000;

export function addSql(program: Command): void {
  program
    .command('sql')
    .summary('ask the case in SQL')
    .description(
      `Runs a query on everything that was read (DuckDB's SQL, read-only). The tables are in docs/tables.md; begin with
  culprit sql "select * from requests limit 5"
  culprit sql "describe requests"`,
    )
    .argument('<query>', 'one SQL statement; - reads it from stdin')
    .addOption(
      new Option('--format <format>', 'how to print')
        .choices(['table', 'csv', 'json', 'jsonl'])
        .default('table'),
    )
    .option('--json', 'the same as --format json')
    .option('--limit <n>', `stop after so many rows (a table: ${TABLE_ROWS})`)
    .option(...CASE_OPTION)
    .action((query: string, options: SqlOptions) => withCase(options, (store) => run(store, query, options)));
}

async function run(
  store: Parameters<Parameters<typeof withCase>[1]>[0],
  query: string,
  options: SqlOptions,
): Promise<void> {
  const format = options.json ? 'json' : options.format;
  const sql = query === '-' ? await stdin() : query;
  const most =
    options.limit === undefined
      ? format === 'table'
        ? TABLE_ROWS
        : Number.POSITIVE_INFINITY
      : Number(options.limit);
  if (!(most >= 1))
    throw new CulpritError({
      what: '--limit needs a number',
      why: `“${options.limit}” is none`,
      help: '--limit 50',
    });
  const to = { ...screen(), toTerminal: process.stdout.isTTY === true };
  try {
    await store.run('SET lock_configuration = true');
    const result = await store.connection.stream(sql);
    const columns = result.columnNames().map((name, i) => ({ name, type: String(result.columnType(i)) }));
    let seen = 0;
    let held: unknown[][] = [];
    let more = false;
    let first = true;
    for (
      let chunk = await result.fetchChunk();
      chunk && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      const rows = chunk.getRows().slice(0, most - seen);
      seen += rows.length;
      if (format === 'csv' || format === 'jsonl') {
        const text = renderRows({ columns, rows }, format, to);
        await drained(first || format !== 'csv' ? text : text.slice(text.indexOf('\n') + 1));
        first = false;
      } else held = held.concat(rows);
      if (seen >= most) {
        more = rows.length < chunk.rowCount || (await result.fetchChunk())?.rowCount !== 0;
        break;
      }
    }
    if (format === 'csv' && first) print(renderRows({ columns, rows: [] }, format, to));
    if (format === 'table' || format === 'json') print(renderRows({ columns, rows: held }, format, to));
    if (more && options.limit === undefined)
      process.stderr.write(`culprit: only the first ${most} rows are shown; --format csv has all\n`);
  } catch (error) {
    if (error instanceof CulpritError) throw error;
    const why = (error instanceof Error ? error.message : String(error)).replace(
      /^Failed to extract statements: /,
      '',
    );
    throw new CulpritError(
      {
        what: 'this query cannot be run',
        why: /read-only/i.test(why) ? 'a case is only read here; nothing in it can be changed' : why,
        help: 'the tables and their columns: culprit sql "show tables", culprit sql "describe requests"',
      },
      error,
    );
  }
}

/** Writes, and waits when the reader is slower. */
function drained(text: string): Promise<void> | void {
  if (process.stdout.write(text)) return;
  return new Promise((resolve) => process.stdout.once('drain', () => resolve()));
}

async function stdin(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
