/**
 * Text from the server, made safe for a terminal. Names and states may come from clients, and a terminal obeys
 * what it is shown: an escape sequence can rename the window, a bidi mark can make `<1.17>` look like `<1.71>`.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line: every control, format and separator character as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** JSON that is printable too; `\u….` is the same string to whoever parses it. */
export function printableJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replace(UNPRINTABLE, (char) => (char === "\n" ? char : escaped(char)));
}

/** By UTF-16 unit, as JSON escapes. */
function escaped(char: string): string {
  return Array.from({ length: char.length }, (_, at) => {
    return `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
