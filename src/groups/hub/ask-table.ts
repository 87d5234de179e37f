/** Table of asks in the hub: which worker waits for which answer, from which other worker. Pure but for the clock. */

import { clock } from "../../otp/time/clock.js";
import { ASK_RESULTS, type AskResult } from "../../tcp/observe/events.js";

/** Why an ask has no answer. `nobody`, `busy`, `refused`: surely not handled; the others: it may have been. */
export const ASK_CODES = ASK_RESULTS;
export type AskCode = AskResult;

interface Asked<P> {
  /** The port that waits, and its own id of the ask. */
  readonly origin: P;
  readonly id: number;
  /** The port whose process was asked. */
  readonly target: P;
  readonly until: number;
}

/** Milliseconds between two removals of asks whose caller waits no longer. */
const SWEEP_EVERY = 1_000;

export class AskTable<P> {
  readonly #asked = new Map<number, Asked<P>>();
  #lastId = 0;
  #sweptAt = clock.now();

  get size(): number {
    return this.#asked.size;
  }

  /** @returns the id under which the answer will come */
  add(origin: P, id: number, target: P, within: number): number {
    this.#sweep();
    this.#lastId = (this.#lastId % 0xffff_fffe) + 1;
    this.#asked.set(this.#lastId, { origin, id, target, until: clock.now() + within });
    return this.#lastId;
  }

  /** Takes an ask out; `undefined` when it is not known, or is not one of this target. */
  take(id: number, target: P): { readonly origin: P; readonly id: number } | undefined {
    const asked = this.#asked.get(id);
    if (asked?.target !== target) return undefined;
    this.#asked.delete(id);
    return asked;
  }

  /** The port has gone. @returns the asks to its processes, which have no answer now */
  detach(port: P): { readonly origin: P; readonly id: number }[] {
    const lost: Asked<P>[] = [];
    for (const [id, asked] of this.#asked) {
      if (asked.target !== port && asked.origin !== port) continue;
      this.#asked.delete(id);
      if (asked.origin !== port) lost.push(asked);
    }
    return lost;
  }

  #sweep(): void {
    const now = clock.now();
    if (now - this.#sweptAt < SWEEP_EVERY) return;
    this.#sweptAt = now;
    for (const [id, { until }] of this.#asked) if (until < now) this.#asked.delete(id);
  }
}
