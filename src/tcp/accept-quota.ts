/**
 * How far a listener may get ahead of others that accept on the same listening socket. It does not know them:
 * whoever gives it the ceiling does.
 */
export interface AcceptQuota {
  /** Connections at most, for now; may change at any time. */
  readonly value: number;
  /** Connections from which on it is told of every new one. */
  readonly mark: number;
  /** @returns whether the listener is to close its copy of the listening socket until it is below the ceiling */
  reached(active: number): boolean;
  /** A connection has ended. */
  released(active: number): void;
}

/** Alone: there is nobody to stand back for. */
export const NO_QUOTA: AcceptQuota = {
  value: Infinity,
  mark: Infinity,
  reached: () => false,
  released: () => {},
};
