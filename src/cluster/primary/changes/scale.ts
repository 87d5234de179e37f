/**
 * Scaling: changes the number of workers while the program runs. Slots are added at the end; the highest slots are
 * drained and removed. The supervisor starts and stops the workers, which does not count as restarts.
 */

import { MAX_WORKERS } from "../../../config/limits.js";
import { Refusal } from "../../../control/errors.js";
import { deleteChild, startChild, terminateChild } from "../../../otp/supervisor/supervisor.js";
import { plural } from "../../../text/plural.js";
import { limitingRelease } from "../../release/release.js";
import type { Primary } from "../primary.js";
import { startFailure } from "../workers/start-failure.js";
import { newSlot, type WorkerSlot } from "../workers/worker-slot.js";
import { WorkerDrain, type WorkerDrainOptions } from "./worker-drain.js";

/** Drain deadline of a worker that is removed, in milliseconds. */
const DEADLINE = 25_000;

export class Scale {
  readonly #primary: Primary;
  readonly #drain: WorkerDrain;

  constructor(primary: Primary, options: WorkerDrainOptions) {
    this.#primary = primary;
    this.#drain = new WorkerDrain(options);
  }

  /**
   * Changes the number of workers; resolves when all of them accept and the others are gone.
   * @throws RangeError outside of 1 to `MAX_WORKERS`
   * @throws Refusal `conflict` while the program starts, stops or is being scaled, or when a worker does not start
   */
  async to(workers: number): Promise<{ readonly before: number; readonly workers: number }> {
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS)
      throw new RangeError(`workers must be a whole number from 1 to ${MAX_WORKERS}, got ${workers}`);
    const before = this.#primary.pool.slots.length;
    this.#checkPossible(workers);
    const change = this.#primary.beginChange(`scaling from ${before} to ${workers} workers`);
    try {
      if (workers > before) await this.#grow(workers);
      else await this.#shrink(workers);
    } finally {
      this.#primary.updateIntensity();
      change.end();
    }
    return { before, workers };
  }

  /** Called when a worker has changed. */
  check(): void {
    this.#drain.check();
  }

  #checkPossible(workers: number): void {
    const { releases } = this.#primary;
    const limiting = limitingRelease(releases, workers);
    if (limiting)
      throw new Refusal(
        "conflict",
        `the protocol ${limiting.name} runs in at most ${plural(limiting.workers, "worker")}`,
      );
  }

  async #grow(workers: number): Promise<void> {
    const { slots, maxConnections } = this.#primary.pool;
    const first = slots.length;
    await this.#startExchange(workers);
    while (slots.length < workers) slots.push(newSlot(slots.length + 1));
    maxConnections.redivide();
    const results = await Promise.allSettled(slots.slice(first).map((slot) => this.#start(slot)));
    const failed = results.findIndex(({ status }) => status === "rejected");
    if (failed === -1) return;
    for (const slot of slots.slice(first + failed).reverse()) await this.#remove(slot);
    maxConnections.redivide();
    throw (results[failed] as PromiseRejectedResult).reason;
  }

  async #startExchange(workers: number): Promise<void> {
    try {
      await this.#primary.ensureExchange(workers);
    } catch (error) {
      throw new Refusal("conflict", `the exchange did not start: ${startFailure(error).message}`);
    }
  }

  async #start(slot: WorkerSlot): Promise<void> {
    const result = await startChild(this.#root(), this.#primary.pool.childSpec(slot));
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
    const removed = this.#primary.pool.slots.slice(workers);
    for (const slot of removed) slot.removing = true;
    await Promise.all(removed.map((slot) => this.#primary.pool.suspension.apply(slot)));
    await this.#drain.run(removed, DEADLINE);
    for (const slot of removed.reverse()) await this.#remove(slot);
    this.#primary.pool.maxConnections.redivide();
  }

  async #remove(slot: WorkerSlot): Promise<void> {
    const id = `worker ${slot.slot}`;
    await terminateChild(this.#root(), id);
    await deleteChild(this.#root(), id);
    this.#primary.pool.forget(slot);
  }

  #root() {
    const { root } = this.#primary;
    if (!root) throw new Refusal("conflict", "the program is stopping");
    return root.pid;
  }
}
