/**
 * A worker's copies of the primary's listening socket. Some are kept in reserve, so that a listener that has closed
 * its own accepts again at once: also while the primary is stopped or busy.
 */
import type { TcpHandle } from "../../transport/node-bindings.js";

/**
 * With one alone there is none between its use and the coming of the next: in a burst a worker takes a thousand clients
 * in that time, and could not stand back.
 */
const RESERVES = 2;

export class ListeningSocketCopies {
  readonly #ask: (id: number) => void;
  readonly #asked = new Map<number, (handle: unknown) => void>();
  #last = 0;
  readonly #reserve: unknown[] = [];
  /** Asked for to be kept in reserve, and not here yet. */
  #coming = 0;
  #closed = false;

  /** @param ask asks the primary for a copy, which comes by `received` */
  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  /** Whether there is one at hand. */
  get ready(): boolean {
    return this.#reserve.length > 0;
  }

  async acquire(): Promise<{ handle: unknown }> {
    const handle = this.#reserve.pop() ?? (await this.#get());
    while (this.#reserve.length + this.#coming < RESERVES) void this.#refill();
    return { handle };
  }

  received(id: number, handle: unknown): void {
    this.#asked.get(id)?.(handle);
    this.#asked.delete(id);
  }

  /** Nobody will accept any more: as long as a copy is open, clients wait in its queue. */
  close(): void {
    this.#closed = true;
    for (const copy of this.#reserve.splice(0)) this.#drop(copy);
  }

  async #refill(): Promise<void> {
    this.#coming++;
    const handle = await this.#get();
    this.#coming--;
    if (this.#closed || this.#reserve.length === RESERVES) this.#drop(handle);
    else this.#reserve.push(handle);
  }

  #get(): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#ask(id);
    });
  }

  #drop(handle: unknown): void {
    (handle as TcpHandle).close();
  }
}
