import { describe, expect, it } from 'vitest';
import { progressLine, progressOn } from './progress.js';
import type { Output } from './style.js';
import { displayWidth } from './text.js';

const state = { done: 1.2e9, total: 2.4e9, what: '/var/log/apache2/access.log.4.gz' };

describe('progressLine', () => {
  it('says how much, how fast, how long still, and what', () => {
    expect(progressLine(state, 2.1, 120, true)).toBe(
      'reading  50 % ██████████           1.2 GB of 2.4 GB · 571 MB/s · 3 s left · /var/log/apache2/access.log.4.gz',
    );
  });

  it('leaves out what there is no room for, the least important first', () => {
    expect(progressLine(state, 2.1, 60, true)).toBe('reading  50 % 1.2 GB of 2.4 GB · 571 MB/s · 3 s left');
    expect(progressLine(state, 2.1, 40, true)).toBe('reading  50 % 1.2 GB of 2.4 GB');
  });

  it('never fills more than the width, wide characters and strangers included', () => {
    for (let width = 20; width < 140; width++) {
      const line = progressLine({ ...state, what: '漢字\x1b[2J\n'.repeat(9) }, 2.1, width, true);
      expect(displayWidth(line)).toBeLessThanOrEqual(width);
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  });

  it('is ASCII where the terminal can show no more', () => {
    expect(progressLine({ ...state, what: '漢' }, 2.1, 120, false)).toMatch(/^[ -~]*$/);
  });

  it('names no rate at the very beginning and no share of an unknown total', () => {
    expect(progressLine({ done: 5e6, total: 0 }, 0.1, 80, true)).toBe('reading 5 MB');
  });

  it('never says 100 % too early nor more than that', () => {
    expect(progressLine({ done: 2.399e9, total: 2.4e9 }, 1, 80, true)).toContain('reading  99 %');
    expect(progressLine({ done: 3e9, total: 2.4e9 }, 1, 80, true)).toContain('reading 100 %');
  });
});

describe('progressOn', () => {
  function terminal(isTTY: boolean) {
    const written: string[] = [];
    const stream = { isTTY, columns: 80, write: (s: string) => written.push(s) > 0 } as unknown as Output;
    return { stream, written };
  }

  it('writes nothing where nobody watches', () => {
    for (const [isTTY, term] of [
      [false, 'xterm'],
      [true, 'dumb'],
    ] as const) {
      const { stream, written } = terminal(isTTY);
      const progress = progressOn(stream, { TERM: term });
      progress.update(state);
      progress.clear();
      expect(written).toEqual([]);
    }
  });

  it('replaces its line at most ten times a second, and takes it away in the end', () => {
    const { stream, written } = terminal(true);
    let now = 0;
    const progress = progressOn(stream, { TERM: 'xterm', LANG: 'C.UTF-8' }, () => now);
    for (now = 0; now < 1000; now += 10) progress.update(state);
    expect(written).toHaveLength(10);
    for (const line of written) expect(line).toMatch(/^\r\x1b\[Kreading/);
    progress.clear();
    progress.clear();
    expect(written.slice(10)).toEqual(['\r\x1b[K']);
  });
});
