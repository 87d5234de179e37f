/**
 * Administration calls of a dynamic supervisor (`start_child`, `terminate_child`, …). Callers use the functions of
 * `requests.ts`.
 */

import type { ErrorContext } from "../../events.js";
import type { CallMessage } from "../../gen-server/call-message.js";
import type { ExitReason } from "../../process/exit-reason.js";
import type { Pid } from "../../process/pid.js";
import { type Process, processOf } from "../../process/process.js";
import { stopChild } from "../child-shutdown.js";
import { type CheckedSpec, type ChildSpec, checkSpec } from "../child-spec.js";
import type { ChildCounts, ChildInfo } from "../requests.js";
import type { DynamicChildren } from "./children.js";

/** The dynamic supervisor, as its administration calls see it. */
export interface DynamicSupervisorView {
  readonly supervisor: Process;
  readonly spec: CheckedSpec;
  readonly children: DynamicChildren<any>;
  /** Children with a pending restart. */
  readonly retrying: Map<Pid, unknown>;
  /** Whether the argument of a start is a child spec. */
  readonly takesSpecs: boolean;
  start(args: readonly unknown[]): unknown;
  report(context: ErrorContext, reason: ExitReason, pid: Pid): void;
}

/** Handles one call; the supervisor handles no other message until the returned promise has settled. */
export function handleDynamicAdminCall(
  view: DynamicSupervisorView,
  message: CallMessage,
): void | Promise<void> {
  const child = message.args[0] as Pid | string;
  switch (message.name) {
    case "whichChildren":
      return message.reply(infos(view));
    case "countChildren":
      return message.reply(count(view));
    case "startChild":
      return startChild(view, message);
    case "terminateChild":
      return terminateChild(view, child).then((result) => message.reply(result));
    case "restartChild":
      return message.reply({ error: "simple_one_for_one" });
    case "deleteChild":
      return message.reply("simple_one_for_one");
    case "getChildspec":
      return message.reply(knows(view, child) ? view.spec : "not_found");
    default:
      return message.fail(new Error(`a supervisor has no call "${message.name}"`));
  }
}

function infos({ spec: { type }, children, retrying }: DynamicSupervisorView): ChildInfo[] {
  const running = children.pids.map((pid): ChildInfo => ({ id: undefined, pid, type }));
  const restarting = [...retrying].map((): ChildInfo => ({ id: undefined, pid: "restarting", type }));
  return [...running, ...restarting].reverse();
}

function count({ spec, children, retrying }: DynamicSupervisorView): ChildCounts {
  const active = children.size;
  const counted = active + retrying.size;
  const supervisors = spec.type === "supervisor" ? counted : 0;
  return { specs: 1, active, supervisors, workers: counted - supervisors };
}

function startChild(view: DynamicSupervisorView, message: CallMessage): void | Promise<void> {
  try {
    // A bad spec is an error of the caller, not a failed start.
    if (view.takesSpecs) checkSpec(message.args[0] as ChildSpec);
  } catch (error) {
    return message.fail(error);
  }
  const result = view.start(message.args);
  if (result instanceof Promise) return result.then((value) => message.reply(value));
  message.reply(result);
}

function knows({ children, retrying }: DynamicSupervisorView, child: Pid | string): boolean {
  return typeof child !== "string" && (children.has(child) || retrying.has(child));
}

async function terminateChild(
  { supervisor, spec, children, retrying, report }: DynamicSupervisorView,
  child: Pid | string,
): Promise<"ok" | "not_found" | "simple_one_for_one"> {
  if (typeof child === "string") return "simple_one_for_one";
  if (retrying.delete(child)) return "ok";
  const pid = processOf(child)?.pid ?? child;
  if (!children.has(pid)) return processOf(pid) ? "not_found" : "ok";
  const error = await stopChild(supervisor, pid, spec.shutdown, spec.restart);
  if (error !== undefined) report("shutdown_error", error, pid);
  children.remove(pid);
  return "ok";
}
