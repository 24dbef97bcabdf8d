import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainPaint } from './style.js';
import {
  clamp,
  displayWidth,
  flow,
  hanging,
  joined,
  type Line,
  lineWidth,
  padEnd,
  padStart,
  print,
  type Span,
  span,
  truncate,
  truncateLine,
  truncateMiddle,
  verbatim,
  withRight,
  wrap,
} from './text.js';

const text = (line: Line) => line.map((s) => s.text).join('');
const texts = (lines: Line[]) => lines.map(text);
const plain = { width: 80, paint: plainPaint, unicode: true };

// Everything that makes width hard: wide, combining, emoji, long words, runs of blanks, escapes.
const piece = fc.constantFrom(
  'a',
  'word',
  ' ',
  '   ',
  '漢字',
  'e\u0301',
  '😀',
  '\x1b',
  '/srv/www/',
  '95 %',
  '…',
);
const lines = fc
  .array(fc.tuple(fc.array(piece, { maxLength: 12 }), fc.constantFrom('plain', 'dim')), { maxLength: 5 })
  .map((spans) => spans.map(([parts, style]): Span => span(parts.join(''), style as 'plain' | 'dim')));

describe('displayWidth', () => {
  it.each([
    ['abc', 3],
    ['漢字', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['▏█', 2],
    ['', 0],
  ])('of %j is %d columns', (of, width) => {
    expect(displayWidth(of)).toBe(width);
  });
});

describe('wrap', () => {
  it('breaks between words and drops the blanks there', () => {
    expect(texts(wrap([span('one two  three')], 8))).toEqual(['one two', 'three']);
  });

  it('keeps a number and its unit together', () => {
    expect(texts(wrap([span('it took 3.7 GB, then 95 % more')], 10))).toEqual([
      'it took',
      '3.7 GB,',
      'then 95 %',
      'more',
    ]);
  });

  it('breaks a path after one of its slashes', () => {
    expect(texts(wrap([span('/var/log/apache2/blog.example-access.log')], 26))).toEqual([
      '/var/log/apache2/',
      'blog.example-access.log',
    ]);
  });

  it('begins a word that must be broken anyway where there is room for a good part of it', () => {
    expect(texts(wrap([span('in /etc/exim4/conf.d/transport/30_remote')], 24))).toEqual([
      'in /etc/exim4/conf.d/',
      'transport/30_remote',
    ]);
  });

  it('does not break inside an escape', () => {
    expect(texts(wrap([span('abcdef\x1bgh')], 8))).toEqual(['abcdef', '\\x1bgh']);
  });

  it('puts at least one character on a line, however narrow', () => {
    expect(texts(wrap([span('漢字')], 1))).toEqual(['漢', '字']);
    expect(texts(wrap([], 10))).toEqual(['']);
  });

  it('never makes a line wider than the width, and loses nothing but blanks', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 10, max: 40 }), (line, width) => {
        const wrapped = wrap(line, width);
        for (const l of wrapped) expect(lineWidth(l)).toBeLessThanOrEqual(width);
        const squeezed = (s: string) => s.replaceAll(' ', '');
        expect(squeezed(texts(wrapped).join(''))).toBe(squeezed(text(line)));
      }),
    );
  });
});

describe('hanging', () => {
  it('sets every line after the first in, and says no word twice', () => {
    const line = [...padEnd([span('19.5 messages', 'strong')], 14), span(' median of 8 days', 'dim')];
    expect(texts(hanging(line, 24))).toEqual(['19.5 messages  median of', '  8 days']);
  });

  it('loses nothing but blanks and stays within the width', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 12, max: 40 }), (line, width) => {
        const hung = hanging(line, width);
        for (const l of hung) expect(lineWidth(l)).toBeLessThanOrEqual(width);
        const squeezed = (s: string) => s.replaceAll(' ', '');
        expect(squeezed(texts(hung).join(''))).toBe(squeezed(text(line)));
      }),
    );
  });
});

describe('flow', () => {
  it('breaks between the parts, and inside one only when it has no line to itself', () => {
    const parts = ['8 files', 'read in 4.2 s', 'a part that is longer'].map((s): Line => [span(s)]);
    expect(texts(flow(parts, 23))).toEqual(['8 files · read in 4.2 s', 'a part that is longer']);
    expect(texts(flow(parts, 13))).toEqual(['8 files', 'read in 4.2 s', 'a part that', 'is longer']);
  });
});

describe('cutting', () => {
  it('shows that something is missing', () => {
    expect(truncate(span('abcdefgh').text, 5)).toBe('abcd…');
    expect(truncate(span('abcde').text, 5)).toBe('abcde');
    expect(truncate(span('ab cdef').text, 4)).toBe('ab…');
  });

  it('never cuts a wide or combined character in half', () => {
    expect(truncate(span('漢字漢字').text, 4)).toBe('漢…');
    expect(truncate(span('e\u0301e\u0301e\u0301').text, 2)).toBe('e\u0301…');
  });

  it('keeps the end of a path', () => {
    const path = span('/var/log/apache2/access.log.2.gz').text;
    expect(truncateMiddle(path, 16)).toBe('/var/…s.log.2.gz');
    expect(truncateMiddle(path, 5)).toBe('/var…');
  });

  it('cuts to the width, whatever is in it', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 40 }), (line, width) => {
        expect(lineWidth(truncateLine(line, width))).toBeLessThanOrEqual(width);
        const whole = span(text(line)).text;
        expect(displayWidth(truncate(whole, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(truncateMiddle(whole, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('clamps to so many lines and marks the last', () => {
    const five = wrap([span('one two three four five')], 5);
    expect(texts(clamp(five, 2, 5))).toEqual(['one', 'two …']);
    expect(clamp(five, 5, 5)).toBe(five);
  });
});

describe('placing', () => {
  it('pads by display width', () => {
    expect(text(padEnd([span('漢')], 4))).toBe('漢  ');
    expect(text(padStart([span('漢')], 4))).toBe('  漢');
  });

  it('puts something at the right edge, or on a line of its own when there is no room', () => {
    const right = [span('a.log:1', 'dim')];
    expect(texts(withRight([span('seen')], right, 14))).toEqual(['seen   a.log:1']);
    expect(texts(withRight([span('seen once')], right, 14))).toEqual(['seen once', '       a.log:1']);
  });
});

describe('print', () => {
  it('ends no line in blanks', () => {
    expect(print([[span('a'), span('   ')], [], [span('b  ', 'dim')]], plain)).toBe('a\n\nb\n');
  });

  it('paints stretches of one style at once, blanks included', () => {
    const painted = print([[span('a', 'dim'), span(' '), span('b', 'dim')]], {
      ...plain,
      paint: (style, s) => `<${style}:${s}>`,
    });
    expect(painted).toBe('<dim:a b>\n');
  });

  it('keeps the width of every line in ASCII', () => {
    fc.assert(
      fc.property(lines, (line) => {
        const ascii = print([line], { ...plain, unicode: false });
        expect(ascii).toMatch(/^[ -~]*\n$/);
        expect(ascii.length - 1).toBe(displayWidth(text(line).trimEnd()));
      }),
    );
  });

  it('has a stand-in for each of our own marks', () => {
    const ours = joined([[span('• – − … × ≤ ≥ ✓ ’ →')], [span('x')]]);
    expect(print([ours], { ...plain, unicode: false })).toBe("* - - ~ x < > + ' > - x\n");
  });

  it('keeps the tabs of a line that is there to be copied', () => {
    expect(print([[verbatim('\tAllow \\d')]], plain)).toBe('\tAllow \\d\n');
  });
});
