/** Start of an OTP child around an OS process: ends when the OS process says that it is ready, fails, or takes too long. */
import { ProcessExit } from "../../../otp/process/exit-reason.js";
import { onDown, type Process } from "../../../otp/process/process.js";
import { clock } from "../../../otp/time/clock.js";

export class PendingStart {
  #pending: { resolve: () => void; reject: (error: unknown) => void } | undefined = undefined;

  /**
   * Waits for `ready`. A child that fails to start is killed first: as soon as this throws, its place may be given to
   * the next one or removed.
   * @param waits whether it goes on waiting at the deadline
   * @throws what `failed` was given, or ProcessExit `start_timeout` after `deadline` milliseconds
   */
  async wait(child: Process, deadline: number, waits = (): boolean => false): Promise<void> {
    const check = () => {
      if (waits()) timer = clock.setTimeout(check, deadline);
      else this.failed(new ProcessExit("start_timeout"));
    };
    let timer = clock.setTimeout(check, deadline);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#pending = { resolve, reject };
      });
    } catch (error) {
      child.receiveExit(child.pid, "kill");
      if (child.alive) await new Promise<void>((resolve) => onDown(child.pid, () => resolve()));
      throw error;
    } finally {
      clock.clearTimeout(timer);
      this.#pending = undefined;
    }
  }

  ready(): void {
    this.#pending?.resolve();
  }

  failed(error: ProcessExit): void {
    this.#pending?.reject(error);
  }
}
