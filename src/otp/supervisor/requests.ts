/** What may be asked of a supervisor, static or dynamic, by whoever holds its pid: OTP's administration calls. */
import { request } from "../gen-server/call.js";
import type { ExitReason } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import type { CheckedSpec, ChildSpec } from "./child-spec.js";

/** An entry of `whichChildren`. */
export interface ChildInfo {
  /** `undefined` for children of a dynamic supervisor. */
  readonly id: string | undefined;
  readonly pid: Pid | "restarting" | undefined;
  readonly type: "worker" | "supervisor";
}

/** The result of `countChildren`. */
export interface ChildCounts {
  /** All children, alive or not; 1 for a dynamic supervisor. */
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** What a supervisor says when it cannot do as asked. */
export type AdminError =
  | "running"
  | "restarting"
  | "not_found"
  | "already_present"
  | "simple_one_for_one"
  | { readonly already_started: Pid };

/** What became of a start: the pid, `undefined` when it said `ignore`, or why there is none. */
export type StartResult = Pid | undefined | { readonly error: AdminError | ExitReason };

function ask<T>(supervisor: Pid, name: string, ...args: readonly unknown[]): Promise<T> {
  return request(supervisor, name, args, Infinity) as Promise<T>;
}

/** The children, newest first, as `supervisor:which_children/1`; dynamic ones as far as they are alike. */
export function whichChildren(supervisor: Pid): Promise<ChildInfo[]> {
  return ask(supervisor, "whichChildren");
}

export function countChildren(supervisor: Pid): Promise<ChildCounts> {
  return ask(supervisor, "countChildren");
}

/**
 * Starts a child: under a static supervisor of a spec, which is added; under a dynamic one of the arguments of
 * one child.
 * @returns the pid, `undefined` when the start said `ignore`, or `{ error }` as OTP names it
 * @throws TypeError on a bad spec
 */
export function startChild(
  supervisor: Pid,
  ...args: readonly [ChildSpec] | readonly unknown[]
): Promise<StartResult> {
  return ask(supervisor, "startChild", ...args);
}

/** Stops a child; its spec stays, unless it is temporary. By id, under a dynamic supervisor by pid. */
export function terminateChild(
  supervisor: Pid,
  child: string | Pid,
): Promise<"ok" | "not_found" | "simple_one_for_one"> {
  return ask(supervisor, "terminateChild", child);
}

/** Starts a child again that has ended, or was stopped. Errors: `running`, `restarting`, `not_found`, or why it failed. */
export function restartChild(supervisor: Pid, id: string): Promise<StartResult> {
  return ask(supervisor, "restartChild", id);
}

/** Forgets a child that does not run. */
export function deleteChild(
  supervisor: Pid,
  id: string,
): Promise<"ok" | "running" | "restarting" | "not_found" | "simple_one_for_one"> {
  return ask(supervisor, "deleteChild", id);
}

/** The spec of a child, with every default filled in. By id, under a dynamic supervisor by pid. */
export function getChildspec(supervisor: Pid, child: string | Pid): Promise<CheckedSpec | "not_found"> {
  return ask(supervisor, "getChildspec", child);
}
