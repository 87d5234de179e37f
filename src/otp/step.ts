/** What a handler of a state may give back: `next("talking")`, `stop("idle")`, `postpone`, or nothing. */
import type { ExitReason } from "./exit.js";

export class Next<S extends string> {
  readonly kind = "next";
  readonly state: S;
  constructor(state: S) {
    this.state = state;
  }
}

export class Stop {
  readonly kind = "stop";
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

export interface Postpone {
  readonly kind: "postpone";
}

export type Step<S extends string> = Next<S> | Stop | Postpone;

/** Moves to another state: `leave` of this one, then `enter` of that one. To the present state it is no move. */
export function next<const S extends string>(state: S): Next<S> {
  return new Next(state);
}

/**
 * Ends the process. A word that is not one of OTP's own is an orderly end that says why: `stop("idle")` ends
 * with `{ shutdown: "idle" }`, which nobody reports as a failure. An `Error` is a crash.
 */
export function stop(reason: ExitReason = "normal"): Stop {
  return new Stop(typeof reason === "string" && !OTP_WORDS.has(reason) ? { shutdown: reason } : reason);
}

const OTP_WORDS: ReadonlySet<string> = new Set(["normal", "shutdown", "kill", "killed", "noproc"]);

/** @internal */
export const POSTPONE: Postpone = Object.freeze({ kind: "postpone" });

/** Keeps the event for the next state. */
export const postpone: Postpone = POSTPONE;
