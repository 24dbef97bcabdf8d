import type { Command } from 'commander';
import { CulpritError } from '../errors/culprit-error.js';
import { DEFAULT_LIMITS, survey } from '../evidence/evidence.js';
import { findingOf, verify } from '../investigations/examine.js';
import { escapeJson } from '../report/json/escape-json.js';
import { renderVerify } from '../report/terminal/verify.js';
import { Case, newestCase } from '../store/case.js';
import { CASE_OPTION, type CaseOption } from './case-option.js';
import { moment } from './moment.js';
import { print, screen } from './output.js';

interface VerifyOptions extends CaseOption {
  since?: string;
  json?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('did the fix work?')
    .description(
      `Compares the harm of a finding before and after the fix, by ranks, so that a single odd day decides nothing; days
that stand out afterwards are explained. What is new in the evidence since the case was made is read first.`,
    )
    .argument('[finding]', 'its number or id', '1')
    .option('--since <moment>', 'when the fix was made, wall time of the log; left out: when the harm ended')
    .option(...CASE_OPTION)
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 fixed, 1 not fixed or only improved, 2 it cannot be told.

Example:
  culprit verify 1 --since '2015-12-14 10:00'`,
    )
    .action(async (name: string, options: VerifyOptions) => {
      const store = await Case.open(options.case ?? newestCase());
      try {
        const found = await findingOf(store, name);
        const since = options.since === undefined ? found.finding.until : moment(options.since, '--since');
        if (since === null)
          throw new CulpritError({
            what: 'when was the fix made?',
            why: 'the harm was still going on when the logs end',
            help: `culprit verify ${name} --since 'YYYY-MM-DD HH:MM'`,
          });
        await readWhatIsNew(store);
        const result = await verify(store, found, since);
        print(
          options.json
            ? `${escapeJson(JSON.stringify({ version: 1, ...result }, null, 2))}\n`
            : renderVerify(result, screen()),
        );
        process.exitCode = result.verdict === 'fixed' ? 0 : result.verdict === 'cannot-tell' ? 2 : 1;
      } finally {
        store.close();
      }
    });
}

/** The evidence may have grown since; what is gone stays in the case. */
async function readWhatIsNew(store: Case): Promise<void> {
  const paths = (JSON.parse((await store.fact('evidence')) ?? '[]') as string[]).filter((p) => p !== '-');
  if (paths.length === 0) return;
  const host = (await store.fact('host')) ?? '';
  const { ingest } = await import('../store/ingest/ingest.js');
  await ingest(store, await survey(paths), {
    host,
    logFormat: null,
    limits: DEFAULT_LIMITS,
    onlyThis: false,
  });
}
