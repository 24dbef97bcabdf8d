import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CulpritError } from '../errors/culprit-error.js';
import { DEFAULT_LIMITS, survey, usualPlaces } from '../evidence/evidence.js';
import type { Report } from '../findings/finding.js';
import type { TextFormat } from '../formats/access-log/formats.js';
import { compile, FormatProblem } from '../formats/access-log/program.js';
import { investigate } from '../investigations/examine.js';
import { reportJson } from '../report/json/json.js';
import { renderError } from '../report/terminal/error.js';
import { renderReport } from '../report/terminal/examine.js';
import { progressOn } from '../report/terminal/progress.js';
import { Case, caseFor, removeCase } from '../store/case.js';
import { errorScreen, print, screen, warn } from './output.js';

interface ExamineOptions {
  case?: string;
  add?: boolean;
  json?: boolean;
  host?: string;
  logFormat?: string;
  maxExpand?: string;
  memory: string;
  fresh?: boolean;
}

export function addExamine(program: Command): void {
  program
    .command('examine', { isDefault: true })
    .summary('read evidence and name the culprit (the default)')
    .description(
      `Reads evidence, read-only, and names the culprit.

PATH is a log, a folder, a glob, an archive (tar, sosreport), compressed or not, or - for a pipe. With no PATH:
this machine's own logs. What was read is kept in a case; examining again reads only what is new.`,
    )
    .argument('[path...]', 'evidence')
    .option('--case <file>', 'keep what is read in this file')
    .option('--add', 'to what the case holds already, as logs of another machine (with --host)')
    .option('--json', 'print the whole report as JSON (docs/json.md)')
    .option('--host <name>', 'the machine that the evidence is from')
    .option(
      '--log-format <format>',
      'how access logs are written: an Apache LogFormat or an nginx log_format',
    )
    .option(
      '--max-expand <ratio>',
      `give up compressed files that unpack to more than this times their size (${DEFAULT_LIMITS.maxRatio})`,
    )
    .option('--memory <size>', 'most memory for the database, as 512MB or 4GB', '1GB')
    .option('--fresh', 'forget what an earlier run on these paths has read')
    .addHelpText(
      'after',
      `
Exit status: 0 nothing found, 1 findings, 2 the job could not be done (usage, evidence that cannot be read).

Examples:
  culprit                                   this machine's own logs
  culprit /var/log/apache2 /etc/apache2     logs with the configuration that says how they are written
  zcat access.log.*.gz | culprit -          a pipe
  culprit --json incident.tar.xz | jq '.findings[].culprit'`,
    )
    .action(async (paths: string[], options: ExamineOptions) => {
      process.exitCode = await examine(paths, options);
    });
}

async function examine(paths: string[], options: ExamineOptions): Promise<number> {
  const started = performance.now();
  const evidence = paths.length > 0 ? paths : usualPlaces();
  if (evidence.length === 0)
    throw new CulpritError({
      what: 'no evidence',
      why: 'no path was named, and none of the usual places (/var/log/apache2, /var/log/nginx, /var/log/exim4, /var/log/mail.log …) is here',
      help: 'name files or folders: culprit /path/to/logs',
    });
  const logFormat = options.logFormat === undefined ? null : givenFormat(options.logFormat);
  const limits = { ...DEFAULT_LIMITS, ...(options.maxExpand ? { maxRatio: ratio(options.maxExpand) } : {}) };
  const file = options.case ?? caseFor(evidence, options.host ?? null);
  if (options.fresh && existsSync(file)) removeCase(file);
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const found = await survey(evidence, limits);
  // Where nothing can be read there is nothing to keep: the newest case stays the one that has something.
  const store = await Case.open(found.pieces.length > 0 ? file : ':memory:', { memory: options.memory });
  const { ingest } = await import('../store/ingest/ingest.js');
  const progress = progressOn(process.stderr);
  try {
    const host = options.host ?? hostname();
    await store.setFact('host', host);
    await store.setFact('evidence', JSON.stringify(evidence.map((p) => (p === '-' ? p : resolve(p)))));
    await ingest(store, found, {
      host,
      logFormat,
      limits,
      // A server's own logs rotate away, and what they held is worth keeping; named evidence is what is meant.
      onlyThis: paths.length > 0 && !options.add,
      onProgress: (done, total, what) => progress.update({ done, total, what }),
      signal: abort.signal,
    });
    progress.clear();
    if (abort.signal.aborted) {
      warn('culprit: stopped. What was read is kept: the same command goes on from there.\n');
      return 130;
    }
    const report = await investigate(store);
    if (options.json) print(reportJson(report));
    else
      print(renderReport(report, { ...screen(), totals: { seconds: (performance.now() - started) / 1000 } }));
    return exitStatus(
      report,
      found.pieces.filter((p) => p.named).map((p) => p.path),
      found.unreadable.filter((u) => u.named).map((u) => u.error),
    );
  } finally {
    progress.clear();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    store.close();
  }
}

/** 1 with findings; else 2 when something that was named could not be read, or nothing could; else 0. */
function exitStatus(report: Report, named: string[], unreadable: CulpritError[]): number {
  for (const error of unreadable) warn(renderError(error, errorScreen()));
  const broken = report.sources.filter((s) => named.includes(s.path) && s.error !== undefined);
  for (const source of broken)
    warn(
      renderError(
        new CulpritError({
          what: 'this evidence was not read, or not to its end',
          why: source.error!,
          at: source.path,
          help: 'culprit sources shows what was read; --log-format tells how a log is written',
        }),
        errorScreen(),
      ),
    );
  if (report.findings.length > 0) return 1;
  const nothing = report.sources.every((s) => s.records === 0 && s.sameAs === undefined);
  return unreadable.length > 0 || broken.length > 0 || nothing ? 2 : 0;
}

/** An Apache format has a %, an nginx one a $. */
function givenFormat(format: string): TextFormat {
  const dialect = /\$[a-z{]/i.test(format) && !format.includes('%') ? 'nginx' : 'apache';
  try {
    compile(dialect, format);
  } catch (error) {
    if (!(error instanceof FormatProblem)) throw error;
    throw new CulpritError({
      what: 'this log format cannot be used',
      why: error.message,
      at: `--log-format '${format}'`,
      help: 'give it as it stands in the configuration behind LogFormat or log_format, within single quotes',
    });
  }
  return { dialect, name: 'given', format };
}

function ratio(text: string): number {
  const value = Number(text);
  if (value >= 1) return value;
  throw new CulpritError({
    what: '--max-expand needs a number',
    why: `“${text}” is none, or is below 1`,
    help: 'for example --max-expand 4000',
  });
}
