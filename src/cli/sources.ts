import type { Command } from 'commander';
import { escapeJson } from '../report/json/escape-json.js';
import { renderSources } from '../report/terminal/sources.js';
import { sourceReports, unreadGroups } from '../store/sources.js';
import { CASE_OPTION, type CaseOption, withCase } from './case-option.js';
import { print, screen } from './output.js';

export function addSources(program: Command): void {
  program
    .command('sources')
    .summary('what was read, and what was not')
    .description(
      'Lists every piece of evidence: its format, records, unread lines with place and reason, and what went wrong.',
    )
    .option(...CASE_OPTION)
    .option('--json', 'print it as JSON')
    .action((options: CaseOption & { json?: boolean }) =>
      withCase(options, async (store) => {
        const sources = await sourceReports(store);
        const unread = await unreadGroups(store);
        if (options.json) print(`${escapeJson(JSON.stringify({ version: 1, sources, unread }, null, 2))}\n`);
        else print(renderSources(sources, unread, screen()));
      }),
    );
}
