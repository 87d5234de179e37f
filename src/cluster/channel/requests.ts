/** What a worker was asked and has not answered. */
import { clock } from "../../otp/time/clock.js";
import type { WorkerRequest } from "./messages.js";

/** How long an answer may take, in milliseconds: longer, and the worker is shown as not answering. */
const TIMEOUT = 1_000;

export class Requests {
  readonly #send: (id: number, request: WorkerRequest) => void;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #last = 0;

  constructor(send: (id: number, request: WorkerRequest) => void) {
    this.#send = send;
  }

  /** `undefined` when there is no answer in a second. */
  ask(request: WorkerRequest): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => this.answered(id, undefined), TIMEOUT);
      this.#waiting.set(id, (answer) => {
        clock.clearTimeout(timer);
        resolve(answer);
      });
      this.#send(id, request);
    });
  }

  answered(id: number, answer: unknown): void {
    const settle = this.#waiting.get(id);
    this.#waiting.delete(id);
    settle?.(answer);
  }

  /** Nobody is there to answer any more. */
  end(): void {
    for (const id of [...this.#waiting.keys()]) this.answered(id, undefined);
  }
}
