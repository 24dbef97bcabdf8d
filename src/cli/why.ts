import type { Command } from 'commander';
import { addWhyConnection } from './why-connection.js';
import { addWhyMail } from './why-mail.js';
import { addWhyMessage } from './why-message.js';

/** `culprit why …`: the questions about one thing, each a command of its own. */
export function addWhy(program: Command): void {
  const why = program
    .command('why')
    .summary('one thing explained: a message, a received mail, a connection')
    .description('Explains one thing in full.');
  for (const add of [addWhyMessage, addWhyMail, addWhyConnection]) add(why);
}
