/** Asks of this OS process that have no answer yet. */
import { clock } from "../../otp/time/clock.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import { AskError } from "../ask-error.js";
import type { AskCode } from "../hub/ask-table.js";
import type { Message } from "../message.js";

interface PendingAsk {
  /** Whether it is under way over a link. */
  sent: boolean;
  resolve(answer: unknown): void;
  reject(error: AskError): void;
}

export class LocalAsks {
  readonly #asks = new Map<number, PendingAsk>();
  #lastId = 0;

  /**
   * @param send called with the id under which the answer comes
   * @returns the answer; rejects with AskError
   */
  ask(name: string, within: number, send: (id: number) => void): Promise<unknown> {
    const id = (this.#lastId = (this.#lastId % 0xffff_fffe) + 1);
    const began = clock.now();
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(
        () => this.answered(id, "timeout", `${name} has not answered within ${within} ms`),
        within,
      );
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clock.clearTimeout(timer);
          groupCounters.answer.record((clock.now() - began) / 1_000);
          this.#asks.delete(id);
          then(value);
        };
      this.#asks.set(id, { sent: false, resolve: settle(resolve), reject: settle(reject) });
      send(id);
    });
  }

  /** Whether an ask still waits for its answer. */
  waits(id: number): boolean {
    return this.#asks.has(id);
  }

  /** It is under way: when the link breaks, it may have been handled. */
  sent(id: number): void {
    const ask = this.#asks.get(id);
    if (ask) ask.sent = true;
  }

  /** The link has broken. */
  failSent(why: string): void {
    for (const [id, { sent }] of [...this.#asks]) if (sent) this.answered(id, "unreachable", why);
  }

  /** @param body the answer, or in words why there is none. One that comes too late is ignored */
  answered(id: number, code: AskCode, body: Message | string): void {
    const ask = this.#asks.get(id);
    if (!ask) return;
    groupCounters.asks[code]++;
    if (typeof body === "string") ask.reject(new AskError(code === "answer" ? "refused" : code, body));
    else if (body.readable) ask.resolve(body.value);
    else ask.reject(new AskError("refused", "the answer cannot be read"));
  }
}
