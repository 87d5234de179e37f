/**
 * Taking the program out of service without taking it down: nobody is accepted, and who is connected may finish
 * until a deadline. `resume` accepts again, `stop` ends it.
 *
 *   idle ──begin──▶ draining ──nobody left──▶ drained ──resume──▶ idle
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

  /** @param list the connections there are, at most 1,000 */
  constructor(
    gate: Suspension,
    slots: () => readonly WorkerSlot[],
    list: () => Promise<readonly ConnectionRow[]>,
  ) {
    this.#suspension = gate;
    this.#slots = slots;
    this.#list = list;
  }

  /** While it drains already, the earlier of the two deadlines holds. */
  begin(deadlineMs: number): Draining {
    if (this.#wait) this.#wait.hasten(deadlineMs);
    else {
      const emptying = new WaitUntilEmpty({
        slots: this.#slots,
        deadlineMs,
        list: this.#list,
        onOver: () => {},
      });
      this.#wait = emptying;
      void this.#suspension.suspend().then(() => emptying.check());
    }
    return this.state;
  }

  /** Something has changed. */
  check(): void {
    this.#wait?.check();
  }

  /** Ends it. Who was told to stop already ends nevertheless. */
  end(): void {
    this.#wait?.cancel();
    this.#wait = undefined;
  }

  get state(): Draining {
    const emptying = this.#wait;
    if (!emptying) {
      return { status: "idle", before: 0, active: 0, remainingMs: 0, unfinished: [], cut: 0 };
    }
    const { over, before, active, remainingMs, unfinished, cut } = emptying;
    return { status: over ? "drained" : "draining", before, active, remainingMs, unfinished, cut };
  }
}
