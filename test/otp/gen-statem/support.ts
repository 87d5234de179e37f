/**
 * State machines in both callback modes from one description (one function per state that gets every event):
 * gen_statem_SUITE runs its cases twice, too.
 */
import { expect } from "vitest";
import { request } from "../../../src/otp/gen-server/call.js";
import { start } from "../../../src/otp/gen-server/gen-server.js";
import {
  type CallSelf,
  genStatem,
  type StatemEvent,
  type StatemSelf,
} from "../../../src/otp/gen-statem/gen-statem.js";
import type { ExitReason } from "../../../src/otp/process/exit-reason.js";
import type { Pid } from "../../../src/otp/process/pid.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf } from "../stage.js";

export const STYLES = ["state_functions", "handle_event_function"] as const;
export type Style = (typeof STYLES)[number];

export type Event = StatemEvent | { readonly type: "enter"; readonly from: string };
type Handler = (self: StatemSelf<any>, event: Event) => any;

export interface Description {
  readonly name?: string;
  readonly stateEnter?: boolean;
  readonly trapExit?: boolean;
  init(args: any, self: any): any;
  readonly states: Readonly<Record<string, Handler>>;
  terminate?(self: StatemSelf<any>, reason: ExitReason): void | Promise<void>;
  codeChange?(old: any, extra: unknown): any;
}

/** Names of calls, casts and timers of the test machines. */
const CALLS = ["go", "check", "test", "stop", "echo", "repeat", "buffer", "bad", "get", "later", "hello"];
const CASTS = ["put", "stop", "echo", "bad"];
const TIMERS = ["a", "b", "c", "d", "6"];

function table(handler: Handler, stateEnter: boolean): any {
  const by = (names: string[], make: (name: string) => unknown) =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  return {
    enter: stateEnter ? (self: any, from: string) => handler(self, { type: "enter", from }) : undefined,
    calls: by(
      CALLS,
      (name) =>
        (self: CallSelf<any>, ...args: unknown[]) =>
          handler(self, { type: "call", from: self.from, name, args }),
    ),
    casts: by(
      CASTS,
      (name) =>
        (self: any, ...args: unknown[]) =>
          handler(self, { type: "cast", name, args }),
    ),
    info: (self: any, content: unknown) => handler(self, { type: "info", content }),
    internal: (self: any, content: unknown) => handler(self, { type: "internal", content }),
    timeout: { do: (self: any, content: unknown) => handler(self, { type: "state_timeout", content }) },
    eventTimeout: (self: any, content: unknown) => handler(self, { type: "timeout", content }),
    timers: by(
      TIMERS,
      (name) => (self: any, content: unknown) => handler(self, { type: "timer", name, content }),
    ),
  };
}

/** The machine that is described, in one of the styles. */
export function machine(style: Style, description: Description): any {
  const { states, stateEnter = false, name = "statem", ...rest } = description;
  if (style === "handle_event_function") {
    const handleEvent = (self: StatemSelf<any>, event: Event) => states[self.state]?.(self, event);
    return genStatem({ name, stateEnter, handleEvent, ...rest } as any);
  }
  const tables = Object.entries(states).map(([state, handler]) => [state, table(handler, stateEnter)]);
  return genStatem({ name, states: Object.fromEntries(tables), ...rest } as any);
}

/** A machine that runs, and how it ends. */
export interface Running {
  readonly pid: Pid;
  readonly end: { readonly reason: ExitReason | undefined };
  ask(name: string, ...args: unknown[]): Promise<any>;
}

export async function running(style: Style, description: Description, args?: unknown): Promise<Running> {
  const pid: Pid = await start(machine(style, description), args);
  const end = endOf(pid);
  await settle();
  return { pid, end, ask: (name, ...more) => request(pid, name, more) };
}

/** The rejection of a promise, by its reason. */
export async function reasonOfRejection(promise: Promise<unknown>): Promise<unknown> {
  const error: any = await promise.then(
    (value) => expect.fail(`answered ${String(value)}`),
    (thrown) => thrown,
  );
  return error.reason ?? error;
}
