/**
 * Suspension: whether the workers accept. When suspended, every worker closes its copy of the listening socket: new
 * connections queue in the backlog, and none is refused. It holds for workers that start later as well.
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

  /** Whether the worker in this slot is to accept. */
  accepts(slot: WorkerSlot): boolean {
    return !this.#suspended && !slot.removing;
  }

  /** @throws Refusal `unknown` when there is no such listener */
  suspend(listener?: string): Promise<ListenerState[]> {
    checkListener(listener);
    this.#suspended = true;
    return this.#applyAll();
  }

  /** @throws Refusal `unknown` when there is no such listener */
  resume(listener?: string): Promise<ListenerState[]> {
    checkListener(listener);
    this.#suspended = false;
    return this.#applyAll();
  }

  #applyAll(): Promise<ListenerState[]> {
    return Promise.all(this.#slots().map((slot) => this.apply(slot)));
  }

  /** Has the worker in this slot accept or suspend. One that does not answer will do so when its event loop runs again. */
  async apply(slot: WorkerSlot): Promise<ListenerState> {
    const { process } = slot;
    const result = (state: string): ListenerState => ({ worker: slot.slot, listener: LISTENER, state });
    if (!process?.alive || process.state === "down") return result("down");
    const asked = process.request({ name: "accept", accept: this.accepts(slot) });
    if (process.state !== "running") return result(process.state);
    const answer = await asked;
    return result(typeof answer === "string" ? answer : process.alive ? "not answering" : "down");
  }
}

function checkListener(listener: string | undefined): void {
  if (listener === undefined || listener === LISTENER) return;
  throw new Refusal("unknown", `no listener ${JSON.stringify(listener)}: there is ${LISTENER}`);
}
