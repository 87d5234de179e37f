/**
 * Watchdog: kills workers whose event loop is blocked. Every worker sends a snapshot each second. After 3 s without a
 * message a worker is shown as unresponsive; after `--watchdog` it is killed, and its supervisor starts another. The
 * primary's own lag is subtracted: after it was stopped or starved, the silence is its own.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { Log } from "../../../telemetry/log/log.js";

/** Interval of the checks, in milliseconds. */
const CHECK_EVERY = 500;
/** Milliseconds without a message after which a worker is shown as unresponsive. */
const UNRESPONSIVE_AFTER = 3_000;

/** A worker, or the exchange. */
export interface Watched {
  readonly label: string;
  readonly osPid: number;
  readonly state: string;
  /** Milliseconds since its last message. */
  readonly silentMs: number;
  unresponsive: boolean;
  /** Whether a debugger is attached: it may stand at a breakpoint. */
  readonly debugged?: boolean;
  discountLag(ms: number): void;
  killUnresponsive(silentMs: number): void;
}

export class Watchdog {
  readonly #slots: () => readonly { readonly process: Watched | undefined }[];
  readonly #log: Pick<Log, "warn" | "error">;
  readonly #killAfter: number;
  #timer: TimerRef = undefined;
  #checkedAt = 0;

  /** @param killAfter milliseconds without a message after which a worker is killed; 0 disables */
  constructor(
    slots: () => readonly { readonly process: Watched | undefined }[],
    log: Pick<Log, "warn" | "error">,
    killAfter: number,
  ) {
    this.#slots = slots;
    this.#log = log;
    this.#killAfter = killAfter === 0 ? Infinity : killAfter;
  }

  start(): void {
    this.#checkedAt = clock.now();
    this.#schedule();
  }

  stop(): void {
    clock.clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer = clock.setTimeout(() => this.#checkAll(), CHECK_EVERY, true);
  }

  #checkAll(): void {
    const now = clock.now();
    const lag = Math.max(0, now - this.#checkedAt - CHECK_EVERY);
    this.#checkedAt = now;
    for (const { process } of this.#slots()) {
      if (process?.state !== "running") continue;
      process.discountLag(process.debugged ? Infinity : lag);
      this.#check(process);
    }
    this.#schedule();
  }

  #check(process: Watched): void {
    const { label, silentMs, osPid } = process;
    if (silentMs >= this.#killAfter) {
      this.#log.error(`Killed ${label} (watchdog): no message for ${seconds(silentMs)} s`, { osPid });
      process.killUnresponsive(silentMs);
    } else if (silentMs >= UNRESPONSIVE_AFTER && !process.unresponsive) {
      process.unresponsive = true;
      const kill =
        this.#killAfter === Infinity ? "" : `; it will be killed after ${this.#killAfter / 1000} s`;
      this.#log.warn(`Unresponsive ${label}: no message for ${seconds(silentMs)} s${kill}`, { osPid });
    }
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
