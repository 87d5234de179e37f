/** Why a tree did not start, for one line on the terminal. */
import { formatReason, ProcessExit } from "../../otp/process/exit-reason.js";

/**
 * Why the tree did not start: what a worker said with its code, or the error that a child of the primary's
 * own failed with; otherwise the reason as it is.
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
  if ("failed" in reason) return reason.failed as { code: number; message: string };
  for (const value of Object.values(reason)) {
    const found = findFailure(value);
    if (found) return found;
  }
  return undefined;
}
