/** Truncation of untrusted text, and Erlang terms of values that may not print. Escaping is in `text/escape.ts`. */
import { formatReason, formatTerm } from "../../otp/process/exit-reason.js";

/**
 * Maximum length of a text, and of a reason or term, of which a report has several: a whole report should fit into
 * PIPE_BUF (4 KiB), up to which writes of several OS processes to one pipe are atomic.
 */
const MAX_TEXT = 1000;
export const MAX_TERM = 400;

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
