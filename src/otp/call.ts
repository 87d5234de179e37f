/**
 * Asking a process and waiting for its answer: the request that `call` puts into a mailbox, and everything
 * that can become of it (an answer, a failure, the other's end, no answer in time).
 */
import { clock, type TimerRef } from "./clock.js";
import type { Duration } from "./duration.js";
import { toMs } from "./duration.js";
import { ProcessExit, reasonOf } from "./exit.js";
import type { Pid } from "./pid.js";
import { type DownMessage, MonitorRef, type Process, processOf } from "./process.js";
import { whereis } from "./registry.js";

/** How long a call waits unless it says otherwise, as `gen_server:call/2`. */
export const CALL_TIMEOUT = 5_000;

/** A request in a mailbox. Only this OS process can make one: nothing that was parsed is an instance of it. */
export class CallMessage {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly #resolve: (value: any) => void;
  readonly #reject: (error: unknown) => void;
  readonly #monitor: MonitorRef;
  readonly #timer: TimerRef;
  #open = true;

  constructor(
    target: { readonly pid: Pid; addWatcher(ref: MonitorRef): void },
    name: string,
    args: readonly unknown[],
    timeout: number,
    settle: { resolve: (value: any) => void; reject: (error: unknown) => void },
  ) {
    this.name = name;
    this.args = args;
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
    this.#monitor = new MonitorRef(target as MonitorRef["target"], (down: DownMessage) => {
      this.fail(new ProcessExit(down.reason, `${down.pid} ended during the call "${name}"`));
    });
    target.addWatcher(this.#monitor);
    this.#timer =
      timeout === Infinity
        ? undefined
        : clock.setTimeout(
            () =>
              this.fail(
                new ProcessExit("timeout", `no answer to "${name}" from ${target.pid} in ${timeout} ms`),
              ),
            timeout,
          );
  }

  /** Answers; a second answer, or one that comes too late, is dropped. */
  reply(value: unknown): void {
    if (this.#close()) this.#resolve(value);
  }

  /** Answers with a failure: the caller's `call` rejects. */
  fail(thrown: unknown): void {
    if (this.#close()) this.#reject(thrown instanceof Error ? thrown : new ProcessExit(reasonOf(thrown)));
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#monitor.target?.dropWatcher(this.#monitor);
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    return true;
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
  put: (
    process: Process,
    timeout: number,
    settle: { resolve: (value: any) => void; reject: (error: unknown) => void },
  ) => void,
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
