import type { Style } from './style.js';
import { indent, type Line, padEnd, span } from './text.js';

/** The column of words at the left (CULPRIT, BECAUSE, FIX …) that the eye runs down, and the text beside it. */
const LABEL_AT = 3;
const TEXT_AT = 13;
// Below this the label gets a line of its own: a third of the width is too much for a margin.
const NARROW = 60;

export function textWidth(width: number): number {
  return width - textAt(width);
}

function textAt(width: number): number {
  return width < NARROW ? LABEL_AT + 2 : TEXT_AT;
}

/** A label and its lines, which were made for `textWidth(width)`. Nothing to say: no label either. */
export function labelled(label: string, style: Style, lines: Line[], width: number): Line[] {
  const [first, ...rest] = lines;
  if (!first) return [];
  const at = textAt(width);
  const margin = span(' '.repeat(LABEL_AT));
  if (width < NARROW) {
    const own: Line[] = label === '' ? [] : [[margin, span(label, style)]];
    return [...own, ...indent(lines, at)];
  }
  const head = padEnd([span(label, style)], at - LABEL_AT);
  return [[margin, ...head, ...first], ...indent(rest, at)];
}
