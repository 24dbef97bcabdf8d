/**
 * The lab: makes evidence of which the truth is known.
 *
 *     npm run lab -- web story --seed 4 --out /tmp/story-4
 *
 * writes `truth.json` and the folder `evidence/` below DIR. `--evidence DIR --truth FILE` puts them elsewhere.
 *
 *     npm run lab -- mail greylist --daemon exim --seed 1 --out /tmp/greylist-1
 *
 * does the same with a real mail server, in a minute or so, as root.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  DAEMON_NAMES,
  type DaemonName,
  generate as generateMail,
  type Options as MailOptions,
} from './mail/generate.js';
import { SCENARIOS as MAIL_SCENARIOS, type ScenarioName as MailScenarioName } from './mail/scenarios.js';
import { generate, type Options, SHORTEST } from './web/generate.js';
import { LAYOUTS } from './web/logs.js';
import { SCENARIOS, type ScenarioName } from './web/scenarios.js';

type WebFlags = Omit<Options, 'scenario'> & { out?: string; evidence?: string; truth?: string };

const lab = new Command('lab').description('Makes evidence of which the truth is known.');

lab
  .command('web')
  .description('access logs of a web server')
  .argument('<scenario>', Object.keys(SCENARIOS).join(', '), oneOf<ScenarioName>(SCENARIOS))
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
    write(made, evidence, truth);
    console.log(
      `${made.truth.lines} lines in ${made.files.size} files below ${evidence}; the truth is in ${truth}`,
    );
  });

lab
  .command('mail')
  .description('logs and state of a real mail server, run in namespaces against a scripted receiver (root)')
  .argument('<scenario>', Object.keys(MAIL_SCENARIOS).join(', '), oneOf<MailScenarioName>(MAIL_SCENARIOS))
  .addOption(new Option('--daemon <name>', 'the mail server').choices(DAEMON_NAMES).default(DAEMON_NAMES[0]))
  .addOption(new Option('--seed <n>', 'who writes to whom').argParser(number).default(1))
  .requiredOption('--out <dir>', 'writes DIR/truth.json and DIR/evidence/')
  .action(
    async (
      scenario: MailScenarioName,
      { out, ...options }: Omit<MailOptions, 'scenario'> & { out: string; daemon: DaemonName },
    ) => {
      const made = await generateMail({ scenario, ...options });
      write(made, join(out, 'evidence'), join(out, 'truth.json'));
      const { messages, recipients, accepted } = made.truth.observed;
      console.log(
        `${messages} messages to ${recipients} recipients, ${accepted} of them accepted; ${made.files.size} files below ${out}`,
      );
    },
  );

await lab.parseAsync();

function oneOf<Name extends string>(scenarios: Record<Name, unknown>): (text: string) => Name {
  return (text) => {
    if (Object.hasOwn(scenarios, text)) return text as Name;
    throw new InvalidArgumentError(`The scenarios are: ${Object.keys(scenarios).join(', ')}.`);
  };
}

function write(
  { truth, files }: { truth: unknown; files: ReadonlyMap<string, string | Buffer> },
  evidence: string,
  truthFile: string,
): void {
  mkdirSync(dirname(truthFile), { recursive: true });
  for (const [name, content] of files) {
    const path = join(evidence, name);
    mkdirSync(dirname(path), { recursive: true });
    // Evidence is often kept read-only, which would stop it from being made again.
    rmSync(path, { force: true });
    writeFileSync(path, content, 'latin1');
  }
  writeFileSync(truthFile, `${JSON.stringify(truth, null, 2)}\n`);
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
