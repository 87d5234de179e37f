/**
 * More or fewer workers while the program runs. Places are added at the end, and the highest are emptied and
 * removed; the supervisor does the starting and stopping, outside of its restart budget.
 */

import { MAX_WORKERS } from "../../config/limits.js";
import { Refusal } from "../../control/errors.js";
import { deleteChild, startChild, terminateChild } from "../../otp/supervisor/supervisor.js";
import { clock } from "../../otp/time/clock.js";
import { WaitUntilEmpty } from "./admission/wait-until-empty.js";
import type { Primary } from "./primary.js";
import { startFailure } from "./start-failure.js";
import { isEmpty, newSlot, type WorkerSlot } from "./worker-slot.js";

/** How long connections of a worker that is removed may go on, in milliseconds. */
const DEADLINE = 25_000;
/** Those told to stop are waited for so long; then their worker is told, which its supervisor kills if need be. */
const GRACE = 5_000;

export class Scale {
  readonly #primary: Primary;
  #running: string | undefined = undefined;
  #wait: WaitUntilEmpty | undefined = undefined;

  constructor(primary: Primary) {
    this.#primary = primary;
  }

  /**
   * Resolves when there are so many workers, and all of them accept.
   * @throws RangeError outside of 1 to 1024
   * @throws Refusal `conflict` while the program starts, stops or is being scaled, or when a worker does not start
   */
  async to(workers: number): Promise<{ readonly before: number; readonly workers: number }> {
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS)
      throw new RangeError(`workers must be a whole number from 1 to ${MAX_WORKERS}, got ${workers}`);
    const before = this.#primary.slots.length;
    this.#refuse();
    this.#running = `from ${before} to ${workers} workers`;
    try {
      if (workers > before) await this.#grow(workers);
      else await this.#shrink(workers);
    } finally {
      this.#running = this.#wait = undefined;
    }
    return { before, workers };
  }

  /** Something has changed. */
  check(): void {
    this.#wait?.check();
  }

  #refuse(): void {
    const { root, stopping } = this.#primary;
    if (this.#running)
      throw new Refusal("conflict", `scaling ${this.#running} is under way: ask again after it`);
    if (stopping) throw new Refusal("conflict", "the program is stopping");
    if (!root) throw new Refusal("conflict", "the program is still starting: ask again when it serves");
  }

  async #grow(workers: number): Promise<void> {
    const { slots } = this.#primary;
    const first = slots.length;
    while (slots.length < workers) slots.push(newSlot(slots.length + 1));
    this.#primary.maxConnections.renew();
    const results = await Promise.allSettled(slots.slice(first).map((slot) => this.#start(slot)));
    const failed = results.findIndex(({ status }) => status === "rejected");
    if (failed === -1) return;
    for (const slot of slots.slice(first + failed).reverse()) await this.#remove(slot);
    this.#primary.maxConnections.renew();
    throw (results[failed] as PromiseRejectedResult).reason;
  }

  async #start(slot: WorkerSlot): Promise<void> {
    const result = await startChild(this.#root(), this.#primary.workerSpec(slot));
    if (result === undefined || !(typeof result === "object" && "error" in result)) return;
    const { error } = result;
    throw new Refusal(
      "conflict",
      this.#primary.stopping
        ? "the program is stopping"
        : `worker ${slot.slot} did not start: ${startFailure(error).message}`,
    );
  }

  async #shrink(workers: number): Promise<void> {
    const leaving = this.#primary.slots.slice(workers);
    for (const slot of leaving) slot.leaving = true;
    await Promise.all(leaving.map((slot) => this.#primary.suspension.tell(slot)));
    await this.#empty(leaving);
    for (const slot of leaving.reverse()) await this.#remove(slot);
    this.#primary.maxConnections.renew();
  }

  #empty(leaving: readonly WorkerSlot[]): Promise<void> {
    if (leaving.every(isEmpty)) return Promise.resolve();
    return new Promise((resolve) => {
      const late = clock.setTimeout(() => over(), DEADLINE + GRACE);
      const emptying = new WaitUntilEmpty({
        slots: () => leaving,
        deadlineMs: DEADLINE,
        list: async () => [],
        onOver: () => over(),
      });
      const over = () => {
        clock.clearTimeout(late);
        emptying.cancel();
        resolve();
      };
      this.#wait = emptying;
    });
  }

  async #remove(slot: WorkerSlot): Promise<void> {
    const id = `worker ${slot.slot}`;
    await terminateChild(this.#root(), id);
    await deleteChild(this.#root(), id);
    this.#primary.forget(slot);
  }

  #root() {
    const { root } = this.#primary;
    if (!root) throw new Refusal("conflict", "the program is stopping");
    return root.pid;
  }
}
