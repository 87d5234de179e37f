/**
 * OTP's `sys`: inspect, suspend, trace and debug any process of this OS process. A process that is not inspected pays
 * nothing for it. Requests time out after 5 seconds by default; a process replies after the handler it is running.
 */

import type { SystemEvent } from "../events.js";
import { requestWith } from "../gen-server/call.js";
import { type ExitReason, ProcessExit } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { onDown, type Process, processOf } from "../process/process.js";
import { whereis } from "../process/registry.js";
import type { Duration } from "../time/duration.js";
import { SystemMessage, TerminateMessage } from "./system-message.js";
import { type DebugFunction, type Statistics, SystemMessageHandler } from "./system-message-handler.js";

export type { DebugFunction, Statistics } from "./system-message-handler.js";

/** A pid or a registered name. */
type ServerRef = Pid | string;
type Timeout = Duration | typeof Infinity;

const TIMEOUT = 5_000;

function system(server: ServerRef, timeout: Timeout, name: string, ...args: unknown[]): Promise<any> {
  return requestWith(server, name, timeout, (process, ms, settle) => {
    submit(process, new SystemMessage(process, name, args, ms, settle));
  });
}

function submit(process: Process, message: SystemMessage): void {
  process.sys ??= new SystemMessageHandler(process);
  process.sys.submit(message);
}

/** The state: of a server its state, of a state machine `{ state, data }`. */
export function getState(server: ServerRef, timeout: Timeout = TIMEOUT): Promise<any> {
  return system(server, timeout, "getState");
}

/**
 * Replaces the state, and resolves to the new one. A state machine does not run `enter`.
 * @throws ProcessExit `{ callback_failed }` when `change` throws: the state is unchanged
 */
export function replaceState(
  server: ServerRef,
  change: (state: any) => unknown,
  timeout: Timeout = TIMEOUT,
): Promise<any> {
  return system(server, timeout, "replaceState", change);
}

/** The status of a process: running or suspended, state, links, mailbox, timers, event log. */
export function getStatus(server: ServerRef, timeout: Timeout = TIMEOUT): Promise<Record<string, unknown>> {
  return system(server, timeout, "getStatus");
}

/** Suspends a process: messages wait, exit signals and system messages do not. */
export function suspend(server: ServerRef, timeout: Timeout = TIMEOUT): Promise<"ok"> {
  return system(server, timeout, "suspend");
}

export function resume(server: ServerRef, timeout: Timeout = TIMEOUT): Promise<"ok"> {
  return system(server, timeout, "resume");
}

/** Publishes its messages and replies on the channel `otp.trace`, or stops doing so. */
export function trace(server: ServerRef, on: boolean, timeout: Timeout = TIMEOUT): Promise<"ok"> {
  return system(server, timeout, "trace", on);
}

/** Keeps the last 10 messages and replies (`true`) or as many as given, stops (`false`), or returns them (`"get"`). */
export function log(server: ServerRef, what: "get", timeout?: Timeout): Promise<SystemEvent[]>;
export function log(server: ServerRef, what: boolean | number, timeout?: Timeout): Promise<"ok">;
export function log(
  server: ServerRef,
  what: boolean | number | "get",
  timeout: Timeout = TIMEOUT,
): Promise<any> {
  return system(server, timeout, "log", what);
}

/** Starts (`true`) or stops (`false`) counting messages and replies, or returns the counts (`"get"`). */
export function statistics(
  server: ServerRef,
  what: "get",
  timeout?: Timeout,
): Promise<Statistics | "no_statistics">;
export function statistics(server: ServerRef, what: boolean, timeout?: Timeout): Promise<"ok">;
export function statistics(
  server: ServerRef,
  what: boolean | "get",
  timeout: Timeout = TIMEOUT,
): Promise<any> {
  return system(server, timeout, "statistics", what);
}

/** Installs a debug function: called with each message and reply, until it returns `"done"` or throws. */
export function install(
  server: ServerRef,
  name: string,
  fn: DebugFunction,
  timeout: Timeout = TIMEOUT,
): Promise<"ok"> {
  return system(server, timeout, "install", name, fn);
}

export function remove(
  server: ServerRef,
  name: string,
  timeout: Timeout = TIMEOUT,
): Promise<"ok" | "not_found"> {
  return system(server, timeout, "remove", name);
}

/** Switches a suspended process to new code, through `codeChange` if the new behaviour has one. */
export function changeCode(
  server: ServerRef,
  behaviour: object,
  extra?: unknown,
  timeout: Timeout = TIMEOUT,
): Promise<"ok"> {
  return system(server, timeout, "changeCode", behaviour, extra);
}

/**
 * Stops a process in good order (`terminate` runs) and waits for its exit, as `gen_server:stop`.
 * @throws ProcessExit `noproc`, `timeout` (the stop goes on), or the exit reason when it is another one
 */
export function stopProcess(
  server: ServerRef,
  reason: ExitReason = "normal",
  timeout: Timeout = Infinity,
): Promise<void> {
  const pid = typeof server === "string" ? whereis(server) : server;
  if (!pid || !processOf(pid)) return Promise.reject(new ProcessExit("noproc"));
  return new Promise((resolve, reject) => {
    const cancel = onDown(pid, (actual) => (actual === reason ? resolve() : reject(new ProcessExit(actual))));
    requestWith(pid, "terminate", timeout, (process, ms, settle) => {
      submit(process, new TerminateMessage(process, "terminate", [reason], ms, settle));
    }).catch((error) => {
      // The monitor reports the exit; what is left here is the timeout, or a `timeout` that is not a duration.
      if (error instanceof ProcessExit && error.reason !== "timeout") return;
      cancel();
      reject(error);
    });
  });
}
