/**
 * Makes text from evidence harmless and honest on a terminal: what would move the cursor, hide, reorder or not
 * show at all is shown as `\x1b` (up to U+00FF) or `\u{202e}`.
 *
 * Backslashes: logs and configuration are full of them (`\.php$`, `C:\temp`, `\"`), and what is on the screen
 * should be what grep finds. So a backslash stays as it is, except a run of them directly before something that
 * reads like one of these escapes, or before a real one: that run is doubled. `\x1b` on the screen is therefore
 * always the ESC character, `\\x1b` always the four characters, and the original can be recovered.
 */
declare const ESCAPED: unique symbol;

/** Text that is safe to print. Only `escapeForTerminal` makes it, and the layout takes nothing else. */
export type Escaped = string & { readonly [ESCAPED]: true };

// Cc: C0, DEL, C1. Cf and Default_Ignorable: bidi, zero-width, tags, fillers. Cs: lone surrogates (with the u flag).
const HIDDEN = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
// A mark with no letter before it would sit on our own text; hundreds on one paint over the neighbouring lines.
const PILED_MARK = `(?<=^|[ ${HIDDEN.slice(1)}|\\p{M}{4})\\p{M}`;
const UNSAFE = new RegExp(`${HIDDEN}|${PILED_MARK}`, 'gu');
const UNSAFE_OR_LOOKALIKE = new RegExp(
  `(?<!\\\\)\\\\+(?=x[0-9a-f]{2}|u\\{[0-9a-f]{1,6}\\}|${HIDDEN}|${PILED_MARK})|${HIDDEN}|${PILED_MARK}`,
  'gu',
);
const PLAIN = /^[ -[\]-~]*$/;

export function escapeForTerminal(text: string): Escaped {
  if (PLAIN.test(text)) return text as Escaped;
  return text.replace(UNSAFE_OR_LOOKALIKE, (found) =>
    found.startsWith('\\') ? found + found : visible(found),
  ) as Escaped;
}

/** For a line that is there to be copied into a file or a shell: tabs and backslashes must arrive as they are. */
export function escapeForPasting(line: string): Escaped {
  return line.replace(UNSAFE, (found) => (found === '\t' ? found : visible(found))) as Escaped;
}

function visible(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}
