/**
 * The process of a server: finds the handler for each message, answers calls, and cleans up at the end.
 *
 *   call ─▶ calls[name] ─▶ reply ┐
 *   cast ─▶ casts[name] ─────────┼─▶ stop was said? ── yes ─▶ terminate ─▶ the end
 *   else ─▶ info ────────────────┘   a handler threw ───────▶ terminate ─▶ the end, with a crash report
 */

import { type ExitReason, ProcessExit, reasonOf } from "../process/exit-reason.js";
import { beforeDown } from "../process/monitors.js";
import { ExitMessage, Process } from "../process/process.js";
import { clock, type TimerRef } from "../time/clock.js";
import { type Duration, toMs } from "../time/duration.js";
import { CallMessage } from "./call.js";
import type { GenServer, Self } from "./gen-server.js";

/** A cast in a mailbox. As a request, nothing that was parsed is an instance of it. */
export class CastMessage {
  readonly name: string;
  readonly args: readonly unknown[];
  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.args = args;
  }
}

/** The time of `self.timeoutAfter` is over, unless a message came before. */
class IdleTimeout {
  open = true;
  ref: TimerRef = undefined;
}

type AnyServer = GenServer<any, any, Record<string, any>, Record<string, any>>;

export class ServerProcess extends Process implements Self<any> {
  behaviour: AnyServer;
  state: any = undefined;
  #stopping: ExitReason | undefined = undefined;
  #continues: unknown[] | undefined = undefined;
  #idle: IdleTimeout | undefined = undefined;

  constructor(behaviour: AnyServer, parent: Process | undefined) {
    super(parent);
    this.behaviour = behaviour;
    this.trapExit = behaviour.trapExit ?? false;
  }

  get label(): string {
    return this.behaviour.name;
  }

  stop(reason: ExitReason = "normal"): void {
    this.#stopping ??= reason;
  }

  continueWith(content: unknown): void {
    (this.#continues ??= []).push(content);
  }

  timeoutAfter(after: Duration): void {
    this.#cancelIdle();
    const idle = new IdleTimeout();
    const ms = toMs(after);
    this.#idle = idle;
    if (ms === 0) this.enqueue(idle);
    else idle.ref = clock.setTimeout(() => this.enqueue(idle), ms);
  }

  #cancelIdle(): void {
    if (this.#idle === undefined) return;
    this.#idle.open = false;
    if (this.#idle.ref !== undefined) clock.clearTimeout(this.#idle.ref);
    this.#idle = undefined;
  }

  /**
   * Runs the behaviour's init. Signals act meanwhile, messages wait.
   * @returns false when it said `ignore`, and the process has ended
   * @throws ProcessExit with the reason for which it failed, or the process ended
   */
  async init(args: unknown): Promise<boolean> {
    this.busy = true;
    try {
      const made = this.behaviour.init(args, this);
      // Raced: a server that is killed while its init hangs must not keep its supervisor waiting.
      this.state = made instanceof Promise ? await beforeDown(this.pid, made) : made;
      if (this.#stopping !== undefined) throw this.#stopping;
      if (!this.alive) throw "noproc";
    } catch (thrown) {
      const reason = reasonOf(thrown);
      this.exitWith(reason);
      throw new ProcessExit(reason);
    }
    if (this.state === "ignore") this.die("normal");
    else this.#begin();
    return this.state !== "ignore";
  }

  /** What init wants to be continued comes before any message. */
  #begin(): void {
    try {
      const waiting = this.#afterwards();
      if (waiting) return this.hold(waiting);
    } catch (thrown) {
      return this.crash(reasonOf(thrown));
    }
    this.release();
  }

  protected receive(message: unknown): void | Promise<void> {
    if (this.#idle !== undefined && !(message instanceof IdleTimeout)) this.#cancelIdle();
    if (message instanceof CallMessage) return this.#call(message);
    const done = this.#other(message);
    if (done instanceof Promise) return done.then(() => this.#afterwards());
    return this.#afterwards();
  }

  #other(message: unknown): unknown {
    if (message instanceof CastMessage) {
      const handler = Object.hasOwn(this.behaviour.casts, message.name) && this.behaviour.casts[message.name];
      if (!handler) throw new Error(`${this.label} has no cast "${message.name}"`);
      return handler(this, ...message.args);
    }
    // OTP's rule: an exit of the parent ends a server that traps exits, it is never an info.
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
    const answer = handler(this, ...message.args);
    if (answer instanceof Promise) {
      return answer.then((value) => {
        this.#answer(message, value);
        return this.#afterwards();
      });
    }
    this.#answer(message, answer);
    return this.#afterwards();
  }

  #answer(message: CallMessage, value: unknown): void {
    message.reply(value);
    this.sys?.sent(value);
  }

  #afterwards(): void | Promise<void> {
    if (this.#stopping !== undefined && this.alive) return this.#terminate(this.#stopping);
    if (this.#continues !== undefined && this.alive) return this.#continue(this.#continues);
  }

  #continue(waiting: unknown[]): void | Promise<void> {
    const content = waiting.shift();
    if (waiting.length === 0) this.#continues = undefined;
    if (!this.behaviour.continue) throw new Error(`${this.label} has no "continue"`);
    const done = this.behaviour.continue(this, content);
    return done instanceof Promise ? done.then(() => this.#afterwards()) : this.#afterwards();
  }

  #timedOut(idle: IdleTimeout): unknown {
    if (!idle.open) return undefined;
    this.#idle = undefined;
    return this.behaviour.timeout?.(this);
  }

  // -- being looked at ----------------------------------------------------------------------------------

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
      // As OTP: the rest of the status is still worth having, and the state may be what is not to be seen.
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

  // -- the end ------------------------------------------------------------------------------------------

  async #terminate(reason: ExitReason): Promise<void> {
    this.busy = true;
    this.#cancelIdle();
    try {
      await this.behaviour.terminate?.(this, reason);
    } catch (thrown) {
      return this.exitWith(reasonOf(thrown));
    }
    this.exitWith(reason);
  }

  protected override ended(): void {
    this.#cancelIdle();
  }

  protected override crash(reason: ExitReason): void {
    if (this.alive) void this.#terminate(reason);
  }
}
