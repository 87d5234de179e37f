/** Lets one event through once a minute: a server that is down is tried every few seconds. */
import { clock } from "../../otp/time/clock.js";
import type { CarrierEvent } from "../nodes/carrier.js";

const EVERY = 60_000;
/** Different texts that are remembered; they name servers and subjects. */
const MOST = 100;

export class EventLimit {
  readonly #last = new Map<string, number>();

  /** Whether it may be told now. */
  allows({ event, text }: CarrierEvent): boolean {
    const key = `${event} ${text}`;
    const now = clock.now();
    const last = this.#last.get(key);
    if (last !== undefined && now - last < EVERY) return false;
    if (this.#last.size >= MOST) this.#last.clear();
    this.#last.set(key, now);
    return true;
  }
}
