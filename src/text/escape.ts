/**
 * Escapes unprintable characters in text from clients, files and errors. A terminal obeys what it is shown: an
 * escape sequence can rename the window, a line end forges a log line, a bidi mark makes `<1.17>` look like `<1.71>`.
 */

/** Controls (C0 and C1), format characters with all bidi marks, line and paragraph separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The same except "\n", for text that is already lines. */
const UNPRINTABLE_IN_LINES = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Text as one line, with every unprintable character escaped: `\n`, `\x1b`, `\u202e`. */
export function escapeControls(text: string): string {
  return text.replace(UNPRINTABLE, (char) => SHORT_ESCAPES[char] ?? escaped(char));
}

/** JSON, in one line or several: an escaped character is the same string to a JSON parser. */
export function escapeJsonControls(json: string): string {
  return json.replace(UNPRINTABLE_IN_LINES, unicodeEscaped);
}

function escaped(char: string): string {
  return char > "\xff" ? unicodeEscaped(char) : `\\x${hex(char.charCodeAt(0), 2)}`;
}

/** By UTF-16 unit, as JSON has it. */
function unicodeEscaped(char: string): string {
  return Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join("");
}

function hex(unit: number, digits: number): string {
  return unit.toString(16).padStart(digits, "0");
}
