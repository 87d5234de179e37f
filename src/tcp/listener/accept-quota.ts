/**
 * Upper bound on this listener's connections relative to the listeners of other workers, set by the primary to balance
 * load. The listener does not know those others: it only obeys the quota.
 */
export interface AcceptQuota {
  /** Maximum number of connections; changes at any time. */
  readonly value: number;
  /** From this number of connections on, `reached` is called for every new one. */
  readonly reportAt: number;
  /** @returns whether the listener must close its copy of the listening socket until it is below the quota */
  reached(active: number): boolean;
  /** A connection has ended. */
  released(active: number): void;
}

/** For a listener that shares its socket with no other. */
export const NO_QUOTA: AcceptQuota = {
  value: Infinity,
  reportAt: Infinity,
  reached: () => false,
  released: () => {},
};
