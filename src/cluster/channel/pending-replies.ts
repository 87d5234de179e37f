/** Requests sent over the channel that have no reply yet, by the id under which each was sent. */
import { clock } from "../../otp/time/clock.js";

export class PendingReplies<Reply> {
  readonly #timeoutMs: number | undefined;
  readonly #pending = new Map<number, (reply: Reply | undefined) => void>();
  #lastId = 0;

  /** @param timeoutMs after which a request without a reply resolves with `undefined`; without it, none does */
  constructor(timeoutMs?: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends a request under an id of its own, and resolves with its reply.
   * @param timeoutMs instead of that of all requests
   */
  request(send: (id: number) => void, timeoutMs = this.#timeoutMs): Promise<Reply | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer =
        timeoutMs === undefined ? undefined : clock.setTimeout(() => this.resolve(id, undefined), timeoutMs);
      this.#pending.set(id, (reply) => {
        clock.clearTimeout(timer);
        resolve(reply);
      });
      send(id);
    });
  }

  /** A reply has arrived. One that comes after its timeout is ignored. */
  resolve(id: number, reply: Reply | undefined): void {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(reply);
  }

  /** Resolves every request with `undefined`: the channel is closed. */
  end(): void {
    for (const id of [...this.#pending.keys()]) this.resolve(id, undefined);
  }
}
