import {
  EXIM_MESSAGE_PHRASES,
  EXIM_PHRASES,
  EXIM_PHRASES_WITHIN,
  type EximPhrase,
} from '../../knowledge/exim-log.js';
import { MailKind } from '../mail-log/columns.js';

/** A phrase as bytes. */
export interface Phrase extends Omit<EximPhrase, 'text' | 'kind'> {
  bytes: Uint8Array;
  kind: MailKind;
}

const encoder = new TextEncoder();
const compiled = ({ text, kind, ...rest }: EximPhrase): Phrase => ({
  ...rest,
  bytes: encoder.encode(text),
  kind: MailKind[kind],
});

/** Phrases by their first byte, the longest first. */
function byFirst(phrases: readonly EximPhrase[]): Phrase[][] {
  const buckets: Phrase[][] = Array.from({ length: 256 }, () => []);
  for (const phrase of phrases.map(compiled)) buckets[phrase.bytes[0]!]!.push(phrase);
  for (const bucket of buckets) bucket.sort((a, b) => b.bytes.length - a.bytes.length);
  return buckets;
}

const OF_MESSAGE = byFirst(EXIM_MESSAGE_PHRASES);
const OF_PROGRAM = byFirst(EXIM_PHRASES);
const WITHIN = EXIM_PHRASES_WITHIN.map(compiled);

/** Whether `bytes` stand at `p`. */
export function begins(b: Uint8Array, p: number, end: number, bytes: Uint8Array): boolean {
  if (p + bytes.length > end) return false;
  for (let i = 0; i < bytes.length; i++) if (b[p + i] !== bytes[i]) return false;
  return true;
}

function found(buckets: Phrase[][], b: Uint8Array, p: number, end: number): Phrase | null {
  const bucket = buckets[b[p]!]!;
  for (let i = 0; i < bucket.length; i++) if (begins(b, p, end, bucket[i]!.bytes)) return bucket[i]!;
  return null;
}

/** The phrase that a message's line begins with. */
export const messagePhrase = (b: Uint8Array, p: number, end: number) => found(OF_MESSAGE, b, p, end);

/** The phrase that a line without a message begins with. */
export const programPhrase = (b: Uint8Array, p: number, end: number) => found(OF_PROGRAM, b, p, end);

/** The phrase in the middle of a line without a message, and where it ends. */
export function phraseWithin(
  b: Uint8Array,
  p: number,
  end: number,
): { phrase: Phrase; after: number } | null {
  const text = Buffer.from(b.buffer, b.byteOffset + p, Math.min(end - p, MOST_SEARCHED));
  for (const phrase of WITHIN) {
    const at = text.indexOf(phrase.bytes);
    if (at >= 0) return { phrase, after: p + at + phrase.bytes.length };
  }
  return null;
}

/** A phrase further on in a line is somebody's text. */
const MOST_SEARCHED = 1024;
