/**
 * OTP child around a worker of node:cluster. Its pid is `<n.1>`; its start ends when the worker accepts; `shutdown`
 * drains the worker, `kill` is SIGKILL; the exit event becomes an exit reason (`worker-exit.ts`). It ends only with its
 * OS process.
 */
import cluster, { type Worker } from "node:cluster";
import { type ExitReason, ProcessExit } from "../../../otp/process/exit-reason.js";
import { Pid } from "../../../otp/process/pid.js";
import { ExitMessage, Process } from "../../../otp/process/process.js";
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import { unblockStandardSockets } from "../../../telemetry/log/sink.js";
import type { Boot } from "../../channel/boot-message.js";
import type { Quota } from "../../channel/limit-terms.js";
import type { Served, SignalEnvelope, ToPrimary, ToWorker } from "../../channel/messages.js";
import type { WorkerRequest } from "../../channel/requests.js";
import { osProcessInfo } from "../../os-process-info.js";
import { guardReads, MAX_MESSAGE } from "./channel-reads.js";
import { guardInternalMessages } from "./internal-messages.js";
import { PendingStart } from "./pending-start.js";
import { WorkerChannel } from "./worker-channel.js";
import { WorkerExit } from "./worker-exit.js";

/** Handlers of what a worker sends, and what it is sent. */
export interface WorkerOwner {
  /** The listening socket of this listener; `undefined` when there is none. */
  handle(listener: string): unknown;
  onState(worker: WorkerProcess, state: WorkerState): void;
  onReport(worker: WorkerProcess, report: WorkerReport): void;
  /** The worker exits as soon as it can. */
  onExiting(worker: WorkerProcess): void;
  /** A signal for a process of this worker was dropped: the worker does not read. */
  onDropped(worker: WorkerProcess): void;
  /** The worker was killed because it cannot do what it was asked to. */
  onKilled(worker: WorkerProcess, why: string): void;
  /** Why a worker that has ended was out of memory; `undefined`: it was not, or that cannot be known. */
  outOfMemory(worker: WorkerProcess, signal: string | null): string | undefined;
  /** Code in the worker has sent one of node's internal messages, which was dropped. Called once. */
  onInternalMessage(worker: WorkerProcess, error: unknown): void;
  /** The primary cannot deserialize what the worker has sent, which was dropped. Called once. */
  onUnreadable(worker: WorkerProcess, error: unknown): void;
}

/** Messages of a worker that are not of its start or its end. */
export type WorkerReport = Exclude<
  ToPrimary,
  { t: "hello" | "acquire" | "ready" | "failed" | "exiting" | "reply" }
>;

export type WorkerState = "starting" | "running" | "stopping" | "down";

/** Messages to a worker that need no answer. */
type Notice = Extract<
  ToWorker,
  { t: "reopen" | "follow" | "untrace" | "log" | "tls" | "exchange" | "bans" | "end-address" | "addresses" }
>;

/** Milliseconds in which a worker must accept, or it is killed and its start has failed. */
const START_DEADLINE = 20_000;
/**
 * Copies of sockets that may wait for a worker, which asks for them again: a request costs it nothing, a copy that waits
 * 1.5 KB, and one that does not read could ask without end.
 */
const MAX_HANDLES = 100;
/** Milliseconds for a worker that is asked to stop during its start: it has no clients, but may just have accepted one. */
const START_GRACE = 300;
/** Milliseconds that exit handlers of packages may take, such as one that flushes a log. */
const EXIT_HANDLERS = 1_000;

export class WorkerProcess extends Process {
  readonly slot: number;
  readonly startedAt = clock.now();
  state: WorkerState = "starting";
  /** Address and transport of each listener, once the worker accepts. */
  serving: readonly Served[] | undefined = undefined;
  /** Set by the watchdog, cleared by the next message. */
  unresponsive = false;
  /** Whether a debugger is attached. */
  debugged = false;
  readonly #owner: WorkerOwner;
  readonly #boot: () => Boot;
  readonly #os: Worker;
  readonly #channel: WorkerChannel;
  /** Runs once it was asked to stop during its start. */
  #startGrace: TimerRef = undefined;
  /** Runs once the worker has said that it exits. */
  #exitDeadline: TimerRef = undefined;
  readonly #start = new PendingStart();
  readonly #exit = new WorkerExit();

