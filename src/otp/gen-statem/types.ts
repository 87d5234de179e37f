/** Types of a state machine: specification, `self` of its handlers, calls and casts over all states. */

import type { ExitReason } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import type { Duration } from "../time/duration.js";
import type { Action, From, Reply, StatemEvent } from "./actions.js";
import type { Next, Postpone, Stop, StopAndReply, Transition } from "./step.js";

/** The state machine, as its handlers see it. */
export interface StatemSelf<D> {
  readonly pid: Pid;
  /** The present state. */
  readonly state: string;
  data: D;
}

/** In the handler of a call: with the caller, for a later reply (`replyTo`). */
export interface CallSelf<D> extends StatemSelf<D> {
  readonly from: From;
}

/** What a handler returns; nothing: stay. */
export type StatemStep<S extends string> =
  | Next<S>
  | Stop
  | Postpone
  | Transition<S, any>
  | StopAndReply<any>
  | Action;
type Returns<S extends string> = StatemStep<S> | void | Promise<StatemStep<S> | void>;
type Handler<S extends string, D> = (self: StatemSelf<D>, content: any) => Returns<S>;

/** A state timeout: a step or a handler. Without `after` it is set by `stateTimeout` only. */
export interface StateTimeout<S extends string, D> {
  readonly after?: Duration;
  readonly do: StatemStep<S> | Handler<S, D>;
}

/** The handlers of one state. */
export interface StatemState<S extends string, D> {
  /** Runs after the state was entered or repeated. `from` is the state itself for the first state and on `repeat`. */
  enter?(self: StatemSelf<D>, from: string): Returns<never>;
  /** Runs before a state change and before the exit; not on `repeat`. Must be synchronous. */
  leave?(self: StatemSelf<D>): void;
  /** An unknown call fails for its caller. */
  readonly calls?: Readonly<Record<string, (self: CallSelf<D>, ...args: never[]) => Returns<S>>>;
  /** An unknown cast is a crash. */
  readonly casts?: Readonly<Record<string, (self: StatemSelf<D>, ...args: never[]) => Returns<S>>>;
  /** Any other message. Default: dropped. */
  info?(self: StatemSelf<D>, message: unknown): Returns<S>;
  /** An internal event inserted by `nextEvent`. */
  internal?(self: StatemSelf<D>, content: any): Returns<S>;
  /** The state timeout: `after` the state was entered, or as set by `stateTimeout`. */
  readonly timeout?: StateTimeout<S, D>;
  /** The event timeout set by `eventTimeout`. */
  eventTimeout?(self: StatemSelf<D>, content: any): Returns<S>;
  /** Timers set by `timer`, by name. */
  readonly timers?: Readonly<Record<string, Handler<S, D>>>;
}

/** The first state, the data and the first actions of a machine. */
export class Begin<S extends string, D> {
  readonly state: S;
  readonly data: D;
  readonly actions: readonly Action[];
  constructor(state: S, data: D, actions: readonly Action[]) {
    this.state = state;
    this.data = data;
    this.actions = actions;
  }
}

type InitResult<S extends string, D> = Begin<S, D> | Stop | "ignore";

/** What both callback modes have in common. */
export interface StatemCommon<A, D, S extends string> {
  /** The name in reports and trees. */
  readonly name: string;
  /** Exit signals become messages for `info`. Default false. */
  readonly trapExit?: boolean;
  /** Mailbox bound; see `Process.maxMessages`. Default `Infinity`. */
  readonly maxMessages?: number;
  /** Returns `begin(state, data, ...actions)`. `stop(reason)`, an exception or a rejection is a failed start; `"ignore"` is no failure. */
  init(args: A, self: { readonly pid: Pid }): InitResult<S, D> | Promise<InitResult<S, D>>;
  /** Runs before every exit but `kill`, after `leave`; on exit signals only with `trapExit`. */
  terminate?(self: StatemSelf<NoInfer<D>>, reason: ExitReason): void | Promise<void>;
  /** Converts state and data of the old code (`sys.changeCode`). */
  codeChange?(
    old: { readonly state: string; readonly data: any },
    extra: unknown,
  ): { state: S; data: NoInfer<D> };
  /** Formats state and data for `sys.getStatus`. */
  formatStatus?(status: { readonly state: string; readonly data: NoInfer<D> }): unknown;
}

/** `handle_event_function`: one function for all states. A state is any string. */
export interface HandleEventSpec<A, D> extends StatemCommon<A, D, string> {
  handleEvent(
    self: StatemSelf<NoInfer<D>>,
    event: StatemEvent | { readonly type: "enter"; readonly from: string },
  ): Returns<string>;
  /** Whether `handleEvent` gets `enter` events. Default false. */
  readonly stateEnter?: boolean;
}

/** A state machine, for `start` and `child`. */
export interface GenStatem<A, D, C, K> {
  readonly name: string;
  init(args: A, self: any): InitResult<any, D> | Promise<InitResult<any, D>>;
  /** For the types of `call`: the calls of all states. */
  readonly calls: C;
  readonly casts: K;
}

// -- calls and casts of all states ----------------------------------------------------------------------

type Tables<T, P extends "calls" | "casts"> = {
  [N in keyof T]: T[N] extends { readonly [Q in P]: infer C } ? C : never;
}[keyof T];
type Names<U> = U extends unknown ? keyof U : never;
type Of<U, N extends PropertyKey> = U extends { readonly [Q in N]: infer F } ? F : never;
type Arguments<F> = F extends (self: any, ...args: infer R) => any ? R : never;

/** The reply that a handler returns; `never` where it replies later. */
type ReplyIn<O> =
  O extends Promise<infer P>
    ? ReplyIn<P>
    : O extends Reply<infer R>
      ? R
      : "__reply" extends keyof O
        ? O extends { readonly __reply?: infer R }
          ? R
          : never
        : never;
type Known<R> = [R] extends [never] ? unknown : R;

/** Calls of all states, each with the replies of all. */
export type CallsOf<T, U = Tables<T, "calls">> = {
  [N in Names<U> & string]: (
    self: any,
    ...args: Arguments<Of<U, N>>
  ) => Known<Of<U, N> extends (...args: any) => infer O ? ReplyIn<O> : never>;
};
export type CastsOf<T, U = Tables<T, "casts">> = {
  [N in Names<U> & string]: (self: any, ...args: Arguments<Of<U, N>>) => void;
};
