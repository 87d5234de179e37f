/**
 * System message handler of one process (`sys.ts`): suspension, event log, statistics, trace and debug functions.
 * System messages queue in the mailbox like any other; while the process is suspended they are handled at once. The
 * handler exists only while it is used: otherwise a process pays one comparison per message.
 */

import { type SystemEvent, traceEvents } from "../events.js";
import { ProcessExit, reasonOf } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import type { Process } from "../process/process.js";
import { clock } from "../time/clock.js";
import type { SystemHandler } from "./inspectable.js";
import { SystemMessage } from "./system-message.js";

/** Called with each message and reply of a process, until it returns `"done"` or throws. */
export type DebugFunction = (event: SystemEvent, pid: Pid) => "done" | void;

/** `sys:statistics`. */
export interface Statistics {
  /** Milliseconds since the statistics were turned on. */
  readonly elapsed: number;
  readonly messagesIn: number;
  /** Replies to calls. */
  readonly messagesOut: number;
}

const DEFAULT_LOG_SIZE = 10;

export class SystemMessageHandler implements SystemHandler {
  suspended = false;
  readonly #process: Process;
  #pending = 0;
  #tracing = false;
  #log: SystemEvent[] | undefined = undefined;
  #logSize = 0;
  #statistics: { since: number; in: number; out: number } | undefined = undefined;
  readonly #functions = new Map<string, DebugFunction>();

  constructor(process: Process) {
    this.#process = process;
  }

  get loggedEvents(): readonly SystemEvent[] {
    return this.#log ?? [];
  }

  submit(message: SystemMessage): void {
    this.#pending++;
    if (this.suspended) this.#handleInMicrotask(message);
    else this.#process.enqueue(message);
  }

  filter(message: unknown): boolean {
    if (!(message instanceof SystemMessage)) {
      this.#record({ in: message }, "in");
      return true;
    }
    this.#pending--;
    try {
      message.reply(this.#handle(message.name, message.args));
    } catch (thrown) {
      message.fail(thrown);
    }
    this.#detachIfUnused();
    return false;
  }

  replied(value: unknown): void {
    this.#record({ out: value }, "out");
  }

  #record(event: SystemEvent, direction: "in" | "out"): void {
    const { pid, label } = this.#process;
    if (this.#statistics) this.#statistics[direction]++;
    if (this.#log) {
      this.#log.push(event);
      if (this.#log.length > this.#logSize) this.#log.shift();
    }
    if (this.#tracing && traceEvents.hasSubscribers) traceEvents.publish({ pid, label, event });
    for (const [name, fn] of [...this.#functions]) {
      if (isDone(() => fn(event, pid))) this.#functions.delete(name);
    }
  }

  #detachIfUnused(): void {
    const used = this.suspended || this.#tracing || this.#log || this.#statistics || this.#functions.size > 0;
    if (!used && this.#pending === 0) this.#process.sys = undefined;
  }

  #handle(name: string, args: readonly unknown[]): unknown {
    const process = this.#process;
    const [argument, extra] = args as any[];
    switch (name) {
      case "getState":
        return process.systemState;
      case "replaceState":
        return this.#replaceState(argument);
      case "getStatus":
        return this.#status();
      case "suspend":
        return this.#suspend();
      case "resume":
        if (!this.suspended) return "ok";
        this.suspended = false;
        process.resume();
        return "ok";
      case "changeCode":
        if (!this.suspended)
          throw new ProcessExit(
            "not_suspended",
            "changeCode needs a suspended process: call sys.suspend first",
          );
        process.changeCode(argument, extra);
        return "ok";
      case "terminate":
        process.systemTerminate(argument);
        return undefined; // `TerminateMessage` sends no reply.
      default:
        return this.#debug(name, argument, extra);
    }
  }

  /** The mailbox stops; system messages and the exit of the parent that already wait in it are handled here. */
  #suspend(): "ok" {
    const process = this.#process;
    this.suspended = process.busy = true;
    const next = () =>
      process.selectiveReceive((one) => one instanceof SystemMessage) as SystemMessage | undefined;
    for (let message = next(); message; message = next()) this.#handleInMicrotask(message);
    const parentExit = process.parent && process.takeExit(process.parent.pid);
    if (parentExit !== undefined) process.systemTerminate(parentExit);
    return "ok";
  }

  #handleInMicrotask(message: SystemMessage): void {
    queueMicrotask(() => {
      if (!this.#process.alive) return;
      if (this.suspended) this.filter(message);
      else this.#process.enqueue(message);
    });
  }

  #debug(name: string, argument: any, fn: any): unknown {
    switch (name) {
      case "trace":
        this.#tracing = argument;
        return "ok";
      case "log":
        return this.#setLog(argument);
      case "statistics":
        return this.#setStatistics(argument);
      case "install":
        this.#functions.set(argument, fn);
        return "ok";
      case "remove":
        return this.#functions.delete(argument) ? "ok" : "not_found";
      default:
        throw new Error(`unknown system message "${name}"`);
    }
  }

  #replaceState(change: (state: any) => unknown): unknown {
    const process = this.#process;
    try {
      process.replaceSystemState(change(process.systemState));
    } catch (thrown) {
      throw new ProcessExit({ callback_failed: "replaceState", reason: reasonOf(thrown) });
    }
    return process.systemState;
  }

  #status(): Record<string, unknown> {
    const { pid, label, registeredName, parent, links, trapExit, messageQueueLength, refusedMessages } =
      this.#process;
    return {
      pid,
      label,
      registeredName,
      status: this.suspended ? "suspended" : "running",
      parent: parent?.pid,
      links,
      trapExit,
      messageQueueLength,
      refusedMessages,
      log: [...this.loggedEvents],
      ...this.#process.systemStatus,
    };
  }

  #setLog(what: boolean | number | "get"): unknown {
    if (what === "get") return [...this.loggedEvents];
    if (what === false) this.#log = undefined;
    else {
      this.#logSize = what === true ? DEFAULT_LOG_SIZE : what;
      this.#log = (this.#log ?? []).slice(-this.#logSize);
    }
    return "ok";
  }

  #setStatistics(what: boolean | "get"): unknown {
    if (what === true) this.#statistics = { since: clock.now(), in: 0, out: 0 };
    else if (what === false) this.#statistics = undefined;
    else if (this.#statistics) {
      const { since, in: messagesIn, out: messagesOut } = this.#statistics;
      return { elapsed: clock.now() - since, messagesIn, messagesOut };
    } else return "no_statistics";
    return "ok";
  }
}

function isDone(call: () => "done" | void): boolean {
  try {
    return call() === "done";
  } catch {
    return true;
  }
}
