import { CulpritError } from './culprit-error.js';

/** No message of the case fits. */
export function noMessage(asked: string, path: string, hasMail: boolean): CulpritError {
  return new CulpritError({
    what: 'no such message',
    why: hasMail ? `no line of the logs that were read is about ${asked}` : 'this case holds no mail log',
    at: path,
    help: hasMail
      ? 'check it (ids are case-sensitive), examine the rotated logs too, or look for it: culprit why message --to ADDRESS'
      : 'run `culprit examine` on the mail logs first (mainlog*, mail.log*), or name a case with --case FILE',
  });
}

/** Several messages fit; they have been listed. */
export function severalMessages(total: number, path: string): CulpritError {
  return new CulpritError({
    what: `${total.toLocaleString('en-GB')} messages fit`,
    why: 'one message is told at a time',
    at: path,
    help: 'name one by its id: culprit why message ID, or narrow it down with --to, --from, --since, --until',
  });
}

/** Neither an id nor anything to look for was given. */
export function whichMessage(): CulpritError {
  return new CulpritError({
    what: 'which message?',
    why: 'neither an id nor anything to find it by was given',
    help: 'culprit why message 1njbGQ-005LxL-M5, or culprit why message --to anna@example.org --since 2022-04-11',
  });
}
