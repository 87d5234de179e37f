/** Drains workers that are to be stopped: waits until they have no connections, which may end by themselves until the deadline. */
import type { ConnectionRow } from "../../../control/connections.js";
import { clock } from "../../../otp/time/clock.js";
import { WaitUntilEmpty } from "../admission/wait-until-empty.js";
import { isEmpty, type WorkerSlot } from "../workers/worker-slot.js";

/** Milliseconds after the deadline until the supervisor stops the worker, drained or not. */
const GRACE = 5_000;

export interface WorkerDrainOptions {
  /** The connections of a worker. */
  list(worker: number): Promise<readonly ConnectionRow[]>;
  /** Called when connections were told to stop at the deadline. @param cut their number */
  onCut(unfinished: readonly ConnectionRow[], cut: number): void;
}

export class WorkerDrain {
  readonly #options: WorkerDrainOptions;
  #wait: WaitUntilEmpty | undefined = undefined;

  constructor(options: WorkerDrainOptions) {
    this.#options = options;
  }

  /** Called when a worker has changed. */
  check(): void {
    this.#wait?.check();
  }

  /**
   * Resolves when workers that accept no more are empty, or could not be emptied.
   * @returns the number of connections that were told to stop at the deadline
   */
  async run(slots: readonly WorkerSlot[], deadlineMs: number): Promise<number> {
    if (slots.every((slot) => isEmpty(slot))) return 0;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => done(), deadlineMs + GRACE);
      const wait = new WaitUntilEmpty({
        slots: () => slots,
        deadlineMs,
        list: async () => (await Promise.all(slots.map(({ slot }) => this.#options.list(slot)))).flat(),
        onCut: (unfinished, cut) => this.#options.onCut(unfinished, cut),
        onEmpty: () => done(),
      });
      const done = () => {
        clock.clearTimeout(timer);
        wait.cancel();
        this.#wait = undefined;
        resolve(wait.cut);
      };
      this.#wait = wait;
    });
  }
}
