/**
 * Process of a server: dispatches each message to its handler, replies to calls, and runs `terminate` before the exit.
 *
 *   call ─▶ calls[name] ─▶ reply ┐
 *   cast ─▶ casts[name] ─────────┼─▶ self.stop was called ─▶ terminate ─▶ exit
 *   else ─▶ info ────────────────┘   a handler threw ──────▶ terminate ─▶ exit, with a crash report
 */

import { type ExitReason, ProcessExit, reasonOf } from "../process/exit-reason.js";
import { rejectOnDown } from "../process/links/monitors.js";
import { ExitMessage, Process } from "../process/process.js";
import { clock, type TimerRef } from "../time/clock.js";
import { type Duration, toMs } from "../time/duration.js";
import { CallMessage } from "./call-message.js";
import { NoReply } from "./noreply.js";
import type { GenServer, Self } from "./types.js";

/** A cast in a mailbox. As with `CallMessage`, nothing that was parsed can be an instance of it. */
export class CastMessage {
  readonly name: string;
  readonly args: readonly unknown[];
  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.args = args;
  }
}

/** The timeout of `self.timeoutAfter`; cancelled by any message. */
class IdleTimeout {
  active = true;
  ref: TimerRef = undefined;
}

type AnyServer = GenServer<any, any, Record<string, any>, Record<string, any>>;

export class ServerProcess extends Process implements Self<any> {
  behaviour: AnyServer;
  state: any = undefined;
  #stopReason: ExitReason | undefined = undefined;
  #continueRequests: unknown[] | undefined = undefined;
  /** The call that is being handled. */
  #from: CallMessage | undefined = undefined;
  #timeout: IdleTimeout | undefined = undefined;

  constructor(behaviour: AnyServer, parent: Process | undefined) {
    super(parent);
    this.behaviour = behaviour;
    this.trapExit = behaviour.trapExit ?? false;
  }

  get label(): string {
    return this.behaviour.name;
  }

  get from(): CallMessage {
    if (this.#from !== undefined) return this.#from;
    throw new TypeError(
      `${this.label}: self.from is the caller of a call, and only while "calls" handles it`,
    );
  }

  replyTo(from: CallMessage, value: unknown): void {
    if (!(from instanceof CallMessage)) throw new TypeError(`${this.label}: replyTo needs a kept self.from`);
    this.#reply(from, value);
  }

  stop(reason: ExitReason = "normal"): void {
    this.#stopReason ??= reason;
  }

  continueWith(content: unknown): void {
    (this.#continueRequests ??= []).push(content);
  }

  timeoutAfter(after: Duration): void {
    this.#cancelTimeout();
    const idle = new IdleTimeout();
    const ms = toMs(after);
    this.#timeout = idle;
    if (ms === 0) this.enqueue(idle);
    else idle.ref = clock.setTimeout(() => this.enqueue(idle), ms);
  }

  #cancelTimeout(): void {
    if (this.#timeout === undefined) return;
    this.#timeout.active = false;
    if (this.#timeout.ref !== undefined) clock.clearTimeout(this.#timeout.ref);
    this.#timeout = undefined;
  }

  /**
   * Runs the behaviour's `init`. Meanwhile exit signals act and messages wait.
   * @returns false when it returned `ignore`: the process has exited
   * @throws ProcessExit with the reason of a failed `init` or of an exit meanwhile
   */
  async init(args: unknown): Promise<boolean> {
    this.busy = true;
    try {
      const made = this.behaviour.init(args, this);
      // Raced with the exit: a server that is killed while its `init` hangs must not block its supervisor.
      this.state = made instanceof Promise ? await rejectOnDown(this.pid, made) : made;
      if (this.#stopReason !== undefined) throw this.#stopReason;
      if (!this.alive) throw "noproc";
    } catch (thrown) {
      const reason = reasonOf(thrown);
      this.exitWith(reason);
      throw new ProcessExit(reason);
    }
    if (this.state === "ignore") this.die("normal");
    else this.#runContinue();
    return this.state !== "ignore";
  }

  /** Runs the `continue` that `init` requested, before any message. */
  #runContinue(): void {
    try {
      const pending = this.#afterHandler();
      if (pending) return this.awaitHandler(pending);
    } catch (thrown) {
      return this.crash(reasonOf(thrown));
    }
    this.unblock();
  }

  protected receive(message: unknown): void | Promise<void> {
    if (this.#timeout !== undefined && !(message instanceof IdleTimeout)) this.#cancelTimeout();
    if (message instanceof CallMessage) return this.#call(message);
    const done = this.#castOrInfo(message);
    if (done instanceof Promise) return done.then(() => this.#afterHandler());
    return this.#afterHandler();
  }

  #castOrInfo(message: unknown): unknown {
    if (message instanceof CastMessage) {
      const handler = Object.hasOwn(this.behaviour.casts, message.name) && this.behaviour.casts[message.name];
      if (!handler) throw new Error(`${this.label} has no cast "${message.name}"`);
      return handler(this, ...message.args);
    }
    // OTP's rule: the exit of the parent stops a server that traps exits; `info` never gets it.
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) {
      this.stop(message.reason);
      return;
    }
    if (message instanceof IdleTimeout) return this.#timedOut(message);
    return this.behaviour.info?.(this, message);
  }

  #call(message: CallMessage): void | Promise<void> {
    const handler = Object.hasOwn(this.behaviour.calls, message.name) && this.behaviour.calls[message.name];
    if (!handler) {
      message.fail(new Error(`${this.label} has no call "${message.name}"`));
      return;
    }
    this.#from = message;
    const reply = handler(this, ...message.args);
    if (reply instanceof Promise) {
      return reply.then((value) => {
        this.#replyNow(message, value);
        return this.#afterHandler();
      });
    }
    this.#replyNow(message, reply);
    return this.#afterHandler();
  }

  #replyNow(message: CallMessage, value: unknown): void {
    this.#from = undefined;
    if (!(value instanceof NoReply)) this.#reply(message, value);
  }

  #reply(message: CallMessage, value: unknown): void {
    message.reply(value);
    this.sys?.replied(value);
  }

