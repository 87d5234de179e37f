/** Limits as the primary sets them in a worker, at its start and by requests. */
import type { LimitOverrides } from "../../tcp/protocol/limits.js";

/** Accept quota of a listener in a worker, set by the primary to balance connections. */
export interface Quota {
  /** Connections at which the worker stops accepting. */
  readonly quota: number;
  /** Connections from which on the worker reports its load. */
  readonly reportAt: number;
}

/** When a worker stops accepting, and closes connections. */
export interface OverloadTerms {
  /** Lag of the event loop in milliseconds; 0 disables. */
  readonly maxLag: number;
  /** Memory in bytes; `undefined`: not looked at. */
  readonly maxMemory: number | undefined;
}

/** Whom a listener admits, by address, and what its connections may do. */
export interface Admission {
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
  /** Whether addresses have limits, so that the primary is asked. */
  readonly addresses: boolean;
  /** Limits that replace those of its protocols. */
  readonly limits: LimitOverrides;
}
