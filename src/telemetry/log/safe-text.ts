/** Truncation of untrusted text, and Erlang terms of values that may not print. Escaping is in `text/escape.ts`. */
import { formatReason, formatTerm } from "../../otp/process/exit-reason.js";

/** Maximum bytes of a text, and of a reason or term, of which a report has several. */
const MAX_TEXT = 1000;
export const MAX_TERM = 400;

/** Characters of several bytes that are escaped: see `text/escape.ts`. */
const ESCAPED = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * The text up to `maxBytes` bytes, then `… (+N)` with N UTF-16 units: a client must not decide how long a log line is.
 * Bytes are counted as a JSON line has them: `日` is 3, a control character is 6.
 */
export function truncate(text: string, maxBytes = MAX_TEXT): string {
  if (text.length * 6 <= maxBytes) return text;
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number;
    bytes += writtenBytes(code);
    if (bytes > maxBytes) return `${text.slice(0, at)}… (+${text.length - at})`;
    at += code > 0xffff ? 2 : 1;
  }
  return text;
}

function writtenBytes(code: number): number {
  if (code < 0x20) return code === 9 || code === 10 || code === 13 ? 2 : 6;
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x7f) return 1;
  if (code < 0xa0) return 6;
  if (ESCAPED.test(String.fromCodePoint(code))) return code > 0xffff ? 12 : 6;
  if (code < 0x800) return 2;
  return code > 0xffff ? 4 : 3;
}

/** A value as an Erlang term. */
export function termText(value: unknown): string {
  return truncate(
    textOr("unprintable", () => formatTerm(value)),
    MAX_TERM,
  );
}

/** An exit reason as Erlang prints it. */
export function reasonText(reason: unknown): string {
  return truncate(
    textOr("unprintable", () => formatReason(reason)),
    MAX_TERM,
  );
}

/**
 * The text that `read` returns, or `instead`: any value can be thrown, circular, with a getter or a `toString` that
 * throws, or too long to be joined. It must cost neither the worker nor the rest of its report.
 */
export function textOr(instead: string, read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return instead;
  }
}
