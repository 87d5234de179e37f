/**
 * What a dynamic supervisor does because somebody asks for it, as opposed to what it does because a child ended.
 * Questions and answers are those of `supervision.ts`.
 */

import type { ErrorContext } from "../../events.js";
import type { CallMessage } from "../../gen-server/call.js";
import type { ExitReason } from "../../process/exit-reason.js";
import type { Pid } from "../../process/pid.js";
import { type Process, processOf } from "../../process/process.js";
import { stopChild } from "../child-shutdown.js";
import { type CheckedSpec, type ChildSpec, checkSpec } from "../child-spec.js";
import type { ChildCounts, ChildInfo } from "../requests.js";
import type { DynamicChildren } from "./children.js";

/** What is shown of a dynamic supervisor to those that are asked in its name. */
export interface Administered {
  readonly supervisor: Process;
  readonly spec: CheckedSpec;
  readonly children: DynamicChildren<any>;
  /** Those whose restart is tried again. */
  readonly retrying: Map<Pid, unknown>;
  /** Whether each start brings its whole spec. */
  readonly takesSpecs: boolean;
  start(args: readonly unknown[]): unknown;
  report(context: ErrorContext, reason: ExitReason, pid: Pid): void;
}

/** Answers one call; until the returned promise settles the supervisor takes no other message. */
export function administerDynamic(asked: Administered, message: CallMessage): void | Promise<void> {
  const child = message.args[0] as Pid | string;
  switch (message.name) {
    case "whichChildren":
      return message.reply(infos(asked));
    case "countChildren":
      return message.reply(count(asked));
    case "startChild":
      return startChild(asked, message);
    case "terminateChild":
      return terminateChild(asked, child).then((result) => message.reply(result));
    case "restartChild":
      return message.reply({ error: "simple_one_for_one" });
    case "deleteChild":
      return message.reply("simple_one_for_one");
    case "getChildspec":
      return message.reply(knows(asked, child) ? asked.spec : "not_found");
    default:
      return message.fail(new Error(`a supervisor has no call "${message.name}"`));
  }
}

function infos({ spec: { type }, children, retrying }: Administered): ChildInfo[] {
  const living = children.pids.map((pid): ChildInfo => ({ id: undefined, pid, type }));
  const waiting = [...retrying].map((): ChildInfo => ({ id: undefined, pid: "restarting", type }));
  return [...living, ...waiting].reverse();
}

function count({ spec, children, retrying }: Administered): ChildCounts {
  const active = children.size;
  const counted = active + retrying.size;
  const supervisors = spec.type === "supervisor" ? counted : 0;
  return { specs: 1, active, supervisors, workers: counted - supervisors };
}

function startChild(asked: Administered, message: CallMessage): void | Promise<void> {
  try {
    // A bad spec is the caller's mistake, not a start that failed.
    if (asked.takesSpecs) checkSpec(message.args[0] as ChildSpec);
  } catch (error) {
    return message.fail(error);
  }
  const result = asked.start(message.args);
  if (result instanceof Promise) return result.then((value) => message.reply(value));
  message.reply(result);
}

function knows({ children, retrying }: Administered, child: Pid | string): boolean {
  return typeof child !== "string" && (children.has(child) || retrying.has(child));
}

async function terminateChild(
  { supervisor, spec, children, retrying, report }: Administered,
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
