/** What the compiler knows of a state machine: its data, its states, and what may be asked of it in any of them. */

import type { ExitReason } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import type { Duration } from "../time/duration.js";
import type { Action, From, Reply, StatemEvent } from "./actions.js";
import type { Next, Postpone, Stop, StopAndReply, Transition } from "./step.js";

/** What a handler gets: its machine, seen from inside. */
export interface StatemSelf<D> {
  readonly pid: Pid;
  /** The state it is in. */
  readonly state: string;
  data: D;
}

/** In the handler of a call: whoever made it, for an answer that comes later (`replyTo`). */
export interface CallSelf<D> extends StatemSelf<D> {
  readonly from: From;
}

/** What a handler may give back; nothing: stay. */
export type StatemStep<S extends string> =
  | Next<S>
  | Stop
  | Postpone
  | Transition<S, any>
  | StopAndReply<any>
  | Action;
type Returns<S extends string> = StatemStep<S> | void | Promise<StatemStep<S> | void>;
type Handler<S extends string, D> = (self: StatemSelf<D>, content: any) => Returns<S>;

/** Something to do after a time: a step, or a handler. Without `after` only `stateTimeout` sets it. */
export interface StateTimeout<S extends string, D> {
  readonly after?: Duration;
  readonly do: StatemStep<S> | Handler<S, D>;
}

/** One state: what it does with each event. */
export interface StatemState<S extends string, D> {
  /** The state has been entered, or repeated. `from` is the state itself for the first one, and when repeated. */
  enter?(self: StatemSelf<D>, from: string): Returns<never>;
  /** The state is left, by another or by the end; not when it is repeated. Cannot wait. */
  leave?(self: StatemSelf<D>): void;
  /** One that is not listed fails for its caller. */
  readonly calls?: Readonly<Record<string, (self: CallSelf<D>, ...args: never[]) => Returns<S>>>;
  /** One that is not listed is a crash. */
  readonly casts?: Readonly<Record<string, (self: StatemSelf<D>, ...args: never[]) => Returns<S>>>;
  /** Every other message. Default: dropped. */
  info?(self: StatemSelf<D>, message: unknown): Returns<S>;
  /** What `nextEvent` inserted as internal. */
  internal?(self: StatemSelf<D>, content: any): Returns<S>;
  /** So long after the state was entered, or what `stateTimeout` set. */
  readonly timeout?: StateTimeout<S, D>;
  /** What `eventTimeout` set. */
  eventTimeout?(self: StatemSelf<D>, content: any): Returns<S>;
  /** What `timer` set, by name. */
  readonly timers?: Readonly<Record<string, Handler<S, D>>>;
}

/** Where a machine begins. */
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

type Begun<S extends string, D> = Begin<S, D> | Stop | "ignore";

/** What both styles have. */
export interface StatemCommon<A, D, S extends string> {
  /** What it is called in reports and trees. */
  readonly name: string;
  /** Exit signals become messages for `info`. Default false. */
  readonly trapExit?: boolean;
  /** Messages that may wait; see `Process.maxMessages`. Default `Infinity`. */
  readonly maxMessages?: number;
  /** Says where to begin: `begin(state, data, ...actions)`. `stop(reason)`, a throw or a rejection is a failed start; `"ignore"`: none, and that is well. */
  init(args: A, self: { readonly pid: Pid }): Begun<S, D> | Promise<Begun<S, D>>;
  /** Runs on every end but `kill`, after `leave`; on exit signals only with `trapExit`. */
  terminate?(self: StatemSelf<NoInfer<D>>, reason: ExitReason): void | Promise<void>;
  /** New code takes over: what the old one left, as this one wants it. */
  codeChange?(
    old: { readonly state: string; readonly data: any },
    extra: unknown,
  ): { state: S; data: NoInfer<D> };
  /** State and data as `sys.getStatus` shows them. */
  formatStatus?(status: { readonly state: string; readonly data: NoInfer<D> }): unknown;
}

/** `handle_event_function`: one function for all states. A state is any word. */
export interface HandleEventSpec<A, D> extends StatemCommon<A, D, string> {
  handleEvent(
    self: StatemSelf<NoInfer<D>>,
    event: StatemEvent | { readonly type: "enter"; readonly from: string },
  ): Returns<string>;
  /** Whether there are `enter` events. Default false. */
  readonly stateEnter?: boolean;
}

/** A state machine as `start` and `child` take it. */
export interface GenStatem<A, D, C, K> {
  readonly name: string;
  init(args: A, self: any): Begun<any, D> | Promise<Begun<any, D>>;
  /** For the compiler: which calls there are in any of the states. */
  readonly calls: C;
  readonly casts: K;
}

// -- what may be asked of it ----------------------------------------------------------------------------

type Tables<T, P extends "calls" | "casts"> = {
  [N in keyof T]: T[N] extends { readonly [Q in P]: infer C } ? C : never;
}[keyof T];
type Names<U> = U extends unknown ? keyof U : never;
type Of<U, N extends PropertyKey> = U extends { readonly [Q in N]: infer F } ? F : never;
type Arguments<F> = F extends (self: any, ...args: infer R) => any ? R : never;

/** The answer that a handler gives itself; `never` where it leaves that to others. */
type AnswerIn<O> =
  O extends Promise<infer P>
    ? AnswerIn<P>
    : O extends Reply<infer R>
      ? R
      : "__reply" extends keyof O
        ? O extends { readonly __reply?: infer R }
          ? R
          : never
        : never;
type Known<R> = [R] extends [never] ? unknown : R;

/** Calls of all states, each with the answers of all. */
export type CallsOf<T, U = Tables<T, "calls">> = {
  [N in Names<U> & string]: (
    self: any,
    ...args: Arguments<Of<U, N>>
  ) => Known<Of<U, N> extends (...args: any) => infer O ? AnswerIn<O> : never>;
};
export type CastsOf<T, U = Tables<T, "casts">> = {
  [N in Names<U> & string]: (self: any, ...args: Arguments<Of<U, N>>) => void;
};
