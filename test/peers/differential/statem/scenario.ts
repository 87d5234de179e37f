/**
 * Scenario: a state machine of three states, with up to three callback modules, and steps. The operations of one step
 * run without a pause; between steps the machine settles.
 */
import type { Reason } from "../terms.js";

export const STATES = ["a", "b", "c"] as const;
export type State = (typeof STATES)[number];
/** The name of an event, or of a timer. */
export type Word = "p" | "q";
export type Kind = "call" | "cast" | "info" | "internal";
export type Timer = "timeout" | "state_timeout" | Word;

export type Act =
  /** To whoever made the call, or to the one who has waited longest. */
  | { readonly do: "reply"; readonly n: number }
  | { readonly do: "postpone" }
  | { readonly do: "event"; readonly type: Kind | "timer"; readonly word: Word; readonly n: number }
  | { readonly do: "event"; readonly type: "timeout" | "state_timeout"; readonly n: number }
  | {
      readonly do: "timer";
      readonly timer: Timer;
      readonly ms: number | "infinity" | "cancel" | "update";
      readonly n: number;
    }
  | { readonly do: "change" | "push"; readonly module: number }
  /** Nothing, if nothing was pushed. */
  | { readonly do: "pop" };

/** What a handler gives back. It counts itself in the data, but for `..._and_data`. */
export interface Answer {
  readonly step:
    | "next"
    | "keep"
    | "keep_and_data"
    | "repeat"
    | "repeat_and_data"
    | "stop"
    | "stop_and_reply"
    | "crash";
  /** Of `next`. */
  readonly state?: State;
  /** Of an end. */
  readonly reason?: Reason;
  readonly actions: readonly Act[];
  /** Keeps the call that it handles, to be answered later. */
  readonly keeps?: boolean;
  /** Ours only: the answer is a promise. */
  readonly later?: boolean;
}

/** By event, `enter` or `cast_p`: answers, which take turns. What is not listed keeps state and data. */
export type Cells = Readonly<Record<string, readonly Answer[]>>;

export interface Module {
  readonly mode: "state_functions" | "handle_event_function";
  readonly enter: boolean;
  readonly cells: Readonly<Record<State, Cells>>;
}

export type Op =
  | { readonly op: "call"; readonly word: Word }
  | { readonly op: "cast" | "info"; readonly word: Word; readonly n: number }
  | { readonly op: "advance"; readonly ms: number }
  /** Somebody looks inside, holds it up, or changes its state from outside. */
  | { readonly op: "get" | "suspend" | "resume" }
  | { readonly op: "replace"; readonly state: State }
  | { readonly op: "stop"; readonly reason: Reason }
  /** An exit signal from outside; or the parent ends. */
  | { readonly op: "signal" | "parent"; readonly reason: Reason };

export interface Scenario {
  readonly modules: readonly Module[];
  readonly initial: State;
  readonly traps: boolean;
  /** What `init` asks for. */
  readonly actions: readonly Act[];
  readonly steps: readonly (readonly Op[])[];
}
