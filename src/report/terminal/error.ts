import type { CulpritError } from '../../errors/culprit-error.js';
import type { Screen, Style } from './style.js';
import { indent, type Line, print, span, wrap } from './text.js';

/** What happened, why, where, what to do: the colons stand below each other, the text beside them. */
export function renderError(error: CulpritError, opts: Screen): string {
  const { what, why, at, help } = error.text;
  return print(
    [
      ...part('error', 'culprit', what, opts.width),
      ...part('  why', 'label', why, opts.width),
      ...part('   at', 'label', at, opts.width),
      ...part(' help', 'fix', help, opts.width),
    ],
    opts,
  );
}

function part(word: string, style: Style, text: string | undefined, width: number): Line[] {
  if (text === undefined || text === '') return [];
  const at = word.length + 2;
  // A line break in here comes from evidence (a log line, a file name), so it is shown and not obeyed.
  const [first = [], ...rest] = wrap([span(text)], width - at);
  return [[span(`${word}: `, style), ...first], ...indent(rest, at)];
}
