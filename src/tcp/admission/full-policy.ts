/** What a listener does with clients while it has as many connections as it may. */

export const WHEN_FULL = ["queue", "refuse", "shed"] as const;
/**
 * `queue`: they wait. `refuse`: they are told so, if the protocol has a frame for it, and closed. `shed`: the connection
 * that has been idle for longest is ended for each of them.
 */
export type WhenFull = (typeof WHEN_FULL)[number];

export interface FullPolicy {
  /** Changes at any time; `limit` is called then. */
  readonly mode: WhenFull;
  /** Whether the listeners of other workers are full as well: until then clients wait for those. */
  readonly everywhere: boolean;
  /** The listener has become full, or is no longer. */
  changed(full: boolean): void;
}

/** For a listener whose clients wait in the backlog. */
export const QUEUE: FullPolicy = { mode: "queue", everywhere: true, changed: () => {} };
