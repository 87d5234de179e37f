/**
 * Exit reasons, with Erlang's names. The same `isNormal` decides about restarts and about reports, so that an exit
 * that causes no restart is not reported either.
 */
import { isProxied, primitiveText } from "./error-part.js";
import { errorText, formatTerm } from "./format-term.js";

export { boundedText, errorPart, isProxied } from "./error-part.js";
export { formatTerm } from "./format-term.js";

/**
 * An exit reason. The strings are OTP's atoms; `{ shutdown: why }` is its `{shutdown, Why}`; an `Error` is a
 * crash with its stack. Any other string or object is an abnormal reason of the application.
 */
export type ExitReason =
  | "normal"
  | "shutdown"
  | "kill"
  | "killed"
  | "noproc"
  | (string & {})
  | { readonly shutdown: unknown }
  | { readonly [key: string]: unknown }
  | Error;

/** `{shutdown, Why}`: an orderly exit with an explanation. */
export function isShutdownTuple(reason: ExitReason): reason is { readonly shutdown: unknown } {
  return typeof reason === "object" && !(reason instanceof Error) && "shutdown" in reason;
}

/** `normal`, `shutdown` and `{shutdown, _}`: no restart of a transient child, and no report. */
export function isNormal(reason: ExitReason): boolean {
  return reason === "normal" || reason === "shutdown" || isShutdownTuple(reason);
}

/** The exit reason for a thrown value: strings, errors and objects as they are, anything else as an `Error`. */
export function reasonOf(thrown: unknown): ExitReason {
  if (typeof thrown === "string") return thrown;
  if (typeof thrown !== "object" || thrown === null) return new Error(`thrown: ${primitiveText(thrown)}`);
  if (!isProxied(thrown)) {
    if (thrown instanceof ProcessExit) return thrown.reason;
    if (thrown instanceof Error || hasNoGetter(thrown)) return thrown as ExitReason;
  }
  return new Error("thrown: an object that cannot be read");
}

/** A getter of `shutdown` could throw later, in the exit itself, or take for ever. */
function hasNoGetter(thrown: object): boolean {
  return Object.getOwnPropertyDescriptor(thrown, "shutdown")?.get === undefined;
}

/**
 * Thrown by `call` and `start` when the other process exited instead of replying. A handler may throw it to crash
 * with a reason that is not an `Error`.
 */
export class ProcessExit extends Error {
  override readonly name: string = "ProcessExit";
  readonly reason: ExitReason;
  constructor(reason: ExitReason, message = `process exited: ${formatReason(reason)}`) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Formats a reason as an Erlang term: `killed`, `{shutdown,idle}`, `{failed_to_start_child,b,noproc}`. Never throws:
 * any value can be thrown, circular or with getters that throw, and its process exits by this reason all the same.
 */
export function formatReason(reason: unknown): string {
  try {
    if (typeof reason === "object" && reason !== null && isProxied(reason)) return "unprintable";
    if (reason instanceof ProcessExit) return formatReason(reason.reason);
    if (reason instanceof Error) return errorText(reason);
    return formatTerm(reason);
  } catch {
    return "unprintable";
  }
}