  /**
   * @param boot called when the worker has said `hello`
   * @throws ProcessExit `not_spawned`, for want of memory; other errors come later
   */
  constructor(
    slot: number,
    boot: () => Boot,
    owner: WorkerOwner,
    parent: Process | undefined,
    // Before the process exists: an exception after that would leave it behind.
    os: Worker = forkWorker(),
  ) {
    super(parent, new Pid(slot, 1));
    this.slot = slot;
    this.trapExit = true;
    this.#owner = owner;
    this.#boot = boot;
    this.#os = os;
    guardInternalMessages(this.#os.process, (error) => owner.onInternalMessage(this, error));
    guardReads(
      this.#os.process,
      (error) => owner.onUnreadable(this, error),
      () => this.#messageTooLarge(),
    );
    unblockStandardSockets();
    this.#channel = new WorkerChannel(
      this.#os,
      (message) => this.#received(message),
      () => owner.onDropped(this),
    );
    this.#os.on("error", (error: NodeJS.ErrnoException) => this.#forkFailed(error));
    this.#os.on("exit", (code, signal) =>
      this.#channel.afterLastMessage(() => {
        this.#end(this.#exit.reason(code, signal, () => owner.outOfMemory(this, signal)));
      }),
    );
    owner.onState(this, "starting");
  }

  get label(): string {
    return `worker ${this.slot}`;
  }

  get osPid(): number {
    return this.#os.process.pid ?? 0;
  }

  get uptimeMs(): number {
    return clock.now() - this.startedAt;
  }

  /** The state as shown to users. */
  get condition(): WorkerState | "unresponsive" {
    return this.unresponsive && this.state === "running" ? "unresponsive" : this.state;
  }

  /**
   * Resolves when the worker accepts connections.
   * @throws ProcessExit with the worker's own message, its exit reason, or `start_timeout`
   */
  init(): Promise<void> {
    return this.#start.wait(this, START_DEADLINE, () => this.debugged);
  }

  /** Starts to drain before the supervisor comes to this child, so that all workers drain at once. */
  drain(): void {
    if (this.#exit.asked) return;
    this.#exit.asked = "shutdown";
    const starting = this.state === "starting";
    this.#become("stopping");
    this.#channel.post({ t: "stop" });
    if (osProcessInfo(this.osPid)?.state === "T") {
      this.#owner.onKilled(this, "it is stopped (SIGSTOP) and cannot drain");
      this.#kill();
    } else if (starting) {
      this.#startGrace = clock.setTimeout(() => this.#kill(), START_GRACE);
    }
  }

  // -- the channel --------------------------------------------------------------------------------------

  notify(message: Notice): void {
    this.#channel.post(message);
  }

  /** Passes on a signal for a process of this worker. */
  signal(signal: SignalEnvelope): void {
    this.#channel.signal(signal);
  }

  askLoad(listener: string): void {
    this.#channel.post({ t: "load", d: listener });
  }

  setQuota(listener: string, quota: Quota): void {
    this.#channel.post({ t: "quota", d: { ...quota, listener } });
  }

  /** The worker's reply; `undefined` when there is none within a second, or `timeoutMs`. */
  request(request: WorkerRequest, timeoutMs?: number): Promise<unknown> {
    return this.#channel.request(request, timeoutMs);
  }

  /** Milliseconds since the worker's last message. */
  get silentMs(): number {
    return this.#channel.silentMs;
  }

  /** Takes the primary's own lag off `silentMs`. */
  discountLag(ms: number): void {
    this.#channel.discount(ms);
  }

  #received(message: Exclude<ToPrimary, { t: "reply" }>): void {
    if (!this.alive) return;
    this.unresponsive = false;
    switch (message.t) {
      case "hello":
        return this.#channel.post(this.#exit.asked ? { t: "stop" } : { t: "boot", d: this.#boot() });
      case "acquire":
        return this.#sendSocket(message.d);
      case "ready":
        this.serving = message.d;
        if (this.state === "starting") this.#become("running");
        clock.clearTimeout(this.#startGrace);
        return this.#start.ready();
      case "failed":
        this.#exit.failure = message.d;
        return;
      case "exiting":
        // A worker with a debugger waits for it to detach.
        this.#owner.onExiting(this);
        return this.#exitWithin(message.d.code);
      default:
        return this.#owner.onReport(this, message);
    }
  }

  #sendSocket(listener: string): void {
    const handle = this.#owner.handle(listener);
    if (handle !== undefined && this.#channel.waitingHandles < MAX_HANDLES)
      this.#channel.post({ t: "handle", d: listener }, handle);
  }

  #become(state: WorkerState): void {
    this.state = state;
    this.#owner.onState(this, state);
  }

  // -- the end ------------------------------------------------------------------------------------------

  /** Kills a worker whose event loop is blocked: it cannot drain. */
  killUnresponsive(silentMs: number): void {
    this.#exit.killedAfterMs ??= Math.round(silentMs);
    this.killed();
  }

  protected receive(message: unknown): void {
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) this.drain();
  }

  protected override killed(): void {
    this.#exit.asked = "killed";
    this.#kill();
  }

  #kill(): void {
    this.#os.process.kill("SIGKILL");
  }

  /** Handles `error` events. With an OS pid only the channel has broken: its exit event follows. */
  #forkFailed({ code = "unknown" }: NodeJS.ErrnoException): void {
    if (this.#os.process.pid === undefined && this.alive) this.#end({ not_spawned: code });
  }

  #messageTooLarge(): void {
    if (this.#exit.asked === "killed") return;
    this.#owner.onKilled(
      this,
      `code in it has sent more than ${MAX_MESSAGE / 1024 / 1024} MiB in one message`,
    );
    this.killed();
  }

  #exitWithin(code: number): void {
    this.#exitDeadline ??= clock.setTimeout(() => {
      this.#exit.overdueCode = code;
      this.#owner.onKilled(this, `its exit handlers took longer than ${EXIT_HANDLERS} ms`);
      this.#kill();
    }, EXIT_HANDLERS);
  }

  #end(reason: ExitReason): void {
    clock.clearTimeout(this.#exitDeadline);
    clock.clearTimeout(this.#startGrace);
    this.#channel.end();
    this.#become("down");
    this.#start.failed(this.#exit.startError(reason));
    this.die(reason);
  }
}

/** Node throws some errors of a fork (ENOMEM), and emits others (EAGAIN, EMFILE). */
function forkWorker(): Worker {
  try {
    return cluster.fork();
  } catch (error) {
    throw new ProcessExit({ not_spawned: (error as NodeJS.ErrnoException).code ?? "unknown" });
  }
}
