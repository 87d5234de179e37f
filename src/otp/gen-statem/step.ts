/** Steps: what a handler of a state returns: `next("talking")`, `stop("idle")`, `postpone`, or nothing to stay. */
import type { ExitReason } from "../process/exit-reason.js";
import type { Action, OwnAction, Postpone, Reply } from "./actions.js";

export { POSTPONE, type Postpone, postpone } from "./actions.js";

export class Next<S extends string> {
  readonly kind = "next";
  readonly state: S;
  constructor(state: S) {
    this.state = state;
  }
}

export class Stop<R = any> {
  /** The type of its reason, for machines that list theirs. */
  declare readonly __reason?: R;
  readonly kind = "stop";
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

export type Step<S extends string, R = any> = Next<S> | Stop<R> | Postpone;

/** A step with actions. Not the class of a plain `next`, which is returned a million times a second. */
export class Transition<S extends string, R = never> {
  /** The type of its reply to the present call. */
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

/** A change of state with an action of one kind of machine. */
export interface NextWith<S extends string, A extends OwnAction> {
  readonly kind: "next";
  readonly state: S;
  readonly actions: readonly [A];
}

/** Stops the machine after these replies. */
export class StopAndReply<R = never> extends Stop {
  declare readonly __reply?: R;
  readonly replies: readonly Reply[];
  constructor(reason: ExitReason, replies: readonly Reply[]) {
    super(reason);
    this.replies = replies;
  }
}

/** The type of the reply among the actions. */
type ReplyOf<A> = A extends Reply<infer R> ? R : never;

/**
 * Changes the state: `leave` of the present one, then `enter` of the next. To the present state it is no change.
 * Actions are for `genStatem` only, but for `startTls()`, which is for connections.
 */
export function next<const S extends string>(state: S): Next<S>;
export function next<const S extends string, const A extends readonly [Action, ...Action[]]>(
  state: S,
  ...actions: A
): Transition<S, ReplyOf<A[number]>>;
export function next<const S extends string, A extends OwnAction>(state: S, action: A): NextWith<S, A>;
export function next(state: string, ...actions: any[]): any {
  return actions.length === 0 ? new Next(state) : new Transition("next", state, actions);
}

/** Keeps the state and carries out actions. */
export function keep<const A extends readonly Action[]>(
  ...actions: A
): Transition<never, ReplyOf<A[number]>> {
  return new Transition<never, any>("keep", undefined, actions);
}

/** Keeps the state and runs `enter` again. */
export function repeat<const A extends readonly Action[]>(
  ...actions: A
): Transition<never, ReplyOf<A[number]>> {
  return new Transition<never, any>("repeat", undefined, actions);
}

/**
 * Stops the process. A string that is not one of OTP's exit reasons is an orderly exit: `stop("idle")` exits with
 * `{ shutdown: "idle" }`, which is not reported as a failure. An `Error` is a crash.
 */
export function stop(): Stop<never>;
export function stop<const R extends ExitReason>(reason: R): Stop<R>;
export function stop(reason: ExitReason = "normal"): Stop {
  return new Stop(reasonFor(reason));
}

/** As `stop`, after these replies. */
export function stopAndReply<const A extends readonly Reply<any>[]>(
  reason: ExitReason,
  ...replies: A
): StopAndReply<ReplyOf<A[number]>> {
  return new StopAndReply(reasonFor(reason), replies);
}

function reasonFor(reason: ExitReason): ExitReason {
  return typeof reason === "string" && !OTP_REASONS.has(reason) ? { shutdown: reason } : reason;
}

const OTP_REASONS: ReadonlySet<string> = new Set(["normal", "shutdown", "kill", "killed", "noproc"]);
