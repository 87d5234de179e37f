/** Compiles the specification of a state machine: per state one set of cells, with one function for all events. */

import type { CallMessage } from "../gen-server/call.js";
import { checkMaxMessages } from "../process/mailbox-overflow.js";
import { toMs } from "../time/duration.js";
import type { StatemEvent } from "./actions.js";
import type { Cells, Outcome } from "./state-machine.js";

export interface StatemCells extends Cells<any> {
  /** The `timeout` of the state, started when it is entered. */
  readonly stateTimeoutMs: number | undefined;
  readonly on: (self: any, event: StatemEvent) => Outcome;
}

/** A compiled state machine behaviour. */
export interface CompiledStatem {
  readonly name: string;
  readonly spec: any;
  /** @throws Error when there is no such state */
  cellsOf(state: string): StatemCells;
}

const KEYS = ["enter", "leave", "calls", "casts", "info", "internal", "timeout", "eventTimeout", "timers"];

/** @throws TypeError that names the place and says what to write instead */
export function compileStatem(spec: any): CompiledStatem {
  const wrong = (what: string): never => {
    throw new TypeError(`state machine ${JSON.stringify(spec?.name ?? "?")}: ${what}`);
  };
  if (typeof spec?.name !== "string" || spec.name === "") wrong(`"name" must be a non-empty string`);
  checkMaxMessages(spec.name, spec.maxMessages);
  if (typeof spec.init !== "function") wrong(`"init" must be a function that returns begin(state, data)`);
  if ((spec.states === undefined) === (spec.handleEvent === undefined))
    wrong(`set either "states" or "handleEvent"`);
  if (spec.handleEvent) return { name: spec.name, spec, cellsOf: (state) => handleEventCells(spec, state) };
  const states = new Map<string, StatemCells>();
  for (const [name, table] of Object.entries<any>(spec.states)) {
    const unknown = Object.keys(table).find((key) => !KEYS.includes(key));
    if (unknown !== undefined)
      wrong(`state "${name}": unknown key "${unknown}"; the keys are ${KEYS.join(", ")}`);
    states.set(name, stateCells(name, table));
  }
  if (states.size === 0) wrong(`"states" must have at least one state`);
  const cellsOf = (state: string) =>
    states.get(state) ?? wrong(`unknown state "${state}"; the states are ${[...states.keys()].join(", ")}`);
  return { name: spec.name, spec, cellsOf };
}

function stateCells(name: string, table: any): StatemCells {
  const after = table.timeout?.after;
  return {
    name,
    enter: table.enter && ((self: any, from: string | undefined) => table.enter(self, from)),
    leave: table.leave && ((self: any) => table.leave(self)),
    timeoutMs: undefined,
    timeout: undefined,
    stateTimeoutMs: after === undefined || after === Infinity ? undefined : toMs(after),
    on: (self, event) => dispatch(name, table, self, event),
  };
}

function handleEventCells(spec: any, name: string): StatemCells {
  const enter = (self: any, from: string | undefined) => spec.handleEvent(self, { type: "enter", from });
  return {
    name,
    enter: spec.stateEnter ? enter : undefined,
    leave: undefined,
    timeoutMs: undefined,
    timeout: undefined,
    stateTimeoutMs: undefined,
    on: (self, event) => spec.handleEvent(self, event),
  };
}

const own = (table: any, name: string) => (table && Object.hasOwn(table, name) ? table[name] : undefined);

/** Calls the handler of an event. */
function dispatch(state: string, table: any, self: any, event: StatemEvent): Outcome {
  const missing = (what: string) => new Error(`state "${state}" has no ${what}`);
  switch (event.type) {
    case "call": {
      const handler = own(table.calls, event.name);
      if (handler) return handler(self, ...event.args);
      return (event.from as CallMessage).fail(missing(`call "${event.name}"`));
    }
    case "cast": {
      const handler = own(table.casts, event.name);
      if (handler) return handler(self, ...event.args);
      throw missing(`cast "${event.name}"`);
    }
    case "info":
      return table.info?.(self, event.content);
    case "state_timeout":
      if (!table.timeout) throw missing(`"timeout"`);
      return typeof table.timeout.do === "function"
        ? table.timeout.do(self, event.content)
        : table.timeout.do;
    case "timer": {
      const handler = own(table.timers, event.name);
      if (handler) return handler(self, event.content);
      throw missing(`timer "${event.name}"`);
    }
    case "timeout":
      if (table.eventTimeout) return table.eventTimeout(self, event.content);
      throw missing(`"eventTimeout"`);
    case "internal":
      if (table.internal) return table.internal(self, event.content);
      throw missing(`"internal"`);
    default:
      throw new TypeError(`unknown event type ${JSON.stringify((event as { type: unknown }).type)}`);
  }
}
