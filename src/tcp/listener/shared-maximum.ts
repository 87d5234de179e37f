/**
 * Maximum number of connections over all listeners of one OS process. To each listener it is a limit of its own: what
 * the connections of the others leave. A listener that reaches it stops all at once: another one may be next in the same
 * turn of the event loop.
 */
import type { Endpoint } from "../endpoint.js";

/** A listener, as far as the maximum needs it. */
export interface SharingListener {
  /** Connections were accepted elsewhere: it may be at its limit. */
  heedLimit(): void;
  /** Connections have ended: it may have room again. */
  heedRoom(): unknown;
}

export class SharedMaximum {
  readonly #maximum: () => number;
  readonly #endpoints: readonly Endpoint[];
  /** The one that took a last place latest is last: it must not take all of them while clients of others wait. */
  readonly #listeners = new Map<Endpoint, SharingListener>();

  /** @param maximum changes at any time */
  constructor(endpoints: readonly Endpoint[], maximum: () => number) {
    this.#endpoints = endpoints;
    this.#maximum = maximum;
  }

  /** Places of all listeners that are taken. */
  get taken(): number {
    let all = 0;
    for (const { taken } of this.#endpoints) all += taken;
    return all;
  }

  get maximum(): number {
    return this.#maximum();
  }

  get reached(): boolean {
    return this.taken >= this.#maximum();
  }

  /** Connections that this listener may have, those that it has included. */
  left(endpoint: Endpoint): number {
    return Math.max(0, this.#maximum() - this.taken + endpoint.taken);
  }

  join(endpoint: Endpoint, listener: SharingListener): void {
    this.#listeners.set(endpoint, listener);
  }

  /** The listener has ended; its connections go on. */
  leave(endpoint: Endpoint): void {
    this.#listeners.delete(endpoint);
    endpoint.onReleased = () => this.released();
  }

  /** This listener has taken a place. */
  accepted(endpoint: Endpoint): void {
    const own = this.#listeners.get(endpoint);
    if (!own || !this.reached) return;
    this.#listeners.delete(endpoint);
    for (const listener of this.#listeners.values()) listener.heedLimit();
    this.#listeners.set(endpoint, own);
  }

  /** A connection has ended. The kernel reports waiting clients in the order in which the listeners accept again. */
  released(): void {
    if (!this.reached) for (const listener of this.#listeners.values()) listener.heedRoom();
  }
}
