/**
 * Looking into any process that runs here, and holding it up: OTP's `sys`. Nothing of this costs anything as
 * long as nobody asks. Every question waits 5 seconds at most, unless told otherwise; a process that is in the
 * middle of a handler answers once it is through.
 */

import type { SystemEvent } from "../events.js";
import { ask } from "../gen-server/call.js";
import { type ExitReason, ProcessExit } from "../process/exit-reason.js";
import { onDown } from "../process/monitors.js";
import type { Pid } from "../process/pid.js";
import { processOf } from "../process/process-table.js";
import { whereis } from "../process/registry.js";
import type { Duration } from "../time/duration.js";
import {
  type DebugFunction,
  type Statistics,
  SystemMessage,
  SystemMessageHandler,
} from "./system-message-handler.js";

export type { DebugFunction, Statistics } from "./system-message-handler.js";

type Who = Pid | string;
type Timeout = Duration | typeof Infinity;

const TIMEOUT = 5_000;

function system(who: Who, timeout: Timeout, name: string, ...args: unknown[]): Promise<any> {
  return ask(who, name, timeout, (process, ms, settle) => {
    process.sys ??= new SystemMessageHandler(process);
    process.sys.take(new SystemMessage(process, name, args, ms, settle));
  });
}

/** Its state: of a server what it owns, of a state machine `{ state, data }`. */
export function getState(who: Who, timeout: Timeout = TIMEOUT): Promise<any> {
  return system(who, timeout, "getState");
}

/**
 * Puts another state in place of it, and resolves to that. A state machine does not run `enter`.
 * @throws ProcessExit `{ callback_failed }` when `change` fails: then the state is as before
 */
export function replaceState(
  who: Who,
  change: (state: any) => unknown,
  timeout: Timeout = TIMEOUT,
): Promise<any> {
  return system(who, timeout, "replaceState", change);
}

/** All that can be told of it: whether it is suspended, its state, links, queue, timers, log. */
export function getStatus(who: Who, timeout: Timeout = TIMEOUT): Promise<Record<string, unknown>> {
  return system(who, timeout, "getStatus");
}

/** Holds it up: messages wait, signals and `sys` do not. */
export function suspend(who: Who, timeout: Timeout = TIMEOUT): Promise<"ok"> {
  return system(who, timeout, "suspend");
}

export function resume(who: Who, timeout: Timeout = TIMEOUT): Promise<"ok"> {
  return system(who, timeout, "resume");
}

/** Its messages and answers go to the channel `otp.trace`, or no longer. */
export function trace(who: Who, on: boolean, timeout: Timeout = TIMEOUT): Promise<"ok"> {
  return system(who, timeout, "trace", on);
}

/** Keeps its last 10 (or so many) messages and answers, no longer, or gives them. */
export function log(who: Who, what: "get", timeout?: Timeout): Promise<SystemEvent[]>;
export function log(who: Who, what: boolean | number, timeout?: Timeout): Promise<"ok">;
export function log(who: Who, what: boolean | number | "get", timeout: Timeout = TIMEOUT): Promise<any> {
  return system(who, timeout, "log", what);
}

/** Counts from now on, no longer, or gives what was counted. */
export function statistics(who: Who, what: "get", timeout?: Timeout): Promise<Statistics | "no_statistics">;
export function statistics(who: Who, what: boolean, timeout?: Timeout): Promise<"ok">;
export function statistics(who: Who, what: boolean | "get", timeout: Timeout = TIMEOUT): Promise<any> {
  return system(who, timeout, "statistics", what);
}

/** Tells a function of its messages and answers, until that says `"done"` or throws. */
export function install(
  who: Who,
  name: string,
  fn: DebugFunction,
  timeout: Timeout = TIMEOUT,
): Promise<"ok"> {
  return system(who, timeout, "install", name, fn);
}

export function remove(who: Who, name: string, timeout: Timeout = TIMEOUT): Promise<"ok" | "not_found"> {
  return system(who, timeout, "remove", name);
}

/** Lets new code take over a suspended process, by its `codeChange` if it has one. */
export function changeCode(
  who: Who,
  behaviour: object,
  extra?: unknown,
  timeout: Timeout = TIMEOUT,
): Promise<"ok"> {
  return system(who, timeout, "changeCode", behaviour, extra);
}

/**
 * Ends a process in good order (`terminate` runs), and waits until it has ended, as `gen_server:stop`.
 * @throws ProcessExit `noproc`, `timeout` (it goes on ending), or the reason when it ended by another
 */
export function stopProcess(
  who: Who,
  reason: ExitReason = "normal",
  timeout: Timeout = Infinity,
): Promise<void> {
  const pid = typeof who === "string" ? whereis(who) : who;
  if (!pid || !processOf(pid)) return Promise.reject(new ProcessExit("noproc"));
  return new Promise((resolve, reject) => {
    const forget = onDown(pid, (end) => (end === reason ? resolve() : reject(new ProcessExit(end))));
    ask(pid, "terminate", timeout, (process, ms, settle) => {
      process.sys ??= new SystemMessageHandler(process);
      process.sys.take(new Stopping(process, "terminate", [reason], ms, settle));
    }).catch((error) => {
      // Its end is told by the watch; what is left is no time, or a timeout that is none.
      if (error instanceof ProcessExit && error.reason !== "timeout") return;
      forget();
      reject(error);
    });
  });
}

/** Is answered by the end alone. */
class Stopping extends SystemMessage {
  override reply(): void {}
}
