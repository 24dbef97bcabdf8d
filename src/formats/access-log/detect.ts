import { basename } from 'node:path';
import { BUILT_IN, type FormatChoice, type TextFormat, withFallbacks } from './formats.js';
import { LogReader } from './log-reader.js';
import { compile, FormatProblem } from './program.js';

/** What the beginning of a file says about how to read it. */
export interface Detected {
  choice: FormatChoice;
  /** Lines of the sample that this way of reading takes. */
  read: number;
  lines: number;
}

const CANDIDATES: FormatChoice[] = [
  { kind: 'json' },
  ...BUILT_IN.map((format): FormatChoice => ({ kind: 'text', formats: [format] })),
];

let probes: { choice: FormatChoice; reader: LogReader }[] | null = null;
let found = { read: 0, lines: 0 };

/** Readers are made once for all files: their buffers are larger than most heads. */
function probesOf() {
  probes ??= CANDIDATES.map((choice) => ({
    choice,
    reader: new LogReader(
      choice,
      [0, 0],
      ({ tally }) => {
        found.read += tally.records;
        found.lines += tally.lines;
      },
      128 << 10,
    ),
  }));
  return probes;
}

function tried(reader: LogReader, sample: Uint8Array): { read: number; lines: number } {
  found = { read: 0, lines: 0 };
  reader.restart();
  reader.feed(sample);
  reader.finish(false);
  return found;
}

/** Whole lines only, where there is one. */
function wholeLines(head: Uint8Array): Uint8Array {
  const last = head.lastIndexOf(10);
  return last > 0 ? head.subarray(0, last + 1) : head;
}

/** Status, bytes, and then something more: a line of `combined`, not of `common`. */
const BEHIND_BYTES = /["'] (?:\d{3}|-) (?:\d+|-) +\S/;

function named(format: TextFormat, sample: Uint8Array): TextFormat {
  const combined = BEHIND_BYTES.test(Buffer.from(sample).toString('latin1'));
  return combined ? format : { ...format, name: format.name.replace('combined', 'common') };
}

/**
 * Recognises an access log from its first bytes: the format that reads most lines of the sample, the richest of
 * equals. Half of the lines must fit; one is enough where the name says `access` (a log may begin with garbage).
 * The name alone is never enough.
 */
export function detectAccessLog(head: Uint8Array, path: string): Detected | null {
  const sample = wholeLines(head);
  let best: Detected | null = null;
  for (const { choice, reader } of probesOf()) {
    const { read, lines } = tried(reader, sample);
    if (read > (best?.read ?? 0)) best = { choice, read, lines };
    if (read === lines && read > 0) break;
  }
  if (!best) return null;
  const calledAccess = /access/i.test(basename(path));
  if (best.read * 2 < best.lines && !calledAccess) return null;
  const { choice } = best;
  return {
    ...best,
    choice: choice.kind === 'json' ? choice : withFallbacks(named(choice.formats[0]!, sample)),
  };
}

/**
 * How many lines of the sample a choice reads: whether a configured format is really the one of this log. A format
 * without a time (Apache's own `referer` and `agent`) reads none.
 */
export function linesRead(choice: FormatChoice, head: Uint8Array): { read: number; lines: number } {
  let read = 0;
  let lines = 0;
  if (choice.kind === 'text' && !choice.formats.every(usable)) return { read, lines };
  const reader = new LogReader(
    choice,
    [0, 0],
    ({ tally }) => {
      read += tally.records;
      lines += tally.lines;
    },
    128 << 10,
  );
  reader.feed(wholeLines(head));
  reader.finish(false);
  return { read, lines };
}

function usable({ dialect, format }: TextFormat): boolean {
  try {
    compile(dialect, format);
    return true;
  } catch (problem) {
    if (problem instanceof FormatProblem) return false;
    throw problem;
  }
}
