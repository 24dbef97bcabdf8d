import { CulpritError } from './culprit-error.js';

/** The text holds nothing that looks like the header of a mail. */
export function noHeader(path: string): CulpritError {
  return new CulpritError({
    what: 'no mail header was found',
    why: 'no line reads like “Received: from … by …; date” with other fields around it',
    at: path,
    help: 'save the mail as a file, or copy its whole header (“show original”, “view source”) and pipe it: culprit why mail -',
  });
}

/** Reading broke off in the middle. */
export function mailBroken(path: string, error: unknown): CulpritError {
  const text = error instanceof CulpritError ? error.text : null;
  return new CulpritError(
    {
      what: 'this mail was not read to its end',
      why: text?.why ?? (error instanceof Error ? error.message : String(error)),
      at: path,
      help: text?.help ?? 'copy the file again; mails that stand before the break were read',
    },
    error,
  );
}

/** A number of minutes was meant. */
export function noMinutes(given: string): CulpritError {
  return new CulpritError({
    what: '--late needs a number of minutes',
    why: `“${given}” is none, or is not above 0`,
    help: 'for example --late 10',
  });
}
