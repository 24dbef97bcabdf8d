/** Who is timed, and what each is asked to do. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Data, Log } from './data.js';
import { isInstalled, pathOf, version } from './measure.js';

export interface Contestant {
  name: string;
  does: string;
  /** A program and its arguments. */
  command: string[];
  /** Absent: everything but 0 is a failure. */
  good?: number[];
  /** Not timed. */
  before?(): void;
  after?(): void;
  /** How many lines it says it has read, where it says so. */
  lines?(output: string): number | undefined;
}

export interface Field {
  contestants: Contestant[];
  /** Those that cannot take part, each with the reason. */
  absent: string[];
}

const CULPRIT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const NOT_BUILT = 'culprit itself is not built: `npm run build` first';
const DUCKDB = fileURLToPath(new URL('./duckdb-read.js', import.meta.url));

/** An access log. */
export function webField(data: Data, folder: string): Field {
  const absent: string[] = [];
  const contestants: Contestant[] = [];
  if (existsSync(CULPRIT)) contestants.push(...culprit(data, folder));
  else absent.push(NOT_BUILT);
  contestants.push(...duckdb(data, folder));
  for (const [program, make] of [
    ['lnav', lnav],
    ['goaccess', goaccess],
  ] as const) {
    if (isInstalled(program)) contestants.push(make(data, folder));
    else absent.push(`${program} is not installed: its row is missing`);
  }
  contestants.push(newlines(data));
  contestants.push({
    name: 'zcat | wc -l',
    does: 'unpacks the two halves, counts the newlines',
    command: ['sh', '-c', 'gzip -dc "$@" | wc -l', 'sh', ...data.halves],
    lines: (output) => Number.parseInt(output, 10),
  });
  return { contestants, absent };
}

const EXIM_DELIVERED = / (\w{6}-\w{6}-\w{2}) => /;
const POSTFIX_DELIVERED = / (\w+): to=.*status=sent/;

/** Exim's mainlog, beside the statistics and the search that come with Exim. */
export function eximField(log: Log, folder: string): Field {
  const statistics = (path: string): Contestant => ({
    name: 'eximstats',
    does: 'counts messages, deliveries, hosts, errors; no relays',
    command: [path, '-nr', '-txt', log.plain],
  });
  const search = (path: string): Contestant => ({
    name: 'exigrep',
    does: 'finds the lines of one message by its id',
    command: [path, messageId(log, EXIM_DELIVERED), log.plain],
  });
  return mailField(log, folder, EXIM_DELIVERED, { eximstats: statistics, exigrep: search });
}

/** Postfix's mail.log, beside its usual statistics. */
export function postfixField(log: Log, folder: string): Field {
  const statistics = (path: string): Contestant => ({
    name: version(path).replace(/^(\S+) .*?(\d)/, '$1 $2'),
    does: 'counts messages, deliveries, deferrals, hosts, by hour and reason',
    command: [path, log.plain],
  });
  return mailField(log, folder, POSTFIX_DELIVERED, { pflogsumm: statistics });
}

function mailField(
  log: Log,
  folder: string,
  delivered: RegExp,
  peers: Record<string, (path: string) => Contestant>,
): Field {
  const absent: string[] = [];
  const contestants: Contestant[] = [];
  if (existsSync(CULPRIT)) {
    const file = join(folder, 'case.duckdb');
    contestants.push(examines(file, log), {
      name: 'culprit why message',
      does: 'tells the life of one message, from the finished case',
      command: [process.execPath, CULPRIT, 'why', 'message', messageId(log, delivered), '--case', file],
    });
  } else absent.push(NOT_BUILT);
  for (const [program, make] of Object.entries(peers)) {
    const path = pathOf(program);
    if (path) contestants.push(make(path));
    else absent.push(`${program} is not installed: its row is missing`);
  }
  contestants.push(newlines(log));
  return { contestants, absent };
}

