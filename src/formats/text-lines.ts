/** Lines of a text, without the empty one after the last newline. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Lines of a file's beginning, without a last one that may be cut; null for what is no text. */
export function headLines(head: Uint8Array): string[] | null {
  if (head.includes(0)) return null;
  const lines = Buffer.from(head).toString('utf8').split('\n');
  if (lines.length > 1) lines.pop();
  return lines;
}
