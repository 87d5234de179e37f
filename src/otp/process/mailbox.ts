/** Mailbox: a queue of messages with constant time at both ends that needs no array slots while empty. */

/** Stands for `Infinity`, which V8 would store as a heap object per mailbox; this is a small integer. */
const UNBOUNDED = 2 ** 30 - 1;

export class Mailbox {
  /** Maximum number of messages. Checked by `Process.deliver`, because signals are exempt. */
  limit: number;
  /** Number of refused messages. */
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

  /** Adds a message at the front. */
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
      // Without this, a queue that never empties would keep the slots of all past messages.
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  /** Selective receive: removes and returns the first message that matches. */
  take(matches: (message: unknown) => boolean): unknown {
    const at = this.#messages.findIndex((message, index) => index >= this.#head && matches(message));
    return at === -1 ? undefined : this.#messages.splice(at, 1)[0];
  }

  /** All messages, oldest first. */
  list(): unknown[] {
    return this.#messages.slice(this.#head);
  }
}
