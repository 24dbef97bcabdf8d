#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CulpritError } from '../errors/culprit-error.js';
import { renderError } from '../report/terminal/error.js';
import { addCompletion } from './completion.js';
import { addExamine } from './examine.js';
import { errorScreen, quietOnClosedPipe, warn } from './output.js';
import { addShow } from './show.js';
import { addSources } from './sources.js';
import { addSql } from './sql.js';
import { addTop } from './top.js';
import { addVerify } from './verify.js';
import { addWhy } from './why.js';

/** Could not do its job: usage, or evidence that cannot be read. */
const COULD_NOT = 2;

function programOf(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = new Command('culprit')
    .description(
      'Names the culprit: reads a server’s own evidence, read-only, and says what is wrong, since when, why, and how to fix it.',
    )
    .version(version)
    .showHelpAfterError('(culprit --help shows how it is used)')
    .exitOverride();
  for (const add of [addExamine, addShow, addWhy, addTop, addSql, addSources, addVerify, addCompletion])
    add(program);
  for (const command of program.commands)
    for (const each of [command, ...command.commands]) each.exitOverride();
  return program;
}

async function main(): Promise<void> {
  quietOnClosedPipe();
  try {
    await programOf().parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  // Commander has printed its message; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : COULD_NOT;
  if (error instanceof CulpritError) {
    warn(renderError(error, errorScreen()));
    return COULD_NOT;
  }
  const why = error instanceof Error ? error.message : String(error);
  const unexpected = new CulpritError({
    what: 'something went wrong inside culprit',
    why: why.split('\n')[0]!,
    help: 'this is a bug: please report it with the command that you ran; CULPRIT_DEBUG=1 shows where it happened',
  });
  warn(renderError(unexpected, errorScreen()));
  if (process.env.CULPRIT_DEBUG && error instanceof Error) warn(`${error.stack}\n`);
  return COULD_NOT;
}

await main();
