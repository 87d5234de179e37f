/** Administration calls to a supervisor, static or dynamic, by its pid, as in OTP's `supervisor`. */
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
  /** Number of child specs; 1 for a dynamic supervisor. */
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** Errors of administration calls. */
export type AdminError =
  | "running"
  | "restarting"
  | "not_found"
  | "already_present"
  | "simple_one_for_one"
  | { readonly already_started: Pid };

/** The result of a start: the pid, `undefined` for `ignore`, or the error. */
export type StartResult = Pid | undefined | { readonly error: AdminError | ExitReason };

function callSupervisor<T>(supervisor: Pid, name: string, ...args: readonly unknown[]): Promise<T> {
  return request(supervisor, name, args, Infinity) as Promise<T>;
}

/** The children, newest first, as `supervisor:which_children/1`; for dynamic ones the order is approximate. */
export function whichChildren(supervisor: Pid): Promise<ChildInfo[]> {
  return callSupervisor(supervisor, "whichChildren");
}

export function countChildren(supervisor: Pid): Promise<ChildCounts> {
  return callSupervisor(supervisor, "countChildren");
}

/**
 * Starts a child: from a spec, which a static supervisor adds, or from the arguments of one child of a dynamic one.
 * @returns the pid, `undefined` for `ignore`, or `{ error }` as OTP names it
 * @throws TypeError on a bad spec
 */
export function startChild(
  supervisor: Pid,
  ...args: readonly [ChildSpec] | readonly unknown[]
): Promise<StartResult> {
  return callSupervisor(supervisor, "startChild", ...args);
}

/** Stops a child by id, or by pid under a dynamic supervisor. Its spec stays, unless it is temporary. */
export function terminateChild(
  supervisor: Pid,
  child: string | Pid,
): Promise<"ok" | "not_found" | "simple_one_for_one"> {
  return callSupervisor(supervisor, "terminateChild", child);
}

/** Restarts a child that has no process. Errors: `running`, `restarting`, `not_found`, or the reason of a failed start. */
export function restartChild(supervisor: Pid, id: string): Promise<StartResult> {
  return callSupervisor(supervisor, "restartChild", id);
}

/** Deletes the spec of a child that is not running. */
export function deleteChild(
  supervisor: Pid,
  id: string,
): Promise<"ok" | "running" | "restarting" | "not_found" | "simple_one_for_one"> {
  return callSupervisor(supervisor, "deleteChild", id);
}

/** The spec of a child, with all defaults filled in: by id, or by pid under a dynamic supervisor. */
export function getChildspec(supervisor: Pid, child: string | Pid): Promise<CheckedSpec | "not_found"> {
  return callSupervisor(supervisor, "getChildspec", child);
}
