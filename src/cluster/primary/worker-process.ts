/**
 * A worker of node:cluster, dressed as an OTP child of the primary: it has a pid, `<n.1>`, its start is
 * through when it serves, its exit event is an exit reason, `shutdown` asks it to drain, and `kill` is
 * SIGKILL. It is not over before the OS process is gone, so that nothing is ever left behind.
 */
import cluster, { type Worker } from "node:cluster";
import { type ExitReason, ProcessExit } from "../../otp/process/exit-reason.js";
import { Pid } from "../../otp/process/pid.js";
import { ExitMessage, onDown, Process } from "../../otp/process/process.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Level } from "../../telemetry/log/log.js";
import type { Boot, ToPrimary, ToWorker, WorkerRequest } from "../channel/messages.js";
import { Requests } from "../channel/requests.js";
import { isToPrimary } from "../channel/validate.js";

/** What the primary does for its workers. */
export interface WorkerOwner {
  /** The listening socket that workers accept on. */
  readonly handle: unknown;
  onState(worker: WorkerProcess, state: WorkerState): void;
  onSnapshot(worker: WorkerProcess, numbers: Float64Array): void;
  /** How many connections it has at this moment. */
  onLoad(worker: WorkerProcess, load: Extract<ToPrimary, { t: "loaded" }>["d"]): void;
  /** What it shows of itself. */
  onTold(worker: WorkerProcess, message: Extract<ToPrimary, { t: "record" | "trace" }>): void;
  /** A signal that a process of this worker sends to one elsewhere. */
  onSignal(signal: Extract<ToPrimary, { t: "signal" }>["d"]): void;
}

export type WorkerState = "starting" | "running" | "stopping" | "down";

/** A worker that does not serve by then is killed, and its start has failed. */
const START_DEADLINE = 20_000;
/** So long a start lasts that has failed for want of descriptors or memory: the restart budget outlasts the want. */
const SPAWN_PAUSE = 15_000;
/** How long the channel of a worker that has ended is read. */
const CHANNEL_END = 500;

export class WorkerProcess extends Process {
  readonly slot: number;
  readonly startedAt = clock.now();
  state: WorkerState = "starting";
  /** What it said when it was ready. */
  serving: Extract<ToPrimary, { t: "ready" }>["d"] | undefined = undefined;
  readonly #owner: WorkerOwner;
  /** It has been silent for long; said by the watchdog, and until it is heard of again. */
  unresponsive = false;
  readonly #boot: () => Boot;
  readonly #os: Worker;
  /** While there is no OS process. */
  #pause: TimerRef = undefined;
  #heardAt = clock.now();
  #silentMs: number | undefined = undefined;
  #asked: "shutdown" | "killed" | undefined = undefined;
  #failure: { readonly code: number; readonly message: string } | undefined = undefined;
  readonly #requests = new Requests((id, d) => this.#post({ t: "request", id, d }));
  #started: { resolve: () => void; reject: (error: unknown) => void } | undefined = undefined;

