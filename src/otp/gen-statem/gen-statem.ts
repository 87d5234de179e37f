/**
 * The state machine behaviour, after OTP's gen_statem, in both callback modes: a table per state, or one function for
 * all events. Connections run on the same engine (`state-machine.ts`).
 */
import type { Process } from "../process/process.js";
import type { Action } from "./actions.js";
import { compileStatem } from "./compile.js";
import { compiledOf, StatemProcess } from "./statem-process.js";
import {
  Begin,
  type CallsOf,
  type CastsOf,
  type GenStatem,
  type HandleEventSpec,
  type StatemCommon,
  type StatemState,
} from "./types.js";

export {
  type Action,
  cancelStateTimeout,
  cancelTimer,
  changeCallbackModule,
  eventTimeout,
  type From,
  nextEvent,
  popCallbackModule,
  pushCallbackModule,
  reply,
  replyTo,
  type StatemEvent,
  stateTimeout,
  timer,
  updateEventTimeout,
  updateStateTimeout,
  updateTimer,
} from "./actions.js";
export { type Cells, type Outcome, StateMachine } from "./state-machine.js";
export type {
  CallSelf,
  GenStatem,
  HandleEventSpec,
  StatemSelf,
  StatemState,
  StatemStep,
} from "./types.js";

/** The result of `init`: the first state, the data, and the first actions. */
export function begin<const S extends string, D>(state: S, data: D, ...actions: Action[]): Begin<S, D> {
  return new Begin(state, data, actions);
}

/** `state_functions`: a table of handlers per state. */
export interface StatesSpec<A, D, T> extends StatemCommon<A, D, keyof NoInfer<T> & string> {
  readonly states: T & { [N in keyof T]: StatemState<keyof NoInfer<T> & string, NoInfer<D>> };
}

/**
 * Defines a state machine; `start` or a supervisor's `child` runs it. Only arguments need type annotations.
 * @throws TypeError that names the place and says what to write instead
 */
export function genStatem<A, D, const T extends Record<string, StatemState<string, NoInfer<D>>>>(
  spec: StatesSpec<A, D, T>,
): GenStatem<A, D, CallsOf<T>, CastsOf<T>>;
export function genStatem<A, D>(
  spec: HandleEventSpec<A, D>,
): GenStatem<
  A,
  D,
  Record<string, (self: any, ...args: any[]) => any>,
  Record<string, (self: any, ...args: any[]) => void>
>;
export function genStatem(spec: object): GenStatem<any, any, any, any> {
  const compiled = compileStatem(spec);
  const machine = { ...spec, spawn: (parent: Process | undefined) => new StatemProcess(compiled, parent) };
  compiledOf.set(machine, compiled);
  return machine as unknown as GenStatem<any, any, any, any>;
}
