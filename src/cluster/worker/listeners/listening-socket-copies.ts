/**
 * A worker's copies of the primary's listening socket. Some are kept in reserve, so that a listener that has closed
 * its copy can accept again at once, even while the primary is stopped or busy.
 *
 * Every request has a deadline: without a free descriptor the kernel drops a copy in transit, and node gives up sending
 * it after four attempts. All copies are equal, so a late one serves the next request.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { TcpHandle } from "../../../transport/handle/node-bindings.js";
import { hasFreeDescriptor } from "./free-descriptors.js";

/**
 * With a reserve of one, none is left until the next copy arrives: in a burst a worker accepts a thousand connections
 * in that time, and could not close its copy to let other workers catch up.
 */
const RESERVE = 2;
/** Milliseconds after which a copy that has not arrived is asked for again. */
const DEADLINE = 300;

export class ListeningSocketCopies {
  readonly #ask: () => void;
  readonly #canReceive: () => boolean;
  readonly #waiting: ((handle: unknown) => void)[] = [];
  readonly #reserve: unknown[] = [];
  /** Copies that were asked for and have not arrived. */
  #asked = 0;
  #deadline: TimerRef = undefined;
  #closed = false;

  /**
   * @param ask asks the primary for a copy; it arrives through `received`
   * @param canReceive whether there is a descriptor for it
   */
  constructor(ask: () => void, canReceive: () => boolean = hasFreeDescriptor) {
    this.#ask = ask;
    this.#canReceive = canReceive;
  }

  /** Whether there is a copy in reserve. */
  get ready(): boolean {
    return this.#reserve.length > 0;
  }

  async acquire(): Promise<{ handle: unknown }> {
    const copy = this.#reserve.pop();
    const handle = copy === undefined ? this.#next() : copy;
    this.#request(this.#missing - this.#asked);
    return { handle: await handle };
  }

  received(handle: unknown): void {
    if (handle === undefined || handle === null) return;
    this.#asked = Math.max(0, this.#asked - 1);
    const waiting = this.#closed ? undefined : this.#waiting.shift();
    if (waiting) waiting(handle);
    else if (this.#closed || this.#reserve.length === RESERVE) closeCopy(handle);
    else this.#reserve.push(handle);
    if (this.#asked > 0) return;
    this.#clearDeadline();
    // After a deadline one copy is asked for at a time.
    this.#request(this.#missing);
  }

  /** Closes the reserve: connections queue in the backlog as long as any copy is open, though none will be accepted. */
  close(): void {
    this.#closed = true;
    this.#clearDeadline();
    for (const copy of this.#reserve.splice(0)) closeCopy(copy);
  }

  get #missing(): number {
    return this.#closed ? 0 : this.#waiting.length + RESERVE - this.#reserve.length;
  }

  #next(): Promise<unknown> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #request(copies: number): void {
    for (let n = 0; n < copies; n++) {
      this.#asked++;
      this.#ask();
    }
    if (this.#asked > 0) this.#deadline ??= clock.setTimeout(() => this.#overdue(), DEADLINE, true);
  }

  /** Asks for one copy only: the primary may be stopped, and then every request waits in its channel. */
  #overdue(): void {
    this.#deadline = undefined;
    this.#asked = 0;
    if (this.#missing === 0) return;
    if (this.#canReceive()) this.#request(1);
    else this.#deadline = clock.setTimeout(() => this.#overdue(), DEADLINE, true);
  }

  #clearDeadline(): void {
    clock.clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}

function closeCopy(handle: unknown): void {
  (handle as TcpHandle).close();
}