/** A message that was delivered, from the middle of the log. */
function messageId(log: Log, delivered: RegExp): string {
  const file = openSync(log.plain, 'r');
  const some = Buffer.alloc(1 << 16);
  const length = readSync(file, some, 0, some.length, Math.floor(log.bytes / 2));
  closeSync(file);
  const id = delivered.exec(some.toString('latin1', 0, length))?.[1];
  if (id === undefined) throw new Error(`no delivery in the middle of ${log.plain}`);
  return id;
}

const newlines = (log: Log): Contestant => ({
  name: 'wc -l',
  does: 'counts the newlines',
  command: ['wc', '-l', log.plain],
  lines: (output) => Number.parseInt(output, 10),
});

const fresh = (file: string) => () => {
  for (const end of ['', '.wal']) rmSync(file + end, { force: true });
};

const examine = (file: string, ...paths: string[]): Pick<Contestant, 'command' | 'good' | 'lines'> => ({
  command: [process.execPath, CULPRIT, 'examine', ...paths, '--case', file, '--json'],
  good: [0, 1],
  lines: culpritLines,
});

const examines = (file: string, log: Log): Contestant => ({
  name: 'culprit examine',
  does: 'reads the log into a fresh case and investigates',
  ...examine(file, log.plain),
  before: fresh(file),
});

function culprit(data: Data, folder: string): Contestant[] {
  const file = join(folder, 'case.duckdb');
  return [
    examines(file, data),
    {
      name: 'culprit examine, again',
      does: 'the same case after the log grew by 1 %',
      ...examine(file, data.plain),
      before() {
        fresh(file)();
        const first = spawnSync(process.execPath, [CULPRIT, 'examine', data.plain, '--case', file], {
          stdio: 'ignore',
        });
        if (first.status === null || first.status > 1)
          throw new Error('culprit could not read the log it is to read again');
        appendFileSync(data.plain, readFileSync(data.more));
      },
      after: () => truncateSync(data.plain, data.bytes),
    },
    {
      name: 'culprit examine, packed',
      does: 'reads the two packed halves into a fresh case and investigates',
      ...examine(file, ...data.halves),
      before: fresh(file),
    },
  ];
}

function culpritLines(output: string): number {
  const { sources } = JSON.parse(output) as { sources: { records: number; unread: number }[] };
  return sources.reduce((sum, { records, unread }) => sum + records + unread, 0);
}

function duckdb(data: Data, folder: string): Contestant[] {
  const database = join(folder, 'peer.duckdb');
  const before = () => {
    for (const end of ['', '.wal']) rmSync(database + end, { force: true });
  };
  const reads = (what: string, ...files: string[]): Contestant => ({
    name: `DuckDB read_csv${what && `, ${what}`}`,
    does: 'materialises the same columns in a table on disk',
    command: [process.execPath, DUCKDB, database, ...files],
    before,
    lines: Number,
  });
  return [reads('', data.plain), reads('packed', ...data.halves)];
}

function lnav(data: Data): Contestant {
  return {
    name: version('lnav'),
    does: 'indexes the log and answers one SQL question',
    command: ['lnav', '-n', '-c', ';SELECT count(*) AS n, sum(sc_bytes) FROM access_log', data.plain],
    lines: (output) => firstNumber(output),
  };
}

function goaccess(data: Data, folder: string): Contestant {
  const help = spawnSync('goaccess', ['--help'], { encoding: 'utf8' }).stdout;
  // Only 1.9 and later can use more than one core.
  const jobs = help.includes('--jobs') ? ['--jobs=2'] : [];
  const flags = ['--log-format=COMBINED', '--no-progress', '--no-global-config', ...jobs];
  const report = join(folder, 'goaccess.json');
  return {
    name: version('goaccess').replace(/^GoAccess - /, 'GoAccess '),
    does: `parses and counts${jobs.length ? ' with two jobs' : ''}, writes JSON`,
    command: ['goaccess', data.plain, ...flags, '-o', report],
    lines: () =>
      (JSON.parse(readFileSync(report, 'utf8')) as { general: { valid_requests: number } }).general
        .valid_requests,
  };
}

function firstNumber(text: string): number | undefined {
  const digits = /\d[\d,]{3,}/.exec(text)?.[0];
  return digits === undefined ? undefined : Number(digits.replaceAll(',', ''));
}
