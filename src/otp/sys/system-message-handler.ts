/**
 * What a process has only while somebody looks at it: whether it is suspended, its log, its statistics, who
 * is told of its messages. System messages stand in the mailbox like all others; while it is suspended they
 * are answered at once. When nobody looks any more it is taken away again.
 */

import { type SystemEvent, traceEvents } from "../events.js";
import { CallMessage } from "../gen-server/call.js";
import { ProcessExit, reasonOf } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import type { Process } from "../process/process.js";
import { clock } from "../time/clock.js";

/** A question or an order of `sys.ts` in a mailbox. */
export class SystemMessage extends CallMessage {}

/** Is told of what a process takes and gives; `"done"`: no more of it. What it throws ends it too. */
export type DebugFunction = (event: SystemEvent, pid: Pid) => "done" | void;

/** `sys:statistics`. */
export interface Statistics {
  /** Milliseconds for which they have been kept. */
  readonly elapsed: number;
  readonly messagesIn: number;
  /** Answers to calls. */
  readonly messagesOut: number;
}

const DEFAULT_LOG = 10;

export class SystemMessageHandler {
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

  /** Messages and answers that its log has kept, oldest first. */
  get kept(): readonly SystemEvent[] {
    return this.#log ?? [];
  }

  /** Takes a system message. */
  take(message: SystemMessage): void {
    this.#pending++;
    if (this.suspended) this.#soon(message);
    else this.#process.enqueue(message);
  }

  /** Whether a message is for the process itself; the others are answered here. */
  passes(message: unknown): boolean {
    if (!(message instanceof SystemMessage)) {
      this.#happened({ in: message }, "in");
      return true;
    }
    this.#pending--;
    try {
      message.reply(this.#answer(message.name, message.args));
    } catch (thrown) {
      message.fail(thrown);
    }
    this.#goIfIdle();
    return false;
  }

  /** The process has answered a call. */
  sent(value: unknown): void {
    this.#happened({ out: value }, "out");
  }

  #happened(event: SystemEvent, direction: "in" | "out"): void {
    const { pid, label } = this.#process;
    if (this.#statistics) this.#statistics[direction]++;
    if (this.#log) {
      this.#log.push(event);
      if (this.#log.length > this.#logSize) this.#log.shift();
    }
    if (this.#tracing && traceEvents.hasSubscribers) traceEvents.publish({ pid, label, event });
    for (const [name, fn] of [...this.#functions]) {
      if (ended(() => fn(event, pid))) this.#functions.delete(name);
    }
  }

  #goIfIdle(): void {
    const used = this.suspended || this.#tracing || this.#log || this.#statistics || this.#functions.size > 0;
    if (!used && this.#pending === 0) this.#process.sys = undefined;
  }

  #answer(name: string, args: readonly unknown[]): unknown {
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
        if (!this.suspended) throw new ProcessExit("not_suspended", "suspend it before its code is changed");
        process.changeCode(argument, extra);
        return "ok";
      case "terminate":
        process.systemTerminate(argument);
        // Whoever asked waits for the end, not for an answer.
        return undefined;
      default:
        return this.#watch(name, argument, extra);
    }
  }

  /** From now on nobody takes messages out of the mailbox: what concerns us is taken out here. */
  #suspend(): "ok" {
    const process = this.#process;
    this.suspended = process.busy = true;
    const next = () => process.takeOut((one) => one instanceof SystemMessage) as SystemMessage | undefined;
    for (let one = next(); one; one = next()) this.#soon(one);
    const order = process.parent && process.takeExit(process.parent.pid);
    if (order !== undefined) process.systemTerminate(order);
    return "ok";
  }

  #soon(message: SystemMessage): void {
    queueMicrotask(() => {
      if (!this.#process.alive) return;
      if (this.suspended) this.passes(message);
      else this.#process.enqueue(message);
    });
  }

  #watch(name: string, argument: any, fn: any): unknown {
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
        throw new Error(`no system message "${name}"`);
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
      log: [...(this.#log ?? [])],
      ...this.#process.systemStatus,
    };
  }

  #setLog(what: boolean | number | "get"): unknown {
    if (what === "get") return [...(this.#log ?? [])];
    if (what === false) this.#log = undefined;
    else {
      this.#logSize = what === true ? DEFAULT_LOG : what;
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

function ended(call: () => "done" | void): boolean {
  try {
    return call() === "done";
  } catch {
    return true;
  }
}
