/** How a supervisor ends its children: asks, waits, kills; and which ends it calls an error. */

import { type ExitReason, formatReason, isNormal } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { onDown, type Process, processOf } from "../process/process.js";
import { clock, type TimerRef } from "../time/clock.js";
import type { RestartType, Shutdown } from "./child-spec.js";

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
  const reason = process ? await stopLiving(supervisor, process, shutdown) : reasonOfDead(supervisor, pid);
  return asAsked(reason, shutdown, restart) ? undefined : reason;
}

async function stopLiving(supervisor: Process, process: Process, shutdown: Shutdown): Promise<ExitReason> {
  let end: ExitReason = "noproc";
  await stopAllLiving(supervisor, new Set([process]), shutdown, (reason) => {
    end = reason;
  });
  return end;
}

function ask(supervisor: Process, child: Process, shutdown: Shutdown): void {
  child.receiveExit(supervisor.pid, shutdown === "brutal_kill" ? "kill" : "shutdown");
}

function killLater(shutdown: Shutdown, kill: () => void): TimerRef {
  return typeof shutdown === "number" && shutdown !== Infinity ? clock.setTimeout(kill, shutdown) : undefined;
}

/** A child that ended before it was asked to: its exit waits in the mailbox, and is dealt with here. */
function reasonOfDead(supervisor: Process, pid: Pid): ExitReason {
  return supervisor.takeExit(pid) ?? "noproc";
}

/** The word it was asked with is always an answer; `normal`, `shutdown` and `{shutdown, _}` if it is not permanent. */
function asAsked(reason: ExitReason, shutdown: Shutdown, restart: RestartType): boolean {
  if (reason === (shutdown === "brutal_kill" ? "killed" : "shutdown")) return true;
  return restart !== "permanent" && isNormal(reason);
}

/** Children of a dynamic supervisor that ended otherwise than asked, all with the same reason. */
export interface ShutdownError {
  readonly reason: ExitReason;
  count: number;
}

/** Stops dynamic children: all are asked at once, one timer for all, the survivors are killed. */
export async function stopAll(
  supervisor: Process,
  children: readonly Pid[],
  shutdown: Shutdown,
  restart: RestartType,
): Promise<ShutdownError[]> {
  const errors = new Map<string, ShutdownError>();
  const ended = (reason: ExitReason) => {
    if (asAsked(reason, shutdown, restart)) return;
    // Alike is what prints alike: equal reasons need not be the same object.
    const alike = errors.get(formatReason(reason));
    if (alike) alike.count++;
    else errors.set(formatReason(reason), { reason, count: 1 });
  };
  const left = new Set<Process>();
  for (const pid of children) {
    const process = processOf(pid);
    if (process) left.add(process);
    else ended(reasonOfDead(supervisor, pid));
  }
  if (left.size > 0) await stopAllLiving(supervisor, left, shutdown, ended);
  return [...errors.values()];
}

function stopAllLiving(
  supervisor: Process,
  left: Set<Process>,
  shutdown: Shutdown,
  ended: (reason: ExitReason) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = killLater(shutdown, () => {
      for (const one of [...left]) one.receiveExit(supervisor.pid, "kill");
    });
    const over = () => {
      if (timer !== undefined) clock.clearTimeout(timer);
      forget();
      resolve();
    };
    // A link would be a message for each of them among all that wait. What it does is done here: whoever is
    // still about to end when the supervisor is killed is told so, and nobody waits for it any more.
    const forget = onDown(supervisor.pid, (reason) => {
      const abandoned = [...left];
      left.clear();
      over();
      for (const one of abandoned) one.receiveExit(supervisor.pid, reason, true);
    });
    for (const one of left) {
      supervisor.unlink(one);
      onDown(one.pid, (reason) => {
        if (!left.delete(one)) return;
        ended(reason);
        if (left.size === 0) over();
      });
    }
    for (const one of [...left]) ask(supervisor, one, shutdown);
  });
}
