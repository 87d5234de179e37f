/**
 * Where the pids of a worker begin. A pid may be kept for ever, so a worker that takes the place of another must give
 * none that was given there before: a message for a client that is gone would reach somebody else.
 */

/** Pids go on at a multiple of this, so that it can be seen where a new worker began. */
const STEP = 1_000_000;
/** As many processes as a worker may have started since it last told, about a second before its end. */
const UNTOLD = 200_000;

export class PidRanges {
  readonly #last = new Map<number, number>();

  /** The newest process of the worker in this slot has this serial. */
  told(slot: number, serial: number): void {
    // Numbers that a protocol has sent by itself may be anything.
    if (Number.isSafeInteger(serial)) this.#last.set(slot, Math.max(serial, this.#last.get(slot) ?? 1));
  }

  /** After which serial the next worker in this slot begins. 1 is the worker's own. */
  next(slot: number): number {
    const last = this.#last.get(slot);
    return last === undefined ? 1 : Math.ceil((last + UNTOLD) / STEP) * STEP;
  }
}
