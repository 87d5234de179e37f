/** The request of `call` in a mailbox, with everything that can settle it: reply, failure, exit of the process, timeout. */

import { isReadableError } from "../process/error-part.js";
import { ProcessExit, reasonOf } from "../process/exit-reason.js";
import { type DownMessage, MonitorRef, type MonitorTarget } from "../process/links/monitors.js";
import { cancelDeadline, type Deadline, startDeadline } from "../time/deadlines.js";

/** The caller's promise, as `Promise.withResolvers` returns it. */
export interface Resolvers {
  readonly resolve: (value: any) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Request, monitor on the process that must reply, and deadline: one object for all three. Nothing that was parsed
 * can be an instance of it, so only this OS process can make one.
 */
export class CallMessage extends MonitorRef implements Deadline {
  readonly name: string;
  readonly args: readonly unknown[];
  earlier: Deadline | undefined = undefined;
  later: Deadline | undefined = undefined;
  list: Deadline["list"] = undefined;
  due = 0;
  readonly #timeout: number;
  #caller: Resolvers | undefined;

  constructor(
    target: MonitorTarget,
    name: string,
    args: readonly unknown[],
    timeout: number,
    caller: Resolvers,
  ) {
    super(target, undefined);
    this.name = name;
    this.args = args;
    this.#timeout = timeout;
    this.#caller = caller;
    target.attachMonitor(this);
    if (timeout !== Infinity) startDeadline(this, timeout);
  }

  /** Replies; a second or late reply is dropped. */
  reply(value: unknown): void {
    this.#close()?.resolve(value);
  }

  /** Fails the call: the caller's promise rejects. */
  fail(thrown: unknown): void {
    this.#close()?.reject(isReadableError(thrown) ? thrown : new ProcessExit(reasonOf(thrown)));
  }

  override toJSON(): unknown {
    const { name, args } = this;
    return { name, args };
  }

  /** @internal */
  override receiveDown({ pid, reason }: DownMessage): void {
    this.fail(new ProcessExit(reason, `${pid} exited during the call "${this.name}"`));
  }

  /** @internal */
  expire(): void {
    const { pid } = this.target as MonitorTarget;
    this.fail(
      new ProcessExit("timeout", `call "${this.name}" to ${pid} timed out after ${this.#timeout} ms`),
    );
  }

  #close(): Resolvers | undefined {
    const caller = this.#caller;
    if (caller === undefined) return undefined;
    this.#caller = undefined;
    this.target?.detachMonitor(this);
    cancelDeadline(this);
    return caller;
  }
}
