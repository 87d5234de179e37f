/**
 * Keeps a worker from accepting clients for whom it has no descriptor: libuv takes them from the kernel's queue and
 * closes them, and nobody hears of it. Who is not accepted waits in the queue, or is served by another worker.
 */
import { clock } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";

/** Descriptors of one OS process, and those of them that are connections. */
export interface DescriptorUse {
  readonly active: number;
  readonly openFds: number;
  /** That may be open; 0: not known. */
  readonly maxFds: number;
}

/** Descriptors that are left to the rest of the program: files, the listening socket, the channel. */
const RESERVE = 32;
/** So often at most it is said, in milliseconds. */
const SAY_EVERY = 10_000;

export class FreeDescriptors {
  /** Connections at most, by the descriptors there are. */
  room = Number.POSITIVE_INFINITY;
  readonly #log: Pick<Log, "warn">;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(log: Pick<Log, "warn">) {
    this.#log = log;
  }

  /**
   * Looks again: the limit may have been changed, and a protocol opens files of its own.
   * @param share connections that are allowed anyway; while there is room for these, nothing is said
   */
  heed({ active, openFds, maxFds }: DescriptorUse, share: number): void {
    if (maxFds === 0) return;
    this.room = Math.max(0, maxFds - (openFds - active) - RESERVE);
    const now = clock.now();
    if (this.room >= share || now - this.#saidAt < SAY_EVERY) return;
    this.#saidAt = now;
    this.#log.warn(
      `${openFds} of ${maxFds} file descriptors are in use: no more than ${this.room} connections until there are more`,
      { openFds, maxFds, maxConnections: this.room },
    );
  }
}
