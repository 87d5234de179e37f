/**
 * OTP child around the exchange's OS process: its start ends when workers can connect; `shutdown` stops it, `kill` is
 * SIGKILL. It ends only with its OS process.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { ExchangeNumbers } from "../../../exchange/exchange.js";
import type { ExchangeBoot, FromExchange, ToExchange } from "../../../exchange/ipc.js";
import type { CarrierEvent } from "../../../exchange/nodes/carrier.js";
import type { Contest } from "../../../groups/hub/name-row.js";
import { type ExitReason, ProcessExit } from "../../../otp/process/exit-reason.js";
import { ExitMessage, Process } from "../../../otp/process/process.js";
import { clock } from "../../../otp/time/clock.js";
import { unblockStandardSockets } from "../../../telemetry/log/sink.js";
import { PendingStart } from "../workers/pending-start.js";

/** Milliseconds in which workers must be able to connect. */
const START_DEADLINE = 10_000;

export interface ExchangeProcessOptions {
  /** File that it runs, with the arguments `exchange` and the OS pid of the primary. */
  readonly exec: string;
  boot(): ExchangeBoot;
  /** Something that belongs into the log. */
  onEvent(event: CarrierEvent): void;
  onContested(contest: Contest): void;
  /** The cluster has an older server of this name. */
  onRefused(text: string): void;
}

export class ExchangeProcess extends Process {
  readonly startedAt = clock.now();
  state: "starting" | "running" | "stopping" | "down" = "starting";
  /** Set by the watchdog, cleared by the next message. */
  unresponsive = false;
  /** As of its last report. */
  numbers: ExchangeNumbers | undefined = undefined;
  readonly #os: ChildProcess;
  readonly #options: ExchangeProcessOptions;
  #heardAt = clock.now();
  #asked: "shutdown" | "killed" | undefined = undefined;
  #killedAfterMs: number | undefined = undefined;
  readonly #start = new PendingStart();

  constructor(
    options: ExchangeProcessOptions,
    parent: Process | undefined,
    // Before the process exists: an exception after that would leave it behind.
    os: ChildProcess = forkExchange(options.exec),
  ) {
    super(parent);
    this.trapExit = true;
    this.#options = options;
    this.#os = os;
    unblockStandardSockets();
    this.#os.on("message", (message) => this.#received(message as FromExchange));
    this.#os.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (this.#os.pid === undefined) this.#end({ not_spawned: code ?? "unknown" });
    });
    this.#os.on("exit", (code, signal) => this.#end(this.#reason(code, signal)));
  }

  get label(): string {
    return "exchange";
  }

  get osPid(): number {
    return this.#os.pid ?? 0;
  }

  /** Milliseconds since its last message. */
  get silentMs(): number {
    return clock.now() - this.#heardAt;
  }

  /** Takes the primary's own lag off `silentMs`. */
  discountLag(ms: number): void {
    this.#heardAt = Math.min(clock.now(), this.#heardAt + ms);
  }

  killUnresponsive(silentMs: number): void {
    this.#killedAfterMs ??= Math.round(silentMs);
    this.killed();
  }

  /** Resolves when workers can connect. @throws ProcessExit */
  init(): Promise<void> {
    return this.#start.wait(this, START_DEADLINE);
  }

  #post(message: ToExchange): void {
    if (this.#os.connected) this.#os.send(message, () => {});
  }

  #received(message: FromExchange): void {
    if (!this.alive) return;
    this.#heardAt = clock.now();
    this.unresponsive = false;
    if (message.t === "hello") this.#post({ t: "boot", d: this.#options.boot() });
    else if (message.t === "failed") this.#start.failed(new ProcessExit({ failed: message.d }, message.d));
    else if (message.t === "numbers") this.numbers = message.d;
    else if (message.t === "event") this.#options.onEvent(message.d);
    else if (message.t === "contested") this.#options.onContested(message.d);
    else if (message.t === "refused") this.#options.onRefused(message.d);
    else if (message.t === "ready") {
      if (this.state === "starting") this.state = "running";
      this.#start.ready();
    }
  }

  // -- the end ------------------------------------------------------------------------------------------

  protected receive(message: unknown): void {
    if (!(message instanceof ExitMessage) || message.exit !== this.parent?.pid) return;
    this.#asked ??= "shutdown";
    this.state = "stopping";
    if (this.#os.connected) this.#post({ t: "stop" });
    else this.#os.kill("SIGKILL");
  }

  protected override killed(): void {
    this.#asked = "killed";
    this.#os.kill("SIGKILL");
  }

  #end(reason: ExitReason): void {
    if (!this.alive) return;
    this.state = "down";
    this.#start.failed(new ProcessExit(reason));
    this.die(reason);
  }

  #reason(code: number | null, signal: string | null): ExitReason {
    if (signal === "SIGKILL" && this.#killedAfterMs !== undefined)
      return { watchdog: `no message for ${this.#killedAfterMs} ms` };
    if (signal === "SIGKILL") return "killed";
    if (signal !== null) return { signal };
    if (code !== 0) return { exit_status: code ?? 0 };
    return this.#asked === "shutdown" ? "shutdown" : "normal";
  }
}

/** Node throws some errors of a fork (ENOMEM), and emits others (EAGAIN, EMFILE). */
function forkExchange(exec: string): ChildProcess {
  try {
    return fork(exec, ["exchange", `${process.pid}`], { serialization: "advanced" });
  } catch (error) {
    throw new ProcessExit({ not_spawned: (error as NodeJS.ErrnoException).code ?? "unknown" });
  }
}
