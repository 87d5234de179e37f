/**
 * Drain: takes the program out of service without stopping it. New connections are suspended, and existing ones may
 * finish until a deadline. `resume` accepts again, `stop` ends the program.
 *
 *   idle ──begin──▶ draining ──no connections left──▶ drained ──resume──▶ idle
 */
import type { ConnectionRow } from "../../../control/connections.js";
import type { Draining } from "../../../control/program.js";
import type { WorkerSlot } from "../worker-slot.js";
import type { Suspension } from "./suspend.js";
import { WaitUntilEmpty } from "./wait-until-empty.js";

export class Drain {
  readonly #suspension: Suspension;
  readonly #slots: () => readonly WorkerSlot[];
  readonly #list: () => Promise<readonly ConnectionRow[]>;
  #wait: WaitUntilEmpty | undefined = undefined;

  /** @param list the current connections, at most 1,000 */
  constructor(
    suspension: Suspension,
    slots: () => readonly WorkerSlot[],
    list: () => Promise<readonly ConnectionRow[]>,
  ) {
    this.#suspension = suspension;
    this.#slots = slots;
    this.#list = list;
  }

  /** Starts a drain. During one, the earlier of the two deadlines holds. */
  begin(deadlineMs: number): Draining {
    if (this.#wait) this.#wait.shortenDeadline(deadlineMs);
    else {
      const wait = new WaitUntilEmpty({
        slots: this.#slots,
        deadlineMs,
        list: this.#list,
        onEmpty: () => {},
      });
      this.#wait = wait;
      void this.#suspension.suspend().then(() => wait.check());
    }
    return this.state;
  }

  /** Called when a worker has changed. */
  check(): void {
    this.#wait?.check();
  }

  /** Ends the drain. Connections that were already shut down are not kept. */
  end(): void {
    this.#wait?.cancel();
    this.#wait = undefined;
  }

  get state(): Draining {
    const wait = this.#wait;
    if (!wait) {
      return { status: "idle", before: 0, active: 0, remainingMs: 0, unfinished: [], cut: 0 };
    }
    const { over, before, active, remainingMs, unfinished, cut } = wait;
    return { status: over ? "drained" : "draining", before, active, remainingMs, unfinished, cut };
  }
}
