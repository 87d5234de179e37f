/**
 * Escaping and truncation of untrusted text: what a client sends, or an error quotes, must neither forge a log
 * line nor send escape sequences to a terminal.
 */
import { formatReason, formatTerm } from "../../otp/process/exit-reason.js";

/** C0 and C1 control characters, line and paragraph separators, bidirectional controls. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** The same except "\n", for a line that is already terminated. */
const UNSAFE_IN_LINE = /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Maximum length of a text, and of a reason or term, of which a report has several: a whole report should fit into
 * PIPE_BUF (4 KiB), up to which writes of several OS processes to one pipe are atomic.
 */
const MAX_TEXT = 1000;
export const MAX_TERM = 400;

/** The text with every control character escaped: `\n`, `\x1b`, `\u202e`. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (one) => SHORT_ESCAPES[one] ?? escaped(one));
}

/** Escapes what the JSON encoder leaves unescaped (DEL, C1, bidirectional controls) in one line of JSON. */
export function escapeJsonControls(line: string): string {
  return line.replace(UNSAFE_IN_LINE, (one) => `\\u${hex(one, 4)}`);
}

function escaped(one: string): string {
  return one > "\xff" ? `\\u${hex(one, 4)}` : `\\x${hex(one, 2)}`;
}

function hex(one: string, digits: number): string {
  return one.charCodeAt(0).toString(16).padStart(digits, "0");
}

/** The first `maxLength` UTF-16 units, then `… (+N)`: a client must not decide how long a log line is. */
export function truncate(text: string, maxLength = MAX_TEXT): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}… (+${text.length - maxLength})`;
}

/** A value as an Erlang term. */
export function termText(value: unknown): string {
  return truncate(
    formatSafely(() => formatTerm(value)),
    MAX_TERM,
  );
}

/** An exit reason as Erlang prints it. */
export function reasonText(reason: unknown): string {
  return truncate(
    formatSafely(() => formatReason(reason)),
    MAX_TERM,
  );
}

// Any value can be thrown: circular, or with a toString that throws. A report that cannot be printed must not end
// the worker.
function formatSafely(format: () => string): string {
  try {
    return format();
  } catch {
    return "unprintable";
  }
}

/** `[::]:2222`, `10.0.0.7:51234`, or the path of a UNIX socket. */
export function addressText({ address, port }: { readonly address: string; readonly port: number }): string {
  if (address.startsWith("/")) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
