import type { Command } from 'commander';
import { findingOf } from '../investigations/examine.js';
import { findingJson } from '../report/json/json.js';
import { renderFinding } from '../report/terminal/show.js';
import { periodOf } from '../store/sources.js';
import { CASE_OPTION, type CaseOption, withCase } from './case-option.js';
import { print, screen } from './output.js';

export function addShow(program: Command): void {
  program
    .command('show')
    .summary('a finding in full')
    .description(
      'Shows a finding in full: every figure, every piece of evidence with its place, every alternative, each remedy.',
    )
    .argument('[finding]', 'its number or id', '1')
    .option(...CASE_OPTION)
    .option('--json', 'print it as JSON (docs/json.md)')
    .action((name: string, options: CaseOption & { json?: boolean }) =>
      withCase(options, async (store) => {
        const { finding, n } = await findingOf(store, name);
        print(
          options.json
            ? findingJson(finding)
            : renderFinding(finding, n, { ...screen(), period: await periodOf(store) }),
        );
      }),
    );
}
