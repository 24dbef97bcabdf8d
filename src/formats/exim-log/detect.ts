import { Unread } from '../unread.js';
import { type EximHow, EximLogReader } from './log-reader.js';

let found = { read: 0, lines: 0 };
let probe: EximLogReader | null = null;

/** Made once for all files: its buffer is larger than most heads. */
function prober(): EximLogReader {
  probe ??= new EximLogReader(
    {},
    [0, 0],
    ({ tally }) => {
      found.read += tally.records;
      found.lines += tally.lines - (tally.unread[Unread.empty] ?? 0);
    },
    128 << 10,
  );
  return probe;
}

/**
 * Recognises an Exim mainlog, rejectlog or paniclog from its first bytes, by content alone: half of the lines are
 * read, and some say what no other program does. Many programs begin their lines with such a stamp.
 */
export function detectEximLog(
  head: Uint8Array,
  _path: string,
): { how: EximHow; name: string; read: number; lines: number } | null {
  const last = head.lastIndexOf(10);
  const reader = prober();
  found = { read: 0, lines: 0 };
  reader.restart();
  reader.feed(last > 0 ? head.subarray(0, last + 1) : head);
  reader.finish(false);
  const { read, lines } = found;
  const { distinct, continued } = reader;
  if (distinct === 0 || read * 2 < lines || distinct * 4 < Math.min(read - continued, 40)) return null;
  return { how: {}, name: 'exim', read, lines };
}
