/** How many connections a listener may have at present: its own limit, and what the other listeners leave of theirs. */
import type { Endpoint } from "../endpoint.js";
import type { SharedMaximum } from "./shared-maximum.js";

export interface Limited {
  readonly endpoint: Endpoint;
  /** Changes at any time. */
  readonly maxConnections: number;
  readonly shared?: SharedMaximum | undefined;
}

export class ConnectionLimit {
  readonly #of: Limited;

  constructor(of: Limited) {
    this.#of = of;
  }

  get maximum(): number {
    const { maxConnections, shared, endpoint } = this.#of;
    return shared === undefined ? maxConnections : Math.min(maxConnections, shared.left(endpoint));
  }

  /** Whether it may have none at all at present: a worker that takes the place of another begins so. */
  get none(): boolean {
    const { maxConnections, shared } = this.#of;
    return maxConnections === 0 || shared?.maximum === 0;
  }

  get taken(): number {
    return this.#of.endpoint.taken;
  }

  get hasRoom(): boolean {
    return this.taken < this.maximum;
  }

  /** Whether it has as many connections as it may, or more. */
  get reached(): boolean {
    return this.#of.endpoint.counters.active >= this.maximum;
  }
}
