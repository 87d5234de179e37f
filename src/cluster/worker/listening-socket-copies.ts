/**
 * A worker's copies of the primary's listening socket. Some are kept in reserve, so that a listener that has closed
 * its copy can accept again at once, even while the primary is stopped or busy.
 */
import type { TcpHandle } from "../../transport/node-bindings.js";
import { PendingReplies } from "../channel/pending-replies.js";

/**
 * With a reserve of one, none is left until the next copy arrives: in a burst a worker accepts a thousand connections
 * in that time, and could not close its copy to let other workers catch up.
 */
const RESERVE = 2;

export class ListeningSocketCopies {
  readonly #ask: (id: number) => void;
  readonly #pending = new PendingReplies<unknown>();
  readonly #reserve: unknown[] = [];
  /** Copies for the reserve that were asked for and have not arrived. */
  #refilling = 0;
  #closed = false;

  /** @param ask asks the primary for a copy; it arrives through `received` under the same id */
  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  /** Whether there is a copy in reserve. */
  get ready(): boolean {
    return this.#reserve.length > 0;
  }

  async acquire(): Promise<{ handle: unknown }> {
    const handle = this.#reserve.pop() ?? (await this.#pending.request(this.#ask));
    while (this.#reserve.length + this.#refilling < RESERVE) void this.#refill();
    return { handle };
  }

  received(id: number, handle: unknown): void {
    this.#pending.resolve(id, handle);
  }

  /** Closes the reserve: connections queue in the backlog as long as any copy is open, though none will be accepted. */
  close(): void {
    this.#closed = true;
    for (const copy of this.#reserve.splice(0)) closeCopy(copy);
  }

  async #refill(): Promise<void> {
    this.#refilling++;
    const handle = await this.#pending.request(this.#ask);
    this.#refilling--;
    if (this.#closed || this.#reserve.length === RESERVE) closeCopy(handle);
    else this.#reserve.push(handle);
  }
}

function closeCopy(handle: unknown): void {
  (handle as TcpHandle).close();
}
