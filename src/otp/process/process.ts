/**
 * A process: a mailbox, a behaviour that handles one message at a time, links, monitors, and an end with
 * a reason. Everything else (servers, state machines, supervisors, connections, workers) extends it.
 *
 *   send ──▶ mailbox ──scheduler──▶ receive(message) ── may return a promise: the next message waits for it
 *   exit ──▶ receiveExit ── not trapping: the process ends now, whatever it is doing
 *                        └─ trapping: becomes an ExitMessage in the mailbox ("kill" never does)
 *
 * Signals act at once and never stand in the mailbox's line. A JavaScript function that is running cannot be
 * interrupted: the end is marked, links and monitors are told, and what the function does later is ignored.
 */
import { reportCrash, tellEnd } from "./exit-notification.js";
import { type ExitReason, isNormal, reasonOf } from "./exit-reason.js";
import { Linked } from "./links.js";
import { Mailbox } from "./mailbox.js";
import { refuse } from "./mailbox-overflow.js";
import { newPid, type Pid } from "./pid.js";
import { enter, leave } from "./process-table.js";
import { unregister } from "./registry.js";
import { type Runnable, schedule } from "./scheduler.js";

export { DownMessage, MonitorRef, onDown } from "./monitors.js";
export { processCount, processOf } from "./process-table.js";

/** `{'EXIT', Pid, Reason}`: what a trapping process finds in its mailbox. */
export class ExitMessage {
  readonly exit: Pid;
  readonly reason: ExitReason;
  constructor(from: Pid, reason: ExitReason) {
    this.exit = from;
    this.reason = reason;
  }
}

export abstract class Process extends Linked implements Runnable {
  #mailbox: Mailbox | undefined = undefined;

  /**
   * @param parent the process that starts it, linked to it from the first moment
   * @param pid only where the address is given from outside (a worker is `<n.1>`)
   */
  constructor(parent: Process | undefined, pid: Pid = newPid()) {
    super(parent, pid);
    enter(this);
    if (!parent) return;
    if (parent.alive) this.link(parent);
    else this.orphaned();
  }

  /** The parent ended while this process was being made: it ends as well, once its constructor is through. */
  private orphaned(): void {
    const parent = this.parent as Process;
    queueMicrotask(() => this.receiveExit(parent.pid, "noproc", true));
  }

  /** The function it began with, for crash reports: `chat:init/1`. */
  get initialCall(): string {
    return `${this.label}:init/1`;
  }
  /** Handles one message. A throw or a rejection is a crash. */
  protected abstract receive(message: unknown): void | Promise<void>;
  /** The last thing that happens, on every way out, kill included. Must not throw. */
  protected ended(_reason: ExitReason): void {}

  // -- messages ---------------------------------------------------------------------------------------

  /** How many messages may wait; what comes on top of them is refused. Signals always get in. */
  get maxMessages(): number {
    return Infinity;
  }

  /** Puts a message into the mailbox; nothing happens when the process has ended. */
  deliver(message: unknown): void {
    if (!this.alive) return;
    const mailbox = (this.#mailbox ??= new Mailbox(this.maxMessages));
    if (mailbox.length >= mailbox.limit) return refuse(this, mailbox, message);
    mailbox.push(message);
    if (!this.busy) schedule(this);
  }

  /** @internal As `deliver`, for what must not be lost: exits, ends of others, timeouts, system messages. */
  enqueue(message: unknown): void {
    if (!this.alive) return;
    (this.#mailbox ??= new Mailbox(this.maxMessages)).push(message);
    if (!this.busy) schedule(this);
  }

  /** Sets the bound of this process alone. */
  limitMailbox(messages: number): void {
    (this.#mailbox ??= new Mailbox()).limit = messages;
  }

  get messageQueueLength(): number {
    return this.#mailbox?.length ?? 0;
  }

  /** Messages that were refused because the mailbox was full. */
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
      if (this.sys === undefined || this.sys.passes(message)) this.guard(message);
    }
    return done;
  }

  /** @internal Takes the first message that fits out of the mailbox, wherever it stands. */
  takeOut(fits: (message: unknown) => boolean): unknown {
    return this.#mailbox?.take(fits);
  }

  /** Takes a linked process's exit out of the mailbox. */
  takeExit(from: Pid): ExitReason | undefined {
    const message = this.takeOut((one) => one instanceof ExitMessage && one.exit === from);
    return (message as ExitMessage | undefined)?.reason;
  }

  private guard(message: unknown): void {
    try {
      const waiting = this.receive(message);
      if (waiting !== undefined) this.hold(waiting);
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  /** Lets the mailbox wait until a promise has settled; its rejection is a crash. */
  protected hold(waiting: Promise<unknown>): void {
    this.busy = true;
    waiting.then(
      () => this.release(),
      (thrown) => this.crash(reasonOf(thrown)),
    );
  }

  /** Goes on with the mailbox. */
  protected release(): void {
    this.busy = false;
    if (this.runnable) schedule(this);
  }

  /** @internal The opposite of being suspended. */
  resume(): void {
    this.release();
  }

  /** @internal Somebody asks it to end (`stopProcess`). */
  systemTerminate(reason: ExitReason): void {
    this.exitWith(reason);
  }

  // -- the end ----------------------------------------------------------------------------------------

  /**
   * Takes an exit signal.
   * @param byLink whether it came because a linked process ended: then `kill` is a reason like any other
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

  /** What `kill` does: ends, and others see `killed`. A process that stands for something outside may take its time. */
  protected killed(): void {
    this.die("killed");
  }

  /** Ends by its own decision: with a crash report unless the reason is a normal one. */
  protected exitWith(reason: ExitReason): void {
    if (!this.alive) return;
    if (!isNormal(reason)) reportCrash(this, reason);
    this.die(reason);
  }

  /** A handler threw. Behaviours that clean up do so here first. */
  protected crash(reason: ExitReason): void {
    this.exitWith(reason);
  }

  /** The end itself: names, links and monitors, each once. */
  protected die(reason: ExitReason): void {
    if (!this.alive) return;
    this.alive = false;
    leave(this);
    if (this.registeredName !== undefined) unregister(this.registeredName);
    this.#mailbox = undefined;
    this.ended(reason);
    tellEnd(this, reason);
  }
}
