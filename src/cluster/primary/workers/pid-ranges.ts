/**
 * Pid ranges: where the pids of a restarted worker begin. A pid is never given twice, because it may be kept for ever:
 * a message for a connection that has ended would reach another client's connection.
 */

/** The pids of each restarted worker begin at a multiple of this, which shows where it began. */
const STEP = 1_000_000;
/** Most processes that a worker may have started since its last snapshot, about a second before its end. */
const UNREPORTED = 200_000;

export class PidRanges {
  readonly #last = new Map<number, number>();

  /** Records the newest serial of the worker in this slot. */
  reported(slot: number, serial: number): void {
    // A protocol may have sent a forged snapshot.
    if (Number.isSafeInteger(serial)) this.#last.set(slot, Math.max(serial, this.#last.get(slot) ?? 1));
  }

  /** Serial after which the next worker in this slot begins. 1 is the worker itself. */
  next(slot: number): number {
    const last = this.#last.get(slot);
    return last === undefined ? 1 : Math.ceil((last + UNREPORTED) / STEP) * STEP;
  }
}
