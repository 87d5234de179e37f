/** What a handler of a state may give back: `next("talking")`, `stop("idle")`, `postpone`, or nothing. */
import type { ExitReason } from "../process/exit-reason.js";
import type { Action, Postpone, Reply } from "./actions.js";

export { POSTPONE, type Postpone, postpone } from "./actions.js";

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

export type Step<S extends string> = Next<S> | Stop | Postpone;

/** A step with actions. A class of its own: a plain `next` is what happens a million times a second. */
export class Transition<S extends string, R = never> {
  /** The answer it gives to the present call, for the types of `call`. */
  declare readonly __reply?: R;
  readonly kind: "next" | "keep" | "repeat";
  readonly state: S | undefined;
  readonly actions: readonly Action[];
  constructor(kind: "next" | "keep" | "repeat", state: S | undefined, actions: readonly Action[]) {
    this.kind = kind;
    this.state = state;
    this.actions = actions;
  }
}

/** Ends the machine after these answers. */
export class StopAndReply<R = never> extends Stop {
  declare readonly __reply?: R;
  readonly replies: readonly Reply[];
  constructor(reason: ExitReason, replies: readonly Reply[]) {
    super(reason);
    this.replies = replies;
  }
}

/** What the actions answer to the present call. */
type Answer<A> = A extends Reply<infer R> ? R : never;

/**
 * Moves to another state: `leave` of this one, then `enter` of that one. To the present state it is no move.
 * Actions are for `genStatem` only.
 */
export function next<const S extends string>(state: S): Next<S>;
export function next<const S extends string, const A extends readonly [Action, ...Action[]]>(
  state: S,
  ...actions: A
): Transition<S, Answer<A[number]>>;
export function next(state: string, ...actions: Action[]): Next<string> | Transition<string, any> {
  return actions.length === 0 ? new Next(state) : new Transition("next", state, actions);
}

/** Stays, and does this. */
export function keep<const A extends readonly Action[]>(...actions: A): Transition<never, Answer<A[number]>> {
  return new Transition<never, any>("keep", undefined, actions);
}

/** Stays, and runs `enter` again. */
export function repeat<const A extends readonly Action[]>(
  ...actions: A
): Transition<never, Answer<A[number]>> {
  return new Transition<never, any>("repeat", undefined, actions);
}

/**
 * Ends the process. A word that is not one of OTP's own is an orderly end that says why: `stop("idle")` ends
 * with `{ shutdown: "idle" }`, which nobody reports as a failure. An `Error` is a crash.
 */
export function stop(reason: ExitReason = "normal"): Stop {
  return new Stop(reasonFor(reason));
}

/** As `stop`, after these answers. */
export function stopAndReply<const A extends readonly Reply<any>[]>(
  reason: ExitReason,
  ...replies: A
): StopAndReply<Answer<A[number]>> {
  return new StopAndReply(reasonFor(reason), replies);
}

function reasonFor(reason: ExitReason): ExitReason {
  return typeof reason === "string" && !OTP_WORDS.has(reason) ? { shutdown: reason } : reason;
}

const OTP_WORDS: ReadonlySet<string> = new Set(["normal", "shutdown", "kill", "killed", "noproc"]);
