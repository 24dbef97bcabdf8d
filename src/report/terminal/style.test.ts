import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { type Output, screenOf, showsUnicode, widthOf } from './style.js';

const stream = (of: Partial<Output>) => ({ isTTY: false, ...of }) as Output;

describe('a screen', () => {
  it('is as wide as the terminal, and never narrower than layout can bear', () => {
    expect(widthOf(stream({ isTTY: true, columns: 132 }))).toBe(132);
    expect(widthOf(stream({ isTTY: true, columns: 12 }))).toBe(40);
    expect(widthOf(stream({ isTTY: true, columns: 0 }))).toBe(80);
    expect(widthOf(stream({}))).toBe(100);
  });

  it('shows Unicode in a pipe, and on a terminal as its locale says', () => {
    expect(showsUnicode(stream({}), { LANG: 'C' })).toBe(true);
    expect(showsUnicode(stream({ isTTY: true }), { LANG: 'de_DE.UTF-8' })).toBe(true);
    expect(showsUnicode(stream({ isTTY: true }), { LANG: 'de_DE.UTF-8', LC_ALL: 'C' })).toBe(false);
    expect(showsUnicode(stream({ isTTY: true }), {})).toBe(false);
    expect(showsUnicode(stream({ isTTY: true }), { LANG: 'C.UTF-8', TERM: 'dumb' })).toBe(false);
  });

  it('is coloured on a terminal and not in a pipe', () => {
    vi.stubEnv('FORCE_COLOR', undefined);
    vi.stubEnv('NO_COLOR', undefined);
    const painted = (isTTY: boolean) =>
      screenOf(Object.assign(new PassThrough(), { isTTY })).paint('culprit', 'text');
    expect(painted(true)).toBe('\x1b[31m\x1b[1mtext\x1b[22m\x1b[39m');
    expect(painted(false)).toBe('text');
    vi.unstubAllEnvs();
  });
});
