/**
 * Scaling: changes the number of workers while the program runs. Slots are added at the end; the highest slots are
 * drained and removed. The supervisor starts and stops the workers, which does not count as restarts.
 */

import { MAX_WORKERS } from "../../config/limits.js";
import type { ConnectionRow } from "../../control/connections.js";
import { Refusal } from "../../control/errors.js";
import { deleteChild, startChild, terminateChild } from "../../otp/supervisor/supervisor.js";
import { clock } from "../../otp/time/clock.js";
import { plural } from "../../text/plural.js";
import { limitingRelease } from "../release/release.js";
import { WaitUntilEmpty } from "./admission/wait-until-empty.js";
import type { Primary } from "./primary.js";
import { startFailure } from "./start-failure.js";
import { isEmpty, newSlot, type WorkerSlot } from "./worker-slot.js";

/** Drain deadline of a worker that is removed, in milliseconds. */
const DEADLINE = 25_000;
/** Milliseconds after the deadline until the supervisor stops the worker, drained or not. */
const GRACE = 5_000;

export interface ScaleOptions {
  /** The connections of a worker. */
  list(worker: number): Promise<readonly ConnectionRow[]>;
  /** Called when connections of removed workers were told to stop at the deadline. @param cut their number */
  onCut(unfinished: readonly ConnectionRow[], cut: number): void;
}

export class Scale {
  readonly #primary: Primary;
  readonly #options: ScaleOptions;
  #running: string | undefined = undefined;
  #wait: WaitUntilEmpty | undefined = undefined;

  constructor(primary: Primary, options: ScaleOptions) {
    this.#primary = primary;
    this.#options = options;
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
    this.#running = `from ${before} to ${workers} workers`;
    try {
      if (workers > before) await this.#grow(workers);
      else await this.#shrink(workers);
    } finally {
      this.#primary.updateIntensity();
      this.#running = this.#wait = undefined;
    }
    return { before, workers };
  }

  /** Called when a worker has changed. */
  check(): void {
    this.#wait?.check();
  }

  #checkPossible(workers: number): void {
    const { root, stopping, releases } = this.#primary;
    const limiting = limitingRelease(releases, workers);
    if (limiting)
      throw new Refusal(
        "conflict",
        `the protocol ${limiting.name} runs in at most ${plural(limiting.workers, "worker")}`,
      );
    if (this.#running)
      throw new Refusal("conflict", `scaling ${this.#running} is under way: ask again after it`);
    if (stopping) throw new Refusal("conflict", "the program is stopping");
    if (!root) throw new Refusal("conflict", "the program is still starting: ask again when it serves");
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
    await this.#drain(removed);
    for (const slot of removed.reverse()) await this.#remove(slot);
    this.#primary.pool.maxConnections.redivide();
  }

  #drain(removed: readonly WorkerSlot[]): Promise<void> {
    if (removed.every((slot) => isEmpty(slot))) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => done(), DEADLINE + GRACE);
      const wait = new WaitUntilEmpty({
        slots: () => removed,
        deadlineMs: DEADLINE,
        list: async () => (await Promise.all(removed.map(({ slot }) => this.#options.list(slot)))).flat(),
        onCut: (unfinished, cut) => this.#options.onCut(unfinished, cut),
        onEmpty: () => done(),
      });
      const done = () => {
        clock.clearTimeout(timer);
        wait.cancel();
        resolve();
      };
      this.#wait = wait;
    });
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
