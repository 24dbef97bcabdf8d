import { type Command, Option } from 'commander';
import { CulpritError } from '../errors/culprit-error.js';
import { DIMENSION_NAMES, type TopAnswer, top } from '../investigations/explore.js';
import { type Rows, renderRows } from '../report/rows.js';
import { renderTop } from '../report/terminal/top.js';
import { CASE_OPTION, type CaseOption, withCase } from './case-option.js';
import { moment } from './moment.js';
import { print, screen } from './output.js';

interface TopOptions extends CaseOption {
  by: string;
  where: string[];
  since?: string;
  until?: string;
  per?: 'day' | 'hour';
  limit: string;
  format: 'table' | 'csv' | 'json' | 'jsonl';
  json?: boolean;
}

export function addTop(program: Command): void {
  program
    .command('top')
    .summary('the biggest of anything by anything')
    .description(
      `Ranks what was read by bytes or requests, grouped by any of:
  ${DIMENSION_NAMES.join(', ')}`,
    )
    .argument('<measure>', 'bytes or requests')
    .option('--by <names>', 'what to group by, separated by commas', 'vhost')
    .option(
      '--where <condition>',
      'NAME=VALUE, NAME!=VALUE or NAME~PART; may be given several times',
      (v, all: string[]) => [...all, v],
      [],
    )
    .option('--since <moment>', 'from then on, wall time of the log')
    .option('--until <moment>', 'up to then')
    .addOption(new Option('--per <step>', 'with the course over time').choices(['day', 'hour']))
    .option('--limit <n>', 'rows to show', '20')
    .addOption(
      new Option('--format <format>', 'how to print')
        .choices(['table', 'csv', 'json', 'jsonl'])
        .default('table'),
    )
    .option('--json', 'the same as --format json')
    .option(...CASE_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  culprit top bytes --by vhost,agent --where agent~photon --since 2015-11-30 --per day',
    )
    .action((measure: string, options: TopOptions) =>
      withCase(options, async (store) => {
        if (measure !== 'bytes' && measure !== 'requests')
          throw new CulpritError({
            what: `cannot rank by “${measure}”`,
            help: 'culprit top bytes, or culprit top requests',
          });
        const limit = Number(options.limit);
        if (!(limit >= 1))
          throw new CulpritError({
            what: '--limit needs a number',
            why: `“${options.limit}” is none`,
            help: '--limit 50',
          });
        const answer = await top(store, {
          measure,
          by: options.by
            .split(',')
            .map((b) => b.trim())
            .filter(Boolean),
          where: options.where,
          since: options.since === undefined ? null : moment(options.since, '--since'),
          until: options.until === undefined ? null : moment(options.until, '--until'),
          per: options.per ?? null,
          limit,
        });
        const format = options.json ? 'json' : options.format;
        const to = screen();
        if (format === 'table') print(renderTop(answer, to));
        else print(renderRows(asRows(answer), format, { ...to, toTerminal: process.stdout.isTTY === true }));
      }),
    );
}

/** One row a group; with a course, one a group and step. */
function asRows(answer: TopAnswer): Rows {
  const keys = answer.by.map((name) => ({ name: name.replaceAll(' ', '_'), type: 'VARCHAR' }));
  const number = (name: string) => ({ name, type: 'DOUBLE' });
  if (answer.steps.length === 0) {
    const figures = answer.measure === 'bytes' ? ['bytes', 'requests', 'share'] : ['requests', 'share'];
    return {
      columns: [...keys, ...figures.map(number)],
      rows: answer.rows.map((r) => [
        ...r.key,
        r.value,
        ...(answer.measure === 'bytes' ? [r.requests] : []),
        Number(r.share.toFixed(6)),
      ]),
    };
  }
  return {
    columns: [...keys, { name: 'at', type: 'VARCHAR' }, number(answer.measure)],
    rows: answer.rows.flatMap((r) => answer.steps.map((at, i) => [...r.key, at, r.series?.[i] ?? 0])),
  };
}
