/** The cells of a state (its compiled handlers), and what the handlers return. */

import type { Action } from "./actions.js";
import type { Step, Transition } from "./step.js";

/** What a handler returns or resolves to. */
export type SettledOutcome = Step<string> | Transition<string, any> | Action | undefined | void;
/** What a handler returns. */
export type Outcome = SettledOutcome | Promise<SettledOutcome>;

/** The cells that states of every kind of machine have. */
export interface Cells<Self> {
  readonly name: string;
  readonly enter: ((self: Self, from: string | undefined) => Outcome) | undefined;
  readonly leave: ((self: Self) => void) | undefined;
  /** The state timeout: started when the state is entered, cancelled when it is left. */
  readonly timeoutMs: number | undefined;
  readonly timeout: ((self: Self) => Outcome) | undefined;
}
