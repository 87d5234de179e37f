/**
 * Exit reasons, with Erlang's names. The same `isNormal` decides about restarts and about reports, so that an exit
 * that causes no restart is not reported either.
 */

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
  if (thrown instanceof ProcessExit) return thrown.reason;
  if (thrown instanceof Error || typeof thrown === "string") return thrown;
  if (typeof thrown === "object" && thrown !== null) return thrown as ExitReason;
  return new Error(`thrown: ${String(thrown)}`);
}

/**
 * Thrown by `call` and `start` when the other process exited instead of replying. A handler may throw it to crash
 * with a reason that is not an `Error`.
 */
export class ProcessExit extends Error {
  override readonly name = "ProcessExit";
  readonly reason: ExitReason;
  constructor(reason: ExitReason, message = `process exited: ${formatReason(reason)}`) {
    super(message);
    this.reason = reason;
  }
}

/** Formats a reason as an Erlang term: `killed`, `{shutdown,idle}`, `{failed_to_start_child,b,noproc}`. */
export function formatReason(reason: unknown): string {
  if (reason instanceof ProcessExit) return formatReason(reason.reason);
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`;
  return formatTerm(reason);
}

/** An Erlang atom that needs no quotes. */
const ATOM = /^[a-z][\w@]*$/;

/**
 * Formats a value as an Erlang term: strings as atoms, arrays as tuples, objects as tagged tuples. The key `reason`
 * after another key is left out, as in `{failed_to_start_child,b,noproc}`.
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