  /** @param boot asked when the worker is there to take it */
  constructor(slot: number, boot: () => Boot, owner: WorkerOwner, parent: Process | undefined) {
    super(parent, new Pid(slot, 1));
    this.slot = slot;
    this.trapExit = true;
    this.#owner = owner;
    this.#boot = boot;
    this.#os = cluster.fork();
    this.#os.on("message", (message) => this.#received(message));
    this.#os.on("error", (error: NodeJS.ErrnoException) => this.#notSpawned(error));
    this.#os.on("exit", (code, signal) => this.#afterLastMessage(() => this.#exited(code, signal)));
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

  /** Since it was last heard of. */
  get silentMs(): number {
    return clock.now() - this.#heardAt;
  }

  /** As it is shown. */
  get condition(): WorkerState | "unresponsive" {
    return this.unresponsive && this.state === "running" ? "unresponsive" : this.state;
  }

  /**
   * Resolves when the worker accepts connections.
   * @throws ProcessExit with what the worker said, how it ended, or `start_timeout`
   */
  async init(): Promise<void> {
    const deadline = clock.setTimeout(
      () => this.#started?.reject(new ProcessExit("start_timeout")),
      START_DEADLINE,
    );
    try {
      await new Promise<void>((resolve, reject) => {
        this.#started = { resolve, reject };
      });
    } catch (error) {
      this.receiveExit(this.pid, "kill");
      // Its place may be given to the next, or be no more, as soon as this is known.
      if (this.alive) await new Promise<void>((resolve) => onDown(this.pid, () => resolve()));
      throw error;
    } finally {
      clock.clearTimeout(deadline);
      this.#started = undefined;
    }
  }

  /** Sends a message or an exit signal on to a process of this worker. */
  signal(signal: Extract<ToWorker, { t: "signal" }>["d"]): void {
    this.#post({ t: "signal", d: signal });
  }

  /** Tells the worker what to show of itself. */
  tell(message: Extract<ToWorker, { t: "follow" | "untrace" }>): void {
    this.#post(message);
  }

  askLoad(): void {
    this.#post({ t: "load" });
  }

  setQuota(ceiling: number, mark: number): void {
    this.#post({ t: "ceiling", d: { ceiling, mark } });
  }

  /** Tells the worker to open its log file again. */
  reopenLog(): void {
    this.#post({ t: "reopen" });
  }

  setLogLevel(level: Level): void {
    this.#post({ t: "log", d: level });
  }

  /** For so long nobody here could have heard of it. */
  excuse(ms: number): void {
    this.#heardAt = Math.min(clock.now(), this.#heardAt + ms);
  }

  /** It does not turn its loop: only the kernel can end it. */
  killSilent(silentMs: number): void {
    this.#silentMs ??= Math.round(silentMs);
    this.killed();
  }

  /** Begins to drain now, before the supervisor comes to this child: all workers drain at once. */
  drain(): void {
    if (this.#asked) return;
    this.#asked = "shutdown";
    if (this.#pause) return this.#over("shutdown");
    this.#become("stopping");
    this.#post({ t: "stop" });
  }

  /** Asks the worker something. `undefined` when it does not answer in a second. */
  request(request: WorkerRequest): Promise<unknown> {
    return this.#requests.ask(request);
  }

  // -- the channel --------------------------------------------------------------------------------------

  #post(message: ToWorker, handle?: unknown): void {
    if (!this.#os.isConnected()) return;
    // keepOpen: the primary's own copy of the listening socket stays.
    this.#os.process.send(message, handle as never, { keepOpen: true }, () => {});
  }

  #received(message: unknown): void {
    if (!isToPrimary(message) || !this.alive) return;
    this.#heardAt = clock.now();
    this.unresponsive = false;
    switch (message.t) {
      // Only now does it listen: what is sent to a module that is still loading is lost.
      case "hello":
        return this.#post(this.#asked ? { t: "stop" } : { t: "boot", d: this.#boot() });
      case "acquire":
        return this.#post({ t: "handle", id: message.id }, this.#owner.handle);
      case "ready":
        this.serving = message.d;
        if (this.state === "starting") this.#become("running");
        return this.#started?.resolve();
      case "failed":
        this.#failure = message.d;
        return;
      case "snapshot":
        return this.#owner.onSnapshot(this, message.d);
      case "reply":
        return this.#requests.answered(message.id, message.d);
      case "loaded":
        return this.#owner.onLoad(this, message.d);
      case "record":
      case "trace":
        return this.#owner.onTold(this, message);
      case "signal":
        return this.#owner.onSignal(message.d);
    }
  }

  #become(state: WorkerState): void {
    this.state = state;
    this.#owner.onState(this, state);
  }

  // -- the end ------------------------------------------------------------------------------------------

  protected receive(message: unknown): void {
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) this.drain();
  }

  protected override killed(): void {
    this.#asked = "killed";
    if (this.#pause) this.#over("killed");
    else this.#os.process.kill("SIGKILL");
  }

  /** Nothing was left to start it with. Of a channel that only breaks later, the exit tells the rest. */
  #notSpawned({ code = "unknown" }: NodeJS.ErrnoException): void {
    if (this.#os.process.pid !== undefined) return;
    this.#pause ??= clock.setTimeout(() => this.#over({ not_spawned: code }), SPAWN_PAUSE);
  }

  /** Node may tell of the exit before it has read the channel to its end: the last numbers are in there. */
  #afterLastMessage(then: () => void): void {
    if (!this.#os.isConnected()) return then();
    // Somebody else may hold the channel open.
    const timer = clock.setTimeout(() => this.#os.removeAllListeners("disconnect") && then(), CHANNEL_END);
    this.#os.once("disconnect", () => {
      clock.clearTimeout(timer);
      then();
    });
  }

  #exited(code: number | null, signal: string | null): void {
    this.#over(this.#reason(code, signal));
  }

  #over(reason: ExitReason): void {
    clock.clearTimeout(this.#pause);
    this.#requests.end();
    this.#become("down");
    this.#started?.reject(
      this.#failure
        ? new ProcessExit({ failed: this.#failure }, this.#failure.message)
        : new ProcessExit(reason),
    );
    this.die(reason);
  }

  /** The exit status, as an exit reason: a worker that ends well without being asked is still a permanent child. */
  #reason(code: number | null, signal: string | null): ExitReason {
    if (signal === "SIGKILL" && this.#silentMs !== undefined)
      return { watchdog: `silent for ${this.#silentMs} ms` };
    if (signal === "SIGKILL") return "killed";
    if (signal !== null) return { signal };
    if (code !== 0) return { exit_status: code };
    return this.#asked === "shutdown" ? "shutdown" : "normal";
  }
}
