/**
 * Text that is safe to show. Whatever a client, or an error that quotes one, can put into a log goes through
 * here, so that it can neither forge a line nor drive a terminal.
 */
import { formatReason, formatTerm } from "../../otp/process/exit-reason.js";

/** Controls of a terminal (both the 7 and the 8 bit ones), what breaks lines, what turns the reading direction. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** The same inside a finished line, whose own end must stay. */
const UNSAFE_BUT_NEWLINE = /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Length at which a text is cut, and a reason or term, which a report has several of. A whole report should fit
 * into the 4 KiB that a pipe takes from several writers without mixing them.
 */
const LONGEST = 1000;
export const LONGEST_TERM = 400;

/** With every control character spelled out. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (one) => SHORT[one] ?? spelled(one));
}

/** A line of JSON: its encoder leaves alone what is legal in JSON but not on a terminal. */
export function visibleJson(line: string): string {
  return line.replace(UNSAFE_BUT_NEWLINE, (one) => `\\u${hex(one, 4)}`);
}

function spelled(one: string): string {
  return one > "\xff" ? `\\u${hex(one, 4)}` : `\\x${hex(one, 2)}`;
}

function hex(one: string, digits: number): string {
  return one.charCodeAt(0).toString(16).padStart(digits, "0");
}

/** Cut to a length at which no client can make a log line as long as it likes. */
export function clip(text: string, longest = LONGEST): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (+${text.length - longest})`;
}

/** A value as an Erlang term. */
export function termText(value: unknown): string {
  return clip(
    attempt(() => formatTerm(value)),
    LONGEST_TERM,
  );
}

/** An exit reason as Erlang prints it. */
export function reasonText(reason: unknown): string {
  return clip(
    attempt(() => formatReason(reason)),
    LONGEST_TERM,
  );
}

// A reason can be anything that was thrown: circular, or with a toString of its own that throws. A report that
// cannot be printed must not end a worker.
function attempt(format: () => string): string {
  try {
    return format();
  } catch {
    return "unprintable";
  }
}

/** As `[::]:2222` and `10.0.0.7:51234`; a UNIX socket has a path only. */
export function addressText({ address, port }: { readonly address: string; readonly port: number }): string {
  if (address.startsWith("/")) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
