/** Rows of the table of names: holder, claims that wait, and what the workers are told of them. */
import type { TimerRef } from "../otp/time/clock.js";

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

/** A claim that other servers know already: it is granted when their holders have let go. */
export type Pending<P> = Claim<P> & Holder<P>;

export interface NameRow<P> {
  holder: Holder<P> | undefined;
  /** The holder was told that a newer claim waits, here or on another server. */
  told: boolean;
  /** Highest token that was given out. */
  token: number;
  pending: Pending<P> | undefined;
  /** Claims that wait for the holder, oldest first. */
  waiting: Claim<P>[];
  timer: TimerRef;
  /** What waits until the pending claim is granted. */
  afterGrant: (() => void)[] | undefined;
}

/** Of all rows for which no claim waits; never added to. */
const NO_CLAIMS: never[] = [];

/** One literal: an object that is put together from two takes twice the memory. */
export function emptyRow<P>(): NameRow<P> {
  const none = undefined;
  return {
    holder: none,
    told: false,
    token: 0,
    pending: none,
    waiting: NO_CLAIMS,
    timer: none,
    afterGrant: none,
  };
}
