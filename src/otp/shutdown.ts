/** How a supervisor ends its children: asks, waits, kills; and which ends it calls an error. */
import type { RestartType, Shutdown } from "./child-spec.js";
import { clock } from "./clock.js";
import { type ExitReason, isShutdownTuple } from "./exit.js";
import type { Pid } from "./pid.js";
import { onDown, type Process, processOf } from "./process.js";

/**
 * Stops a static child: `shutdown`, then `kill` after its time; `brutal_kill` at once.
 * @returns the reason when the child did not end as it was asked to, for a `shutdown_error` report
 */
export async function stopChild(
  supervisor: Process,
  pid: Pid,
  shutdown: Shutdown,
  restart: RestartType,
): Promise<ExitReason | undefined> {
  const process = processOf(pid);
  const reason = process ? await stopLiving(supervisor, process, shutdown) : (supervisor.takeExit(pid) ?? "noproc");
  return asAsked(reason, shutdown, restart) ? undefined : reason;
}

function stopLiving(supervisor: Process, process: Process, shutdown: Shutdown): Promise<ExitReason> {
  supervisor.unlink(process);
  return new Promise((resolve) => {
    const kill = () => process.receiveExit(supervisor.pid, "kill");
    const timer = typeof shutdown === "number" && shutdown !== Infinity ? clock.setTimeout(kill, shutdown) : undefined;
    onDown(process.pid, (reason) => {
      if (timer !== undefined) clock.clearTimeout(timer);
      resolve(reason);
    });
    if (shutdown === "brutal_kill") kill();
    else process.receiveExit(supervisor.pid, "shutdown");
  });
}

/** `shutdown` is always an answer to being asked; `normal` and `{shutdown, _}` only if the child is not permanent. */
function asAsked(reason: ExitReason, shutdown: Shutdown, restart: RestartType): boolean {
  if (reason === "shutdown") return true;
  if (shutdown === "brutal_kill" && reason === "killed") return true;
  return restart !== "permanent" && (reason === "normal" || isShutdownTuple(reason));
}

/**
 * Stops dynamic children: all are asked at once, one timer for all, the survivors are killed.
 * @returns how many ended otherwise than asked, by reason
 */
export function stopAll(
  supervisor: Process,
  children: readonly Process[],
  shutdown: Shutdown,
  restart: RestartType,
): Promise<Map<ExitReason, number>> {
  const errors = new Map<ExitReason, number>();
  if (children.length === 0) return Promise.resolve(errors);
  return new Promise((resolve) => {
    const left = new Set(children);
    const killAll = () => {
      for (const one of left) one.receiveExit(supervisor.pid, "kill");
    };
    const timer = typeof shutdown === "number" && shutdown !== Infinity ? clock.setTimeout(killAll, shutdown) : undefined;
    for (const one of children) {
      supervisor.unlink(one);
      onDown(one.pid, (reason) => {
        left.delete(one);
        if (!asAsked(reason, shutdown, restart) && !isShutdownTuple(reason)) errors.set(reason, (errors.get(reason) ?? 0) + 1);
        if (left.size > 0) return;
        if (timer !== undefined) clock.clearTimeout(timer);
        resolve(errors);
      });
    }
    for (const one of children) one.receiveExit(supervisor.pid, shutdown === "brutal_kill" ? "kill" : "shutdown");
  });
}
