/**
 * Watches from outside whether workers turn their loops. A worker tells its numbers every second; one that is
 * silent for long is shown as unresponsive, and one that is silent for too long is killed, so that its supervisor
 * starts another. What the primary itself was late is taken off: after it was stopped or starved, the silence
 * that it sees is its own.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";
import type { WorkerProcess } from "./worker-process.js";
import type { WorkerSlot } from "./worker-slot.js";

/** How often it looks, in milliseconds. */
const LOOKS_EVERY = 500;
/** A worker that is silent for so long is shown as unresponsive. */
const UNRESPONSIVE_AFTER = 3_000;

export class Watchdog {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #log: Pick<Log, "warn" | "error">;
  readonly #killAfter: number;
  #timer: TimerRef = undefined;
  #lookedAt = 0;

  /** @param killAfter how long a worker may be silent, in milliseconds; 0: for ever */
  constructor(slots: () => readonly WorkerSlot[], log: Pick<Log, "warn" | "error">, killAfter: number) {
    this.#slots = slots;
    this.#log = log;
    this.#killAfter = killAfter === 0 ? Infinity : killAfter;
  }

  start(): void {
    this.#lookedAt = clock.now();
    this.#again();
  }

  stop(): void {
    clock.clearTimeout(this.#timer);
  }

  #again(): void {
    this.#timer = clock.setTimeout(() => this.#look(), LOOKS_EVERY, true);
  }

  #look(): void {
    const now = clock.now();
    const late = Math.max(0, now - this.#lookedAt - LOOKS_EVERY);
    this.#lookedAt = now;
    for (const { process } of this.#slots()) {
      if (process?.state !== "running") continue;
      process.excuse(late);
      this.#judge(process);
    }
    this.#again();
  }

  #judge(process: WorkerProcess): void {
    const { label, silentMs, osPid } = process;
    if (silentMs >= this.#killAfter) {
      this.#log.error(`${label} was silent for ${seconds(silentMs)} s: killed`, { osPid });
      process.killSilent(silentMs);
    } else if (silentMs >= UNRESPONSIVE_AFTER && !process.unresponsive) {
      process.unresponsive = true;
      const end =
        this.#killAfter === Infinity ? "" : `; silent for ${this.#killAfter / 1000} s, it will be killed`;
      this.#log.warn(`${label} does not respond${end}`, { osPid });
    }
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
