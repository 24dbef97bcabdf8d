/** A message to the administrator: what happened, why, where, and what to do. Never a stack trace. */
export interface ErrorText {
  what: string;
  why?: string;
  at?: string;
  help?: string;
}

/** An error whose text is meant for the administrator. Everything that culprit throws on purpose is one. */
export class CulpritError extends Error {
  readonly text: ErrorText;

  constructor(text: ErrorText, cause?: unknown) {
    super(text.what, cause === undefined ? undefined : { cause });
    this.name = 'CulpritError';
    this.text = text;
  }
}
