/**
 * The lab: makes evidence of which the truth is known.
 *
 *     npm run lab -- web story --seed 4 --out /tmp/story-4
 *
 * writes `truth.json` and the folder `evidence/` below DIR. `--evidence DIR --truth FILE` puts them elsewhere.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { generate, type Options, SHORTEST } from './web/generate.js';
import { LAYOUTS } from './web/logs.js';
import { SCENARIOS, type ScenarioName } from './web/scenarios.js';

type WebFlags = Omit<Options, 'scenario'> & { out?: string; evidence?: string; truth?: string };

const lab = new Command('lab').description('Makes evidence of which the truth is known.');

lab
  .command('web')
  .description('access logs of a web server')
  .argument('<scenario>', Object.keys(SCENARIOS).join(', '), scenario)
  .addOption(new Option('--seed <n>', 'the same seed makes the same bytes').argParser(number).default(1))
  .addOption(
    new Option('--layout <layout>', 'one file for all sites, or one each')
      .choices(LAYOUTS)
      .default(LAYOUTS[0]),
  )
  .addOption(new Option('--days <n>', `how long the log is: ${SHORTEST} or more`).argParser(days).default(56))
  .addOption(
    new Option('--scale <n>', 'how busy the server is: 1 is about 120 visits a day')
      .argParser(number)
      .default(1),
  )
  .addOption(
    new Option('--compress <which>', 'all rotated files, or all but the first')
      .choices(['delayed', 'all'])
      .default('delayed'),
  )
  .option('--out <dir>', 'writes DIR/truth.json and DIR/evidence/')
  .option('--evidence <dir>', 'where the logs go (default: DIR/evidence)')
  .option('--truth <file>', 'where the truth goes (default: DIR/truth.json)')
  .action((scenario: ScenarioName, flags: WebFlags, command: Command) => {
    const {
      out,
      evidence = out && join(out, 'evidence'),
      truth = out && join(out, 'truth.json'),
      ...options
    } = flags;
    if (!evidence || !truth)
      command.error('error: say where to: --out DIR, or --evidence DIR and --truth FILE');
    const made = generate({ scenario, ...options });
    mkdirSync(evidence, { recursive: true });
    mkdirSync(dirname(truth), { recursive: true });
    for (const [name, content] of made.files) {
      // Evidence is often kept read-only, which would stop it from being made again.
      rmSync(join(evidence, name), { force: true });
      writeFileSync(join(evidence, name), content);
    }
    writeFileSync(truth, `${JSON.stringify(made.truth, null, 2)}\n`);
    console.log(
      `${made.truth.lines} lines in ${made.files.size} files below ${evidence}; the truth is in ${truth}`,
    );
  });

lab.parse();

function scenario(text: string): ScenarioName {
  if (Object.hasOwn(SCENARIOS, text)) return text as ScenarioName;
  throw new InvalidArgumentError(`The scenarios are: ${Object.keys(SCENARIOS).join(', ')}.`);
}

function number(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('A number above 0, please.');
}

function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= SHORTEST) return value;
  throw new InvalidArgumentError(`A whole number of days, ${SHORTEST} or more, please.`);
}
