// JSON.stringify escapes C0 and lone surrogates. These it lets through: DEL, C1, bidi, zero-width, tags.
const HIDDEN = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Makes JSON safe to look at on a terminal without changing what it means. Hidden characters occur only in strings. */
export function escapeJson(json: string): string {
  return json.replace(HIDDEN, (found) => {
    let text = '';
    for (let i = 0; i < found.length; i++) text += `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`;
    return text;
  });
}
