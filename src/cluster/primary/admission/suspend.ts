/**
 * Whether clients are accepted. Suspended, every worker closes its copy of the listening socket: who comes waits
 * in the kernel's queue, and nobody is refused. It holds for workers that start later as well.
 */

import { Refusal } from "../../../control/errors.js";
import type { ListenerState } from "../../../control/program.js";
import { LISTENER } from "../../channel/messages.js";
import type { WorkerSlot } from "../worker-slot.js";

export class Suspension {
  readonly #slots: () => readonly WorkerSlot[];
  #suspended = false;

  constructor(slots: () => readonly WorkerSlot[]) {
    this.#slots = slots;
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  /** Whether a worker that starts now in this slot is to accept. */
  lets(slot: WorkerSlot): boolean {
    return !this.#suspended && !slot.leaving;
  }

  /** @throws Refusal `unknown` when there is no such listener */
  suspend(listener?: string): Promise<ListenerState[]> {
    checkListener(listener);
    this.#suspended = true;
    return this.#tellAll();
  }

  /** @throws Refusal `unknown` when there is no such listener */
  resume(listener?: string): Promise<ListenerState[]> {
    checkListener(listener);
    this.#suspended = false;
    return this.#tellAll();
  }

  #tellAll(): Promise<ListenerState[]> {
    return Promise.all(this.#slots().map((slot) => this.tell(slot)));
  }

  /** Brings a worker to what it is to do. A worker that does not answer does it when it can. */
  async tell(slot: WorkerSlot): Promise<ListenerState> {
    const { process } = slot;
    const state = (what: string): ListenerState => ({ worker: slot.slot, listener: LISTENER, state: what });
    if (!process?.alive || process.state === "down") return state("down");
    const asked = process.request({ name: "accept", accept: this.lets(slot) });
    if (process.state !== "running") return state(process.state);
    const answer = await asked;
    return state(typeof answer === "string" ? answer : process.alive ? "not answering" : "down");
  }
}

function checkListener(listener: string | undefined): void {
  if (listener === undefined || listener === LISTENER) return;
  throw new Refusal("unknown", `no listener ${JSON.stringify(listener)}: there is ${LISTENER}`);
}
