/** Numbers as small pictures of text. In ASCII where the terminal can show no more. */
const SPARKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_SPARKS = ['_', '.', ':', '-', '=', '+', '*', '#'];
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * One character a value, from zero up (a baseline other than zero would exaggerate). More values than there is
 * room for are taken together by their largest: a peak must not vanish.
 */
export function sparkline(values: number[], width: number, unicode: boolean): string {
  const marks = unicode ? SPARKS : ASCII_SPARKS;
  const shown = squeeze(values, width);
  const top = shown.reduce((max, v) => Math.max(max, v), 0);
  return shown
    .map((v) => {
      if (!(v > 0) || top === 0) return marks[0];
      return marks[Math.min(marks.length, Math.max(1, Math.ceil((v / top) * marks.length))) - 1];
    })
    .join('');
}

function squeeze(values: number[], width: number): number[] {
  const finite = values.map((v) => (Number.isFinite(v) ? v : 0));
  if (finite.length <= width) return finite;
  return Array.from({ length: Math.max(0, width) }, (_, i) => {
    const from = Math.floor((i * finite.length) / width);
    const to = Math.max(from + 1, Math.floor(((i + 1) * finite.length) / width));
    return finite.slice(from, to).reduce((max, v) => Math.max(max, v), 0);
  });
}

/** A horizontal bar; anything above zero is at least a sliver. */
export function bar(share: number, width: number, unicode: boolean): string {
  const fraction = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  if (fraction === 0) return '';
  if (!unicode) return '#'.repeat(Math.max(1, Math.round(fraction * width)));
  const eighths = Math.max(1, Math.round(fraction * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
