import type { Batch } from '../bulk.js';
import type { Stamp } from '../syslog/prefix.js';
import { type PostfixHow, PostfixLogReader } from './log-reader.js';

const NAMES: Record<Stamp, string> = {
  rfc3164: 'Postfix log, syslog',
  iso: 'Postfix log, syslog with ISO 8601 times',
  rfc5424: 'Postfix log, syslog of RFC 5424',
  'journal-json': 'Postfix log, journal as JSON',
};
/** Which year does not matter for recognising: any that all days of the year come before. */
const ANY_YEAR = Date.UTC(2000, 11, 31) / 1000;
/** Of a head of so few lines one is enough. */
const FEW = 20;

let found = { read: 0, lines: 0 };
let probe: PostfixLogReader | null = null;

/** Made once for all files: its buffer is larger than most heads. */
function probeOf(): PostfixLogReader {
  probe ??= new PostfixLogReader(
    { stamp: 'rfc3164', lastAt: ANY_YEAR },
    [0, 0],
    ({ tally }: Batch) => {
      found.read += tally.records;
      found.lines += tally.lines;
    },
    128 << 10,
  );
  return probe;
}

/** How the first line of Postfix has its time. */
function stampOf(sample: Uint8Array): Stamp {
  const lines = Buffer.from(sample.buffer, sample.byteOffset, sample.length);
  const at = lines.indexOf('postfix');
  const start = lines.lastIndexOf(10, Math.max(at, 0)) + 1;
  const first = lines.toString('latin1', start, start + 8);
  if (first.startsWith('{')) return 'journal-json';
  if (/^<\d{1,3}>\d /.test(first)) return 'rfc5424';
  return /^(<\d{1,3}>)?\d/.test(first) ? 'iso' : 'rfc3164';
}

/**
 * Recognises a log with lines of Postfix from its first bytes, whatever else writes into it: three lines that are
 * read, or one where the head has few. The name does not count.
 *
 * @returns `how` without a year (`withYear`), and how many lines of the head are Postfix's
 */
export function detectPostfixLog(
  head: Uint8Array,
  _path: string,
): { how: PostfixHow; name: string; read: number; lines: number } | null {
  const last = head.lastIndexOf(10);
  const sample = last > 0 ? head.subarray(0, last + 1) : head;
  found = { read: 0, lines: 0 };
  const reader = probeOf();
  reader.restart();
  reader.feed(sample);
  reader.finish(false);
  const { read, lines } = found;
  if (read < 3 && !(read > 0 && lines <= FEW)) return null;
  const stamp = stampOf(sample);
  return { how: { stamp, lastAt: null }, name: NAMES[stamp], read, lines };
}
