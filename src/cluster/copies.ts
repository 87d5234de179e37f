/**
 * A worker's copies of the primary's listening socket. One is kept in reserve, so that a listener that has closed
 * its own accepts again at once: also while the primary is stopped or busy.
 */
import type { TcpHandle } from "../transport/libuv.js";

export class Copies {
  readonly #ask: (id: number) => void;
  readonly #asked = new Map<number, (handle: unknown) => void>();
  #last = 0;
  #reserve: unknown = undefined;
  #closed = false;

  /** @param ask asks the primary for a copy, which comes by `received` */
  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  /** Whether there is one at hand. */
  get ready(): boolean {
    return this.#reserve !== undefined;
  }

  async acquire(): Promise<{ handle: unknown }> {
    const reserve = this.#reserve;
    this.#reserve = undefined;
    const handle = reserve ?? (await this.#get());
    void this.#refill();
    return { handle };
  }

  received(id: number, handle: unknown): void {
    this.#asked.get(id)?.(handle);
    this.#asked.delete(id);
  }

  /** Nobody will accept any more: as long as a copy is open, clients wait in its queue. */
  close(): void {
    this.#closed = true;
    this.#drop(this.#reserve);
    this.#reserve = undefined;
  }

  async #refill(): Promise<void> {
    const handle = await this.#get();
    if (this.#closed || this.#reserve !== undefined) this.#drop(handle);
    else this.#reserve = handle;
  }

  #get(): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#ask(id);
    });
  }

  #drop(handle: unknown): void {
    (handle as TcpHandle | undefined)?.close();
  }
}
