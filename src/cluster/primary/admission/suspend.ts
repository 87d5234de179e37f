/**
 * Suspension: whether the workers accept, for each listener. When suspended, every worker closes its copy of the listening
 * socket: new connections queue in the backlog, and none is refused. It holds for workers that start later as well.
 */

import { Refusal } from "../../../control/errors.js";
import type { ListenerState } from "../../../control/program.js";
import type { PrimaryListener } from "../primary-listener.js";
import type { WorkerSlot } from "../workers/worker-slot.js";

/** A listener, as far as suspension needs it. */
export type SuspendedListener = Pick<PrimaryListener, "name" | "suspended">;

export class Suspension {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #listeners: readonly SuspendedListener[];

  constructor(slots: () => readonly WorkerSlot[], listeners: readonly SuspendedListener[]) {
    this.#slots = slots;
    this.#listeners = listeners;
  }

  /** Whether all listeners are suspended. */
  get suspended(): boolean {
    return this.#listeners.every(({ suspended }) => suspended);
  }

  /** Whether the worker in this slot is to accept. */
  accepts(slot: WorkerSlot, listener: SuspendedListener): boolean {
    return !listener.suspended && !slot.removing;
  }

  /** All listeners, or one. @throws Refusal `unknown` when there is no such listener */
  suspend(listener?: string): Promise<ListenerState[]> {
    return this.#set(listener, true);
  }

  /** All listeners, or one. @throws Refusal `unknown` when there is no such listener */
  resume(listener?: string): Promise<ListenerState[]> {
    return this.#set(listener, false);
  }

  /** Has the worker in this slot accept or suspend on every listener. */
  apply(slot: WorkerSlot): Promise<ListenerState[]> {
    return Promise.all(this.#listeners.map((listener) => this.#apply(slot, listener)));
  }

  #set(name: string | undefined, suspended: boolean): Promise<ListenerState[]> {
    const listeners = name === undefined ? this.#listeners : [findListener(this.#listeners, name)];
    for (const listener of listeners) listener.suspended = suspended;
    return Promise.all(
      this.#slots().flatMap((slot) => listeners.map((listener) => this.#apply(slot, listener))),
    );
  }

  /** A worker that does not answer will do so when its event loop runs again. */
  async #apply(slot: WorkerSlot, listener: SuspendedListener): Promise<ListenerState> {
    const { process } = slot;
    const { name } = listener;
    const result = (state: string): ListenerState => ({ worker: slot.slot, listener: name, state });
    if (!process?.alive || process.state === "down") return result("down");
    const accept = this.accepts(slot, listener);
    const asked = process.request({ name: "accept", listener: name, accept });
    if (process.state !== "running") return result(process.state);
    const answer = await asked;
    return result(typeof answer === "string" ? answer : process.alive ? "not answering" : "down");
  }
}

/** @throws Refusal `unknown` when there is no such listener */
export function findListener<L extends { readonly name: string }>(listeners: readonly L[], name: string): L {
  const found = listeners.find((listener) => listener.name === name);
  if (found) return found;
  const names = listeners.map((listener) => listener.name);
  const there = names.length === 1 ? `there is ${names[0]}` : `there are ${names.join(", ")}`;
  throw new Refusal("unknown", `no listener ${JSON.stringify(name)}: ${there}`);
}
