/**
 * Asking a process and waiting for its answer: the request that `call` puts into a mailbox, and everything
 * that can become of it (an answer, a failure, the other's end, no answer in time).
 */

import { ProcessExit, reasonOf } from "../process/exit-reason.js";
import { type DownMessage, MonitorRef } from "../process/monitors.js";
import type { Pid } from "../process/pid.js";
import type { Process } from "../process/process.js";
import { processOf } from "../process/process-table.js";
import { whereis } from "../process/registry.js";
import { type Deadline, expect, withdraw } from "../time/deadlines.js";
import type { Duration } from "../time/duration.js";
import { toMs } from "../time/duration.js";

/** How long a call waits unless it says otherwise, as `gen_server:call/2`. */
export const CALL_TIMEOUT = 5_000;

/** Who waits: the two ends of a promise. */
export interface Settle {
  readonly resolve: (value: any) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A request in a mailbox, and at the same time the watch on the process that is to answer it and the time it
 * has for that: one object for all three. Only this OS process can make one: nothing that was parsed is an
 * instance of it.
 */
export class CallMessage extends MonitorRef implements Deadline {
  readonly name: string;
  readonly args: readonly unknown[];
  earlier: Deadline | undefined = undefined;
  later: Deadline | undefined = undefined;
  list: Deadline["list"] = undefined;
  due = 0;
  readonly #timeout: number;
  #settle: Settle | undefined;

  constructor(target: Process, name: string, args: readonly unknown[], timeout: number, settle: Settle) {
    super(target, undefined);
    this.name = name;
    this.args = args;
    this.#timeout = timeout;
    this.#settle = settle;
    target.addWatcher(this);
    if (timeout !== Infinity) expect(this, timeout);
  }

  /** Answers; a second answer, or one that comes too late, is dropped. */
  reply(value: unknown): void {
    this.#close()?.resolve(value);
  }

  /** Answers with a failure: the caller's `call` rejects. */
  fail(thrown: unknown): void {
    this.#close()?.reject(thrown instanceof Error ? thrown : new ProcessExit(reasonOf(thrown)));
  }

  override toJSON(): unknown {
    const { name, args } = this;
    return { name, args };
  }

  /** @internal */
  override tell({ pid, reason }: DownMessage): void {
    this.fail(new ProcessExit(reason, `${pid} ended during the call "${this.name}"`));
  }

  /** @internal */
  expire(): void {
    const { pid } = this.target as Process;
    this.fail(new ProcessExit("timeout", `no answer to "${this.name}" from ${pid} in ${this.#timeout} ms`));
  }

  #close(): Settle | undefined {
    const settle = this.#settle;
    if (settle === undefined) return undefined;
    this.#settle = undefined;
    this.target?.dropWatcher(this);
    withdraw(this);
    return settle;
  }
}

type Timeout = Duration | typeof Infinity;

/**
 * Puts a request into a mailbox and waits for the answer.
 * @throws ProcessExit with reason `noproc` (nobody there), `timeout`, `mailbox_full`, or the reason for which
 *   the other ended
 */
export function request(
  to: Pid | string,
  name: string,
  args: readonly unknown[],
  timeout: Timeout = CALL_TIMEOUT,
): Promise<unknown> {
  return ask(to, name, timeout, (process, ms, settle) =>
    process.deliver(new CallMessage(process, name, args, ms, settle)),
  );
}

/** @internal As `request`, by a message of the caller's making. */
export function ask(
  to: Pid | string,
  name: string,
  timeout: Timeout,
  put: (process: Process, timeout: number, settle: Settle) => void,
): Promise<unknown> {
  const pid = typeof to === "string" ? whereis(to) : to;
  const process = pid && processOf(pid);
  if (!process)
    return Promise.reject(
      new ProcessExit("noproc", `no process ${pid ?? `named "${to}"`} here to answer "${name}"`),
    );
  return new Promise((resolve, reject) => {
    put(process, timeout === Infinity ? Infinity : toMs(timeout), { resolve, reject });
  });
}
