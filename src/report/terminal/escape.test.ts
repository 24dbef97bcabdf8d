import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeForPasting, escapeForTerminal } from './escape.js';

/** What the escapes stand for, read back the way the docstring promises. */
function original(text: string): string {
  return text.replace(
    /(\\+)(x([0-9a-f]{2})|u\{([0-9a-f]{1,6})\})/g,
    (_, slashes: string, code: string, byte?: string, point?: string) => {
      const kept = '\\'.repeat(Math.floor(slashes.length / 2));
      return slashes.length % 2 === 0
        ? kept + code
        : kept + String.fromCodePoint(Number.parseInt((byte ?? point)!, 16));
    },
  );
}

const DANGEROUS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

describe('escapeForTerminal', () => {
  it.each([
    ['\x1b[2J', '\\x1b[2J'],
    ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['a\r\nb\tc', 'a\\x0d\\x0ab\\x09c'],
    ['\x7f and \x9b31m', '\\x7f and \\x9b31m'],
    ['gpj\u202e.exe', 'gpj\\u{202e}.exe'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['line\u2028separator', 'line\\u{2028}separator'],
    ['hangul filler \u3164', 'hangul filler \\u{3164}'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['lone \ud800 surrogate', 'lone \\u{d800} surrogate'],
  ])('shows %j as %s', (text, shown) => {
    expect(escapeForTerminal(text)).toBe(shown);
  });

  it.each(['plain', '\\.php$', 'C:\\temp', '\\"', '漢字', 'été', 'e\u0301', '😀', '95 % – 2×'])(
    'leaves %s as it is',
    (text) => {
      expect(escapeForTerminal(text)).toBe(text);
    },
  );

  it('tells a real ESC from the four characters \\x1b', () => {
    expect(escapeForTerminal('\\x1b')).toBe('\\\\x1b');
    expect(escapeForTerminal('\\\x1b')).toBe('\\\\\\x1b');
  });

  it('shows a combining mark that would sit on our own text, or on a hidden character', () => {
    expect(escapeForTerminal('\u0301a')).toBe('\\u{301}a');
    expect(escapeForTerminal('a \u0301')).toBe('a \\u{301}');
    expect(escapeForTerminal('\x1b\u0301')).toBe('\\x1b\\u{301}');
  });

  it('lets no letter carry more than four marks', () => {
    const zalgo = escapeForTerminal(`a${'\u0301'.repeat(50)}`);
    expect(/\p{M}{5}/u.test(zalgo)).toBe(false);
  });

  it('lets nothing through that controls or hides, and can always be read back', () => {
    const nasty = fc.constantFrom(
      '\\',
      'x',
      'u{',
      '1b',
      '}',
      '\x1b',
      '\n',
      '\u202e',
      '\u0301',
      '\ud800',
      'é',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(nasty).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (raw) => {
        const shown = escapeForTerminal(raw);
        expect(shown).not.toMatch(DANGEROUS);
        expect(original(shown)).toBe(raw);
      }),
    );
  });
});

describe('escapeForPasting', () => {
  it('keeps tabs and backslashes, which a configuration needs, and nothing else', () => {
    expect(escapeForPasting('\tRewriteRule \\.php$ \\x41')).toBe('\tRewriteRule \\.php$ \\x41');
    expect(escapeForPasting('a\nb\x1b\u202e')).toBe('a\\x0ab\\x1b\\u{202e}');
  });
});
