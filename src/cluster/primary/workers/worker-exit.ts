/** Why a worker has ended: what the primary did to it, what it said, and its exit status, as one exit reason. */
import { type ExitReason, ProcessExit } from "../../../otp/process/exit-reason.js";

export class WorkerExit {
  /** How it was asked to end. */
  asked: "shutdown" | "killed" | undefined = undefined;
  /** Milliseconds without a message after which the watchdog has killed it. */
  killedAfterMs: number | undefined = undefined;
  /** Exit code of a worker that was killed in its exit handlers. */
  overdueCode: number | undefined = undefined;
  /** Exit code and message that it has sent. */
  failure: { readonly code: number; readonly message: string } | undefined = undefined;

  /**
   * @param code exit code; `null`: a signal ended it
   * @param outOfMemory looks up whether it was out of memory, and returns how
   */
  reason(code: number | null, signal: string | null, outOfMemory: () => string | undefined): ExitReason {
    if (this.overdueCode !== undefined) return this.#statusReason(this.overdueCode);
    if (signal === "SIGKILL" && this.killedAfterMs !== undefined)
      return { watchdog: `no message for ${this.killedAfterMs} ms` };
    const memory = this.asked === "killed" ? undefined : outOfMemory();
    if (memory !== undefined) return memory;
    if (signal === "SIGKILL") return "killed";
    if (signal !== null) return { signal };
    return this.#statusReason(code ?? 0);
  }

  /** A worker that exits with 0 unasked is `normal`: its supervisor restarts it. */
  #statusReason(code: number): ExitReason {
    if (code !== 0) return { exit_status: code };
    return this.asked === "shutdown" ? "shutdown" : "normal";
  }

  /** Error of a start that ended for this reason: the worker's own message, where it has sent one. */
  startError(reason: ExitReason): ProcessExit {
    return this.failure
      ? new ProcessExit({ failed: this.failure }, this.failure.message)
      : new ProcessExit(reason);
  }
}
