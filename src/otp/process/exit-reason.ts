/**
 * Why a process ends, in Erlang's words. One `isNormal` decides for restarts and for logging alike, so that
 * what is not restarted is also not reported.
 */

/**
 * An exit reason. The words are OTP's atoms; `{ shutdown: why }` is its `{shutdown, Why}`; an `Error` is a
 * crash with its stack. Any other string or object is an abnormal reason of one's own.
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

/** `{shutdown, Why}`: an orderly end that says why. */
export function isShutdownTuple(reason: ExitReason): reason is { readonly shutdown: unknown } {
  return typeof reason === "object" && !(reason instanceof Error) && "shutdown" in reason;
}

/** `normal`, `shutdown` and `{shutdown, _}`: what a transient child is not restarted for and nobody reports. */
export function isNormal(reason: ExitReason): boolean {
  return reason === "normal" || reason === "shutdown" || isShutdownTuple(reason);
}

/** Whatever was thrown, as a reason: `throw "badarg"` keeps its word, everything else becomes an `Error`. */
export function reasonOf(thrown: unknown): ExitReason {
  if (thrown instanceof ProcessExit) return thrown.reason;
  if (thrown instanceof Error || typeof thrown === "string") return thrown;
  if (typeof thrown === "object" && thrown !== null) return thrown as ExitReason;
  return new Error(`thrown: ${String(thrown)}`);
}

/**
 * Thrown by `call` and `start` when the other side ended instead of answering, and usable by anyone who
 * wants to end a process with a reason that is not an `Error`.
 */
export class ProcessExit extends Error {
  override readonly name = "ProcessExit";
  readonly reason: ExitReason;
  constructor(reason: ExitReason, message = `process exited: ${formatReason(reason)}`) {
    super(message);
    this.reason = reason;
  }
}

/** As Erlang prints a term: `killed`, `{shutdown,idle}`, `{failed_to_start_child,b,noproc}`. */
export function formatReason(reason: unknown): string {
  if (reason instanceof ProcessExit) return formatReason(reason.reason);
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`;
  return formatTerm(reason);
}

/** A word that needs no quotes as an Erlang atom. */
const ATOM = /^[a-z][\w@]*$/;

/**
 * A value as an Erlang term: words are atoms, arrays are tuples, objects are tagged ones. What is called
 * `reason` behind a tag stands there without its name, as in `{failed_to_start_child,b,noproc}`.
 */
export function formatTerm(value: unknown): string {
  if (value === undefined || value === null) return "undefined";
  if (typeof value === "string") return ATOM.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
  if (value instanceof Error) return `'${value.name}: ${value.message.replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `{${value.map(formatTerm).join(",")}}`;
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return String(value);
  const elements = Object.entries(value).flatMap(([key, inner], at) =>
    key === "reason" && at > 0 ? [formatTerm(inner)] : [formatTerm(key), formatTerm(inner)],
  );
  return `{${elements.join(",")}}`;
}
