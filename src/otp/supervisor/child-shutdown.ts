/** Shutdown of children: `shutdown` signal, timeout, `kill`; and which exit reasons are a `shutdown_error`. */

import { type ExitReason, formatReason, isNormal } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { onDown, type Process, processOf } from "../process/process.js";
import { clock, type TimerRef } from "../time/clock.js";
import type { RestartType, Shutdown } from "./child-spec.js";

/**
 * Stops a static child: `shutdown`, then `kill` after its shutdown time; `brutal_kill` at once.
 * @returns an unexpected exit reason, for a `shutdown_error` report
 */
export async function stopChild(
  supervisor: Process,
  pid: Pid,
  shutdown: Shutdown,
  restart: RestartType,
): Promise<ExitReason | undefined> {
  const process = processOf(pid);
  const reason = process ? await stopOne(supervisor, process, shutdown) : reasonOfExited(supervisor, pid);
  return isExpected(reason, shutdown, restart) ? undefined : reason;
}

async function stopOne(supervisor: Process, process: Process, shutdown: Shutdown): Promise<ExitReason> {
  let exitReason: ExitReason = "noproc";
  await stopProcesses(supervisor, new Set([process]), shutdown, (reason) => {
    exitReason = reason;
  });
  return exitReason;
}

function sendShutdown(supervisor: Process, child: Process, shutdown: Shutdown): void {
  child.receiveExit(supervisor.pid, shutdown === "brutal_kill" ? "kill" : "shutdown");
}

function startKillTimer(shutdown: Shutdown, kill: () => void): TimerRef {
  return typeof shutdown === "number" && shutdown !== Infinity ? clock.setTimeout(kill, shutdown) : undefined;
}

/** A child that exited before the shutdown: its exit message is taken out of the mailbox. */
function reasonOfExited(supervisor: Process, pid: Pid): ExitReason {
  return supervisor.takeExit(pid) ?? "noproc";
}

/** Expected: the reason it was stopped with; unless permanent also `normal`, `shutdown` and `{shutdown, _}`. */
function isExpected(reason: ExitReason, shutdown: Shutdown, restart: RestartType): boolean {
  if (reason === (shutdown === "brutal_kill" ? "killed" : "shutdown")) return true;
  return restart !== "permanent" && isNormal(reason);
}

/** Children of a dynamic supervisor with the same unexpected exit reason. */
export interface ShutdownError {
  readonly reason: ExitReason;
  count: number;
}

/** Stops dynamic children: `shutdown` to all at once, one timer, `kill` to the survivors. */
export async function stopAll(
  supervisor: Process,
  children: readonly Pid[],
  shutdown: Shutdown,
  restart: RestartType,
): Promise<ShutdownError[]> {
  const errors = new Map<string, ShutdownError>();
  const exited = (reason: ExitReason) => {
    if (isExpected(reason, shutdown, restart)) return;
    // Grouped by text: equal reasons need not be the same object.
    const error = errors.get(formatReason(reason));
    if (error) error.count++;
    else errors.set(formatReason(reason), { reason, count: 1 });
  };
  const running = new Set<Process>();
  for (const pid of children) {
    const process = processOf(pid);
    if (process) running.add(process);
    else exited(reasonOfExited(supervisor, pid));
  }
  if (running.size > 0) await stopProcesses(supervisor, running, shutdown, exited);
  return [...errors.values()];
}

function stopProcesses(
  supervisor: Process,
  running: Set<Process>,
  shutdown: Shutdown,
  exited: (reason: ExitReason) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = startKillTimer(shutdown, () => {
      for (const child of [...running]) child.receiveExit(supervisor.pid, "kill");
    });
    const done = () => {
      if (timer !== undefined) clock.clearTimeout(timer);
      cancel();
      resolve();
    };
    // The links are removed: each exit would be a message in the mailbox. What a link does on the exit of the
    // supervisor is done here: the remaining children get its exit signal.
    const cancel = onDown(supervisor.pid, (reason) => {
      const abandoned = [...running];
      running.clear();
      done();
      for (const child of abandoned) child.receiveExit(supervisor.pid, reason, true);
    });
    for (const child of running) {
      supervisor.unlink(child);
      onDown(child.pid, (reason) => {
        if (!running.delete(child)) return;
        exited(reason);
        if (running.size === 0) done();
      });
    }
    for (const child of [...running]) sendShutdown(supervisor, child, shutdown);
  });
}
