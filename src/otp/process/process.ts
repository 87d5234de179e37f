/**
 * Process: a mailbox, a handler that takes one message at a time, links, monitors, and an exit with a reason.
 * Servers, state machines, supervisors, connections and workers extend it.
 *
 *   send ──▶ mailbox ──scheduler──▶ receive(message) ── may return a promise: the next message waits for it
 *   exit ──▶ receiveExit ── not trapping: the process exits now, whatever it is doing
 *                        └─ trapping: becomes an ExitMessage in the mailbox ("kill" never does)
 *
 * Exit signals act at once and do not queue in the mailbox. A JavaScript function that is running cannot be
 * interrupted: the process is marked as exited, links and monitors are notified, and later effects are ignored.
 */

import { type ExitReason, isNormal, reasonOf } from "./exit-reason.js";
import { notifyExit, reportCrash } from "./links/exit-notification.js";
import { LinkedProcess } from "./links/links.js";
import { Mailbox } from "./mailbox.js";
import { refuseMessage } from "./mailbox-overflow.js";
import { newPid, type Pid } from "./pid.js";
import { addProcess, lookup, removeProcess } from "./process-table.js";
import { unregister } from "./registry.js";
import { type Runnable, schedule } from "./scheduler.js";

export { DownMessage, MonitorRef, onDown } from "./links/monitors.js";
export { processCount } from "./process-table.js";

/** The living process of this OS process with this pid. */
export const processOf = lookup as (pid: Pid) => Process | undefined;

/** `{'EXIT', Pid, Reason}`: an exit signal in the mailbox of a process that traps exits. */
export class ExitMessage {
  readonly exit: Pid;
  readonly reason: ExitReason;
  constructor(from: Pid, reason: ExitReason) {
    this.exit = from;
    this.reason = reason;
  }
}

export abstract class Process extends LinkedProcess implements Runnable {
  declare readonly parent: Process | undefined;
  #mailbox: Mailbox | undefined = undefined;

  /**
   * @param parent the process that starts it; both are linked at once
   * @param pid only where the pid is assigned from outside (a worker is `<n.1>`)
   */
  constructor(parent: Process | undefined, pid: Pid = newPid()) {
    super(parent, pid);
    addProcess(this);
    if (!parent) return;
    if (parent.alive) this.link(parent);
    else this.orphaned();
  }

  /** The parent exited during the start: this process exits as well, after its constructor. */
  private orphaned(): void {
    const parent = this.parent as Process;
    queueMicrotask(() => this.receiveExit(parent.pid, "noproc", true));
  }

  /** The initial call in crash reports: `chat:init/1`. */
  get initialCall(): string {
    return `${this.label}:init/1`;
  }
  /** Fields that this process adds to its crash report. */
  get crashDetails(): Readonly<Record<string, unknown>> | undefined {
    return undefined;
  }
  /** Handles one message. An exception or a rejection is a crash. */
  protected abstract receive(message: unknown): void | Promise<void>;
  /** Cleans up after every exit, `kill` included. Must not throw. */
  protected ended(_reason: ExitReason): void {}

  // -- messages ---------------------------------------------------------------------------------------

  /** Bound of the mailbox: more messages are refused. Signals are not bounded. */
  get maxMessages(): number {
    return Infinity;
  }

