/** Rows of the table of names: holder, claims that wait, and what the workers are told of them. */
import type { TimerRef } from "../../otp/time/clock.js";
import type { PidPair } from "./hub.js";

export interface Granted {
  /** Grows with every claim of a name, over all restarts: milliseconds times 4096, or one more than the last. */
  readonly token: number;
  readonly previous: "none" | "ended" | "unknown";
}

export type ClaimResult = Granted | { readonly refused: "taken" };

/** One worker, as the table of names sees it. */
export interface NamePort {
  readonly worker: number;
  claimed(id: number, result: ClaimResult): void;
  /** The process must let the name go: a newer claim waits. */
  replace(name: string, serial: number): void;
}

export interface Holder<P> {
  readonly port: P;
  readonly serial: number;
  readonly token: number;
}

export interface Claim<P> {
  readonly port: P;
  readonly serial: number;
  readonly id: number;
}

/** Two processes that replace each other in a name; the holder may be one of another server. */
export interface Contest {
  readonly name: string;
  readonly holder: PidPair;
  readonly claimant: PidPair;
}

/** A claim that other servers know already: it is granted when their holders have let go. */
export type Pending<P> = Claim<P> & Holder<P>;

export class NameRow<P> {
  holder: Holder<P> | undefined = undefined;
  /** The holder was told that a newer claim waits, here or on another server. */
  told = false;
  /** Highest token that was given out. */
  token = 0;
  // While a claim waits. Until then on the prototype: as fields of each row they would take 32 bytes.
  declare pending: Pending<P> | undefined;
  /** Claims that wait for the holder, oldest first. */
  declare waiting: Claim<P>[];
  declare timer: TimerRef;
  /** What waits until the oldest claim is granted. */
  declare afterGrant: (() => void)[] | undefined;
}

const NONE_WAITS = { pending: undefined, waiting: [], timer: undefined, afterGrant: undefined };
Object.assign(NameRow.prototype, NONE_WAITS);
