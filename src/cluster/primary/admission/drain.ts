/**
 * Taking the program out of service without taking it down: nobody is accepted, and who is connected may finish
 * until a deadline. `resume` accepts again, `stop` ends it.
 *
 *   idle ──begin──▶ draining ──nobody left──▶ drained ──resume──▶ idle
 */
import type { ConnectionRow } from "../../../control/connections.js";
import type { Draining } from "../../../control/program.js";
import type { Slot } from "../worker-slot.js";
import type { Gate } from "./suspend.js";
import { Emptying } from "./wait-until-empty.js";

export class Drain {
  readonly #gate: Gate;
  readonly #slots: () => readonly Slot[];
  readonly #list: () => Promise<readonly ConnectionRow[]>;
  #emptying: Emptying | undefined = undefined;

  /** @param list the connections there are, at most 1,000 */
  constructor(gate: Gate, slots: () => readonly Slot[], list: () => Promise<readonly ConnectionRow[]>) {
    this.#gate = gate;
    this.#slots = slots;
    this.#list = list;
  }

  /** While it drains already, the earlier of the two deadlines holds. */
  begin(deadlineMs: number): Draining {
    if (this.#emptying) this.#emptying.hasten(deadlineMs);
    else {
      const emptying = new Emptying({ slots: this.#slots, deadlineMs, list: this.#list, onOver: () => {} });
      this.#emptying = emptying;
      void this.#gate.suspend().then(() => emptying.check());
    }
    return this.state;
  }

  /** Something has changed. */
  check(): void {
    this.#emptying?.check();
  }

  /** Ends it. Who was told to stop already ends nevertheless. */
  end(): void {
    this.#emptying?.cancel();
    this.#emptying = undefined;
  }

  get state(): Draining {
    const emptying = this.#emptying;
    if (!emptying) {
      return { status: "idle", before: 0, active: 0, remainingMs: 0, unfinished: [], cut: 0 };
    }
    const { over, before, active, remainingMs, unfinished, cut } = emptying;
    return { status: over ? "drained" : "draining", before, active, remainingMs, unfinished, cut };
  }
}