  /** Adds a message to the mailbox; no effect after the exit. */
  deliver(message: unknown): void {
    if (!this.alive) return;
    const mailbox = (this.#mailbox ??= new Mailbox(this.maxMessages));
    if (mailbox.length >= mailbox.limit) {
      this.messageRefused();
      return refuseMessage(this, mailbox, message);
    }
    mailbox.push(message);
    if (!this.busy) schedule(this);
  }

  /** A message came to a full mailbox. */
  protected messageRefused(): void {}

  /** @internal As `deliver`, without the bound: exit and down messages, timeouts, system messages. */
  enqueue(message: unknown): void {
    if (!this.alive) return;
    (this.#mailbox ??= new Mailbox(this.maxMessages)).push(message);
    if (!this.busy) schedule(this);
  }

  /** Sets the mailbox bound of this process alone. */
  limitMailbox(messages: number): void {
    (this.#mailbox ??= new Mailbox()).limit = messages;
  }

  get messageQueueLength(): number {
    return this.#mailbox?.length ?? 0;
  }

  /** Number of messages refused because the mailbox was full. */
  get refusedMessages(): number {
    return this.#mailbox?.refused ?? 0;
  }
  get runnable(): boolean {
    return this.alive && !this.busy && this.messageQueueLength > 0;
  }

  run(budget: number): number {
    const mailbox = this.#mailbox;
    let done = 0;
    while (mailbox && done < budget && this.alive && !this.busy && mailbox.length > 0) {
      done++;
      const message = mailbox.shift();
      if (this.sys === undefined || this.sys.filter(message)) this.receiveGuarded(message);
    }
    return done;
  }

  /** @internal Selective receive: removes and returns the first message that matches. */
  selectiveReceive(matches: (message: unknown) => boolean): unknown {
    return this.#mailbox?.take(matches);
  }

  /** Removes the exit message of a linked process from the mailbox. */
  takeExit(from: Pid): ExitReason | undefined {
    const message = this.selectiveReceive((one) => one instanceof ExitMessage && one.exit === from);
    return (message as ExitMessage | undefined)?.reason;
  }

  private receiveGuarded(message: unknown): void {
    try {
      const pending = this.receive(message);
      if (pending !== undefined) this.awaitHandler(pending);
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  /** Blocks the mailbox until the promise of a handler has settled; its rejection is a crash. */
  protected awaitHandler(pending: Promise<unknown>): void {
    this.busy = true;
    pending.then(
      () => this.unblock(),
      (thrown) => this.crash(reasonOf(thrown)),
    );
  }

  /** Continues with the mailbox. */
  protected unblock(): void {
    this.busy = false;
    if (this.runnable) schedule(this);
  }

  /** @internal Ends a suspension (`sys.resume`). */
  resume(): void {
    this.unblock();
  }

  /** @internal Stops in good order: `sys.stopProcess`, or the exit of its parent while suspended. */
  systemTerminate(reason: ExitReason): void {
    this.exitWith(reason);
  }

  // -- exit -------------------------------------------------------------------------------------------

  /**
   * Handles an exit signal.
   * @param byLink whether it was sent by the exit of a linked process: then `kill` is a reason like any other
   */
  receiveExit(from: Pid, reason: ExitReason, byLink = false): void {
    if (!this.alive) return;
    if (reason === "kill" && !byLink) return this.killed();
    if (this.trapExit && this.sys?.suspended && from === this.parent?.pid)
      return this.systemTerminate(reason);
    if (this.trapExit) return this.enqueue(new ExitMessage(from, reason));
    if (reason === "normal" && from !== this.pid) return;
    this.die(reason);
  }

  /** Handles `kill`: exits with reason `killed`. A process that represents something outside may take its time. */
  protected killed(): void {
    this.die("killed");
  }

  /** Exits by its own decision: with a crash report unless the reason is normal. */
  protected exitWith(reason: ExitReason): void {
    if (!this.alive) return;
    if (!isNormal(reason)) reportCrash(this, reason);
    this.die(reason);
  }

  /** A handler threw. Behaviours with a `terminate` run it first. */
  protected crash(reason: ExitReason): void {
    this.exitWith(reason);
  }

  /** The exit itself: leaves the process table and the registry, then notifies links and monitors. Acts once. */
  protected die(reason: ExitReason): void {
    if (!this.alive) return;
    this.alive = false;
    removeProcess(this);
    if (this.registeredName !== undefined) unregister(this.registeredName);
    this.#mailbox = undefined;
    this.ended(reason);
    notifyExit(this, reason);
  }
}
