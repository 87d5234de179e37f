/**
 * Replaces a worker whose memory stays above `--max-memory` although it has closed connections: a leak, or memory that
 * was freed in pieces too small for the kernel. As `drover restart` does, it drains first while the others accept.
 */
import { clock } from "../../../otp/time/clock.js";
import type { Log } from "../../../telemetry/log/log.js";
import type { WorkerSlot } from "../workers/worker-slot.js";

/** Milliseconds for which its memory must have been too much. */
const AFTER = 60_000;
/** Milliseconds between two replacements in one slot: where memory is short from the start, it does not help. */
const SLOT_EVERY = 600_000;
/** Milliseconds between two replacements, or attempts. */
const EVERY = 30_000;
/** Milliseconds for its connections to end by themselves. */
export const RECYCLE_DEADLINE = 30_000;

export interface RecycleOptions {
  slots(): readonly WorkerSlot[];
  /** In bytes; `undefined`: none is replaced. */
  maxMemory(): number | undefined;
  /** @throws Refusal during another change of the workers */
  restart(worker: number): Promise<unknown>;
  /** A worker has been replaced. */
  replaced(worker: number): void;
  readonly log: Pick<Log, "warn">;
}

export class Recycle {
  readonly #options: RecycleOptions;
  /** By slot: since when the resident size of the OS process is above the limit. */
  readonly #above = new Map<number, { readonly osPid: number; readonly since: number }>();
  readonly #replacedAt = new Map<number, number>();
  #triedAt = Number.NEGATIVE_INFINITY;
  #busy = false;

  constructor(options: RecycleOptions) {
    this.#options = options;
  }

  /** Called when a worker has changed, which is once a second at least. */
  check(): void {
    const limit = this.#options.maxMemory();
    if (limit === undefined) return this.#above.clear();
    const now = clock.now();
    for (const slot of this.#options.slots()) {
      const ms = Math.max(this.#residentMs(slot, limit, now), memoryMs(slot));
      if (ms >= AFTER && this.#may(slot.slot, now)) return void this.#replace(slot.slot, ms, limit);
    }
  }

  #residentMs({ slot, process, last }: WorkerSlot, limit: number, now: number): number {
    const above = process?.state === "running" && last !== undefined && last.gauges.residentBytes > limit;
    if (!above) this.#above.delete(slot);
    else if (this.#above.get(slot)?.osPid !== process.osPid)
      this.#above.set(slot, { osPid: process.osPid, since: now });
    return now - (this.#above.get(slot)?.since ?? now);
  }

  #may(slot: number, now: number): boolean {
    if (this.#busy || now - this.#triedAt < EVERY) return false;
    return now - (this.#replacedAt.get(slot) ?? Number.NEGATIVE_INFINITY) >= SLOT_EVERY;
  }

  async #replace(slot: number, ms: number, limit: number): Promise<void> {
    const { log, restart, replaced } = this.#options;
    this.#busy = true;
    this.#triedAt = clock.now();
    const seconds = Math.round(ms / 1_000);
    log.warn(
      `Replacing worker ${slot}: its memory has been too near to or above --max-memory (${Math.round(limit / 1024 / 1024)} MiB) for ${seconds} s; it drains first`,
      { recycled: slot, seconds },
    );
    try {
      await restart(slot);
      this.#replacedAt.set(slot, clock.now());
      this.#above.delete(slot);
      replaced(slot);
    } catch (error) {
      log.warn(`Worker ${slot} was not replaced: ${(error as Error).message}`, { recycled: slot });
    } finally {
      this.#busy = false;
    }
  }
}

/** Since when the worker itself says that it has too little. */
function memoryMs({ process, last }: WorkerSlot): number {
  return process?.state === "running" ? (last?.gauges.overloadMemorySeconds ?? 0) * 1_000 : 0;
}
