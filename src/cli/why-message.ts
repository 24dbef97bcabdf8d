import type { Command } from 'commander';
import { noMessage, severalMessages, whichMessage } from '../errors/life.js';
import type { MessageLife } from '../findings/message-life.js';
import { findMessages, lifeOf, type MessageQuery } from '../investigations/mail/life.js';
import { foundJson, lifeJson } from '../report/json/life-json.js';
import { renderFound, renderLife } from '../report/terminal/why-message.js';
import { CASE_OPTION, type CaseOption, withCase } from './case-option.js';
import { moment } from './moment.js';
import { print, screen } from './output.js';

interface WhyMessageOptions extends CaseOption {
  to?: string;
  from?: string;
  since?: string;
  until?: string;
  json?: boolean;
}

/** An id that was used again and again is told so many times, the newest first. */
const MOST_USES = 5;

export function addWhyMessage(why: Command): void {
  why
    .command('message')
    .summary('one message’s life: where each second went')
    .description(
      `Tells the life of one message that this server handled, line by line and across files, and for every recipient
where each second went: our queue, our retry times, a receiver’s refusals, connecting, sending.

ID is a queue id, or a Message-ID. Without it, the message is found by the options.`,
    )
    .argument('[id]', 'the queue id, or the Message-ID')
    .option('--to <address>', 'a recipient, or part of its address')
    .option('--from <address>', 'the sender, or part of its address')
    .option('--since <moment>', 'taken in from then on, wall time of the log')
    .option('--until <moment>', 'up to then')
    .option(...CASE_OPTION)
    .option('--json', 'print it as JSON (docs/json.md)')
    .addHelpText(
      'after',
      `
Exit status: 0 told, 2 no message fits, or several do: then they are listed.

Examples:
  culprit why message 1njbGQ-005LxL-M5
  culprit why message --to @gmail.com --since '2022-04-11 21:00' --until '2022-04-11 22:00'`,
    )
    .action((id: string | undefined, options: WhyMessageOptions) =>
      withCase(options, async (store) => {
        const { to, from, since, until } = options;
        const query: MessageQuery = {
          ...(id === undefined ? {} : { id }),
          ...(to === undefined ? {} : { to }),
          ...(from === undefined ? {} : { from }),
          ...(since === undefined ? {} : { since: moment(since, '--since') }),
          ...(until === undefined ? {} : { until: moment(until, '--until') }),
        };
        if (Object.keys(query).length === 0) throw whichMessage();
        const { total, found } = await findMessages(store, query);
        const newest = found.at(-1);
        if (!newest) {
          const any = await store.row<{ n: bigint }>('SELECT count(*) AS n FROM message_facts');
          throw noMessage(Object.values(query).join(', '), store.path, (any?.n ?? 0n) > 0n);
        }
        const uses = found.filter((m) => m.message === newest.message);
        const sameId = uses.length === found.length && total === found.length;
        if (total > 1 && !(id !== undefined && sameId)) {
          print(options.json ? foundJson(store.path, total, found) : renderFound(found, total, screen()));
          throw severalMessages(total, store.path);
        }
        const lives: MessageLife[] = [];
        for (const { no } of uses.toReversed().slice(0, MOST_USES)) lives.push(await lifeOf(store, no));
        print(
          options.json
            ? lifeJson(store.path, lives as [MessageLife, ...MessageLife[]])
            : told(lives, uses.length),
        );
      }),
    );
}

function told(lives: readonly MessageLife[], uses: number): string {
  const texts = lives.map((life) => renderLife(life, screen()));
  if (uses === 1) return texts.join('');
  const more = uses > lives.length ? `, the newest ${lives.length} of them told` : '';
  return `This id was used ${uses} times${more}: the newest comes first.\n\n${texts.join('\n')}`;
}
