import { styleText } from 'node:util';

/** What a stretch of text is; how that looks is decided here alone. Colour never carries a meaning by itself. */
export type Style = keyof typeof LOOKS;

// `dim` and not `gray`: bright black is the background colour of some widely used schemes.
const LOOKS = {
  plain: [],
  strong: ['bold'],
  dim: ['dim'],
  label: ['bold'],
  culprit: ['bold', 'red'],
  fix: ['bold', 'green'],
  change: ['green'],
  warning: ['yellow'],
  good: ['green'],
  open: ['cyan'],
  bar: ['cyan'],
} as const;

export type Paint = (style: Style, text: string) => string;

/** Where a report is going: how wide it is, how it is coloured, and whether it can show more than ASCII. */
export interface Screen {
  width: number;
  paint: Paint;
  unicode: boolean;
}

export type Output = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

export const plainPaint: Paint = (_style, text) => text;

/** The screen behind a stream. Colour follows NO_COLOR, FORCE_COLOR and whether this very stream is a terminal. */
export function screenOf(stream: Output, env: NodeJS.ProcessEnv = process.env): Screen {
  return { width: widthOf(stream), paint: paintOf(stream), unicode: showsUnicode(stream, env) };
}

/** Never under 40, where layout would turn into confetti. A terminal that does not know its width says 0. */
export function widthOf(stream: Output): number {
  if (stream.columns) return Math.max(40, stream.columns);
  return stream.isTTY ? 80 : 100;
}

function paintOf(stream: Output): Paint {
  // One format at a time: given an array, Node 20's styleText colours whatever the stream is.
  return (style, text) => {
    if (text === '') return text;
    return LOOKS[style].reduce<string>((painted, look) => styleText(look, painted, { stream }), text);
  };
}

/** A file or pipe gets UTF-8 whatever the locale (cron runs in C); a terminal gets what its locale can show. */
export function showsUnicode(stream: Output, env: NodeJS.ProcessEnv): boolean {
  if (env.TERM === 'dumb') return false;
  if (!stream.isTTY) return true;
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}
