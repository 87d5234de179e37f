/** The cause of a failed start, as one line and an exit code. */
import { formatReason, ProcessExit } from "../../../otp/process/exit-reason.js";

/**
 * Finds the cause in the exit reason of a tree that did not start: the message and code that a worker sent, or the
 * error of a child in the primary; otherwise the reason itself.
 */
export function startFailure(reason: unknown): {
  readonly code: number | undefined;
  readonly message: string;
} {
  return findFailure(reason) ?? { code: undefined, message: formatReason(reason) };
}

function findFailure(reason: unknown): { code: number | undefined; message: string } | undefined {
  if (typeof reason !== "object" || reason === null) return undefined;
  if (reason instanceof ProcessExit) return findFailure(reason.reason);
  if (reason instanceof Error)
    return { code: (reason as { exitCode?: number }).exitCode, message: reason.message };
  if ("not_spawned" in reason) return { code: undefined, message: notSpawnedText(`${reason.not_spawned}`) };
  if ("failed" in reason) return reason.failed as { code: number; message: string };
  for (const value of Object.values(reason)) {
    const found = findFailure(value);
    if (found) return found;
  }
  return undefined;
}

function notSpawnedText(code: string): string {
  return `an OS process cannot be started (${code}${NOT_SPAWNED[code] ?? ""})`;
}

/** By the error of fork or exec. */
const NOT_SPAWNED: Readonly<Record<string, string>> = {
  EAGAIN: ": too many OS processes; raise the limit (ulimit -u, TasksMax=, pids.max)",
  EMFILE: ": too many open files; raise the limit (ulimit -n)",
  ENFILE: ": the machine has too many open files",
  ENOMEM: ": out of memory",
  ENOENT: ": node was moved away",
};