  #afterHandler(): void | Promise<void> {
    if (this.#stopReason !== undefined && this.alive) return this.#terminate(this.#stopReason);
    if (this.#continueRequests !== undefined && this.alive) return this.#continue(this.#continueRequests);
  }

  #continue(requests: unknown[]): void | Promise<void> {
    const content = requests.shift();
    if (requests.length === 0) this.#continueRequests = undefined;
    if (!this.behaviour.continue) throw new Error(`${this.label} has no "continue"`);
    const done = this.behaviour.continue(this, content);
    return done instanceof Promise ? done.then(() => this.#afterHandler()) : this.#afterHandler();
  }

  #timedOut(idle: IdleTimeout): unknown {
    if (!idle.active) return undefined;
    this.#timeout = undefined;
    return this.behaviour.timeout?.(this);
  }

  // -- sys ---------------------------------------------------------------------------------------------

  override get maxMessages(): number {
    return this.behaviour.maxMessages ?? Infinity;
  }

  override get systemState(): unknown {
    return this.state;
  }

  override get systemStatus(): Record<string, unknown> {
    try {
      return { state: this.behaviour.formatStatus?.(this.state) ?? this.state };
    } catch {
      // As in OTP: the rest of the status is still useful, and the raw state may contain what must not be shown.
      return { state: `${this.label}:formatStatus crashed` };
    }
  }

  override replaceSystemState(next: unknown): void {
    this.state = next;
  }

  override changeCode(behaviour: AnyServer, extra: unknown): void {
    this.state = behaviour.codeChange?.(this.state, extra) ?? this.state;
    this.behaviour = behaviour;
  }

  override systemTerminate(reason: ExitReason): void {
    void this.#terminate(reason);
  }

  // -- exit ---------------------------------------------------------------------------------------------

  async #terminate(reason: ExitReason): Promise<void> {
    this.busy = true;
    this.#cancelTimeout();
    try {
      await this.behaviour.terminate?.(this, reason);
    } catch (thrown) {
      return this.exitWith(reasonOf(thrown));
    }
    this.exitWith(reason);
  }

  protected override ended(): void {
    this.#cancelTimeout();
  }

  protected override crash(reason: ExitReason): void {
    if (this.alive) void this.#terminate(reason);
  }
}
