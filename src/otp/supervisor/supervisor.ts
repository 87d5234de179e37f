/**
 * The supervisor behaviour: child spec of a nested supervisor, start and stop of a root supervisor, administration
 * calls. The process is in `supervisor-process.ts`.
 */

import { type ExitReason, ProcessExit } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { onDown, type Process, processOf } from "../process/process.js";
import { register, whereis } from "../process/registry.js";
import { type ChildSpec, checkChildren } from "./child-spec.js";
import { checkFlags, type SupervisorFlags } from "./supervisor-flags.js";
import { StopRequest, Supervisor } from "./supervisor-process.js";

export {
  type AdminError,
  type ChildCounts,
  type ChildInfo,
  countChildren,
  deleteChild,
  getChildspec,
  restartChild,
  type StartResult,
  startChild,
  terminateChild,
  whichChildren,
} from "./requests.js";

export { Supervisor } from "./supervisor-process.js";

/**
 * The child spec of a nested supervisor. Flags and specs are checked at once, not at its start.
 * @throws TypeError on a bad flag or spec, or on a duplicate child id
 */
export function supervisor(id: string, flags: SupervisorFlags, children: readonly ChildSpec[]): ChildSpec {
  const checked = checkFlags(id, flags);
  const specs = checkChildren(id, checked.autoShutdown, children);
  return {
    id,
    type: "supervisor",
    mfargs: ["supervisor", "start_link", [id]],
    start: async (parent) => {
      const process = new Supervisor(id, checked, livingParent(parent));
      await process.init(specs);
      return process.pid;
    },
  };
}

/** @throws ProcessExit `noproc` when the parent has exited */
function livingParent(parent: Pid): Process {
  const process = processOf(parent);
  if (!process)
    throw new ProcessExit("noproc", `the supervisor was not started: its parent ${parent} has exited`);
  return process;
}

/**
 * Starts a root supervisor, without a parent.
 * @param name it is registered under this name before its first child starts
 * @throws ProcessExit when a child fails to start; the children before it are stopped. `{ already_started }` when the
 *   name is taken
 */
export async function startSupervisor(
  id: string,
  flags: SupervisorFlags,
  children: readonly ChildSpec[],
  name?: string,
): Promise<Pid> {
  const checked = checkFlags(id, flags);
  const specs = checkChildren(id, checked.autoShutdown, children);
  const holder = name !== undefined && whereis(name);
  if (holder) throw new ProcessExit({ already_started: holder }, `"${name}" is already started as ${holder}`);
  const process = new Supervisor(id, checked, undefined);
  if (name !== undefined) register(name, process.pid);
  await process.init(specs);
  return process.pid;
}

/** Stops a root supervisor: its children in reverse order, then itself. Resolves after its exit. */
export function stopSupervisor(supervisor: Pid, reason: ExitReason = "shutdown"): Promise<void> {
  return new Promise((resolve) => {
    onDown(supervisor, () => resolve());
    processOf(supervisor)?.deliver(new StopRequest(reason));
  });
}
