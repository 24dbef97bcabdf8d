import { bar } from './chart.js';
import { escapeForTerminal } from './escape.js';
import { bytesShort, percent, seconds } from './numbers.js';
import { type Output, showsUnicode, widthOf } from './style.js';
import { displayWidth, truncate, truncateMiddle } from './text.js';

export interface ProgressState {
  /** Bytes. */
  done: number;
  /** 0 when not known, as with a pipe. */
  total: number;
  /** What is being read just now. */
  what?: string;
}

export interface Progress {
  update(state: ProgressState): void;
  /** Takes the line away; to be called before anything else is printed. */
  clear(): void;
}

const EVERY_MS = 100;
const ERASE = '\r\x1b[K';

/** One line that replaces itself, on a terminal only: a pipe, a log or cron gets nothing at all. */
export function progressOn(
  stream: Output,
  env: NodeJS.ProcessEnv = process.env,
  now: () => number = () => performance.now(),
): Progress {
  if (!stream.isTTY || env.TERM === 'dumb') return { update() {}, clear() {} };
  const began = now();
  let drawn = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    update(state) {
      const at = now();
      if (at - drawn < EVERY_MS) return;
      drawn = at;
      isShown = true;
      // One less than the width: writing the last column makes some terminals wrap, and a line would stay behind.
      const line = progressLine(state, (at - began) / 1000, widthOf(stream) - 1, showsUnicode(stream, env));
      stream.write(ERASE + line);
    },
    clear() {
      if (isShown) stream.write(ERASE);
      isShown = false;
    },
  };
}

/** 'reading  50 % ██████████           1.2 GB of 2.4 GB · 571 MB/s · 3 s left · access.log.4.gz'; what has no room is left out */
export function progressLine(state: ProgressState, elapsed: number, width: number, unicode: boolean): string {
  const { done, total } = state;
  const rate = elapsed > 0.2 && done > 0 ? done / elapsed : null;
  const dot = unicode ? ' · ' : ' - ';
  const parts: string[] = [];
  if (total > 0) {
    const share = Math.min(1, done / total);
    const drawing = width >= 70 ? `${padded(bar(share, 20, unicode), 20)} ` : '';
    parts.push(
      `reading ${percent(Math.floor(share * 100)).padStart(5)} ${drawing}${bytesShort(done)} of ${bytesShort(total)}`,
    );
  } else parts.push(`reading ${bytesShort(done)}`);
  if (rate !== null) {
    parts.push(`${bytesShort(rate)}/s`);
    if (total > done) parts.push(`${seconds(Math.ceil((total - done) / rate))} left`);
  }
  const [start = '', ...rest] = parts;
  const line = rest.reduce((so, part) => {
    const longer = so + dot + part;
    return displayWidth(longer) <= width ? longer : so;
  }, start);
  const room = width - displayWidth(line) - dot.length;
  const what =
    state.what === undefined || room < 12 ? '' : dot + truncateMiddle(escapeForTerminal(state.what), room);
  const whole = truncate(escapeForTerminal(line + what), width);
  return unicode ? whole : whole.replace(/[^ -~]/gu, '?');
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
