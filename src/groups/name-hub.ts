/** Hub of names: claims, and asks on their way to the holder and back. M is what messages are here, as in `hub.ts`. */
import { type AskCode, AskTable } from "./ask-table.js";
import type { PidPair } from "./hub.js";
import { type NamePort, NameTable } from "./name-table.js";

/** A request on its way to the process that holds the name. */
export interface HubRequest<M> {
  /** Under which the answer is expected; 0: none is. */
  readonly id: number;
  /** Milliseconds. */
  readonly within: number;
  readonly from: PidPair;
  readonly serial: number;
  readonly body: M;
}

export interface NameHubPort<M> extends NamePort {
  /** @returns false when there is no room */
  request(name: string, request: HubRequest<M>): boolean;
  /** @param body the answer, or in words why there is none */
  answered(id: number, code: AskCode, body: M | string): void;
}

export class NameHub<M> {
  readonly names = new NameTable<NameHubPort<M>>();
  readonly #asks = new AskTable<NameHubPort<M>>();

  /** @param id 0: no answer is expected */
  ask(origin: NameHubPort<M>, id: number, name: string, request: Omit<HubRequest<M>, "id" | "serial">): void {
    const holder = this.names.holder(name);
    const fail = (code: AskCode, why: string) => {
      if (id !== 0) origin.answered(id, code, why);
    };
    if (!holder) return fail("nobody", `no process holds the name ${name}`);
    const { port, serial } = holder;
    const hubId = id === 0 ? 0 : this.#asks.add(origin, id, port, request.within);
    if (port.request(name, { ...request, id: hubId, serial })) return;
    this.#asks.take(hubId, port);
    fail("busy", `the worker of ${name} does not read`);
  }

  answer(target: NameHubPort<M>, id: number, code: AskCode, body: M | string): void {
    const asked = this.#asks.take(id, target);
    asked?.origin.answered(asked.id, code, body);
  }

  detach(port: NameHubPort<M>): void {
    for (const { origin, id } of this.#asks.detach(port))
      origin.answered(id, "ended", "the worker of the name has ended");
    this.names.detach(port);
  }
}
