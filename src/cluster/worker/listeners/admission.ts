/**
 * Whom the listeners of this worker admit, changed while it runs. Where addresses get limits that had none, the primary
 * has not counted the connections that are open: they are counted here and reported to it.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { AdmissionRequest } from "../../channel/requests.js";
import type { WorkerAddresses } from "./addresses.js";
import type { WorkerListener } from "./worker-listener.js";

/** Connections between two turns of the event loop: reading the address of one is a system call. */
const SLICE = 1_000;

export class WorkerAdmission {
  readonly #listeners: () => readonly WorkerListener[];
  readonly #addresses: Pick<WorkerAddresses, "recount">;

  constructor(listeners: () => readonly WorkerListener[], addresses: Pick<WorkerAddresses, "recount">) {
    this.#listeners = listeners;
    this.#addresses = addresses;
  }

  /** Applies it at once; answers when the connections have been reported. */
  async answer({ listeners, recount }: AdmissionRequest): Promise<true> {
    const all = this.#listeners();
    for (const [at, admission] of listeners.entries()) all[at]?.setAdmission(admission);
    if (!recount) return true;
    for (const listener of all) {
      const { open } = listener;
      for (let at = 0; at < open.length; at += SLICE) {
        for (const one of open.slice(at, at + SLICE)) listener.adopt(one);
        await turn();
      }
    }
    // All in one turn: meanwhile some have ended.
    const groups = all.map((listener) => {
      return [listener.name, listener.open.flatMap((one) => listener.adopt(one) ?? [])] as const;
    });
    this.#addresses.recount(new Map(groups));
    return true;
  }
}
