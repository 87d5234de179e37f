/** What a state machine runs on: per state a row of cells, and what their handlers give back. */

import type { Action } from "./actions.js";
import type { Step, Transition } from "./step.js";

/** What a handler gives back once it is through. */
export type Settled = Step<string> | Transition<string, any> | Action | undefined | void;
/** What a handler gives back. */
export type Outcome = Settled | Promise<Settled>;

/** The cells that every state has, whatever the events. */
export interface Cells<Self> {
  readonly name: string;
  readonly enter: ((self: Self, from: string | undefined) => Outcome) | undefined;
  readonly leave: ((self: Self) => void) | undefined;
  /** Of the state: begins when it is entered, cancelled when it is left. */
  readonly timeoutMs: number | undefined;
  readonly timeout: ((self: Self) => Outcome) | undefined;
}
