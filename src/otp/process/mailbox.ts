/** A queue of messages: constant time at both ends, no memory while it is empty. */

/** As good as none, and a small integer: `Infinity` would be an object of its own in every mailbox. */
const UNBOUNDED = 2 ** 30 - 1;

export class Mailbox {
  /** How many may wait. Whoever fills it heeds that: signals are not bound by it. */
  limit: number;
  /** How many were not let in. */
  refused = 0;
  #messages: unknown[] = [];
  #head = 0;

  constructor(limit = Infinity) {
    this.limit = Math.min(limit, UNBOUNDED);
  }

  get length(): number {
    return this.#messages.length - this.#head;
  }

  push(message: unknown): void {
    this.#messages.push(message);
  }

  /** Puts a message before all others. */
  unshift(message: unknown): void {
    if (this.#head > 0) this.#messages[--this.#head] = message;
    else this.#messages.unshift(message);
  }

  shift(): unknown {
    const message = this.#messages[this.#head];
    this.#messages[this.#head++] = undefined;
    if (this.#head === this.#messages.length) {
      this.#messages.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#messages.length) {
      // A queue that is never quite empty would otherwise grow by its past.
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  /** Takes out the first message that fits, wherever it stands: a selective receive. */
  take(fits: (message: unknown) => boolean): unknown {
    const at = this.#messages.findIndex((message, index) => index >= this.#head && fits(message));
    return at === -1 ? undefined : this.#messages.splice(at, 1)[0];
  }

  /** What waits, oldest first. */
  list(): unknown[] {
    return this.#messages.slice(this.#head);
  }
}
