/**
 * The primary: owns the listening socket, which it never accepts on, supervises the workers, carries signals
 * between them, keeps what they have counted, and answers what the outside asks.
 *
 *   <0.1> drover  one_for_one ── <0.2> admin, <1.1> worker 1, <2.1> worker 2 …
 */
import cluster from "node:cluster";
import type { Config, Explanation } from "../config.js";
import { workerCount } from "../config.js";
import type { ChildSpec } from "../otp/child-spec.js";
import { clock } from "../otp/clock.js";
import { progressReports, type SupervisorReport, supervisorReports } from "../otp/events.js";
import { type ExitReason, ProcessExit } from "../otp/exit.js";
import { type Pid, parsePid } from "../otp/pid.js";
import { onDown, processOf } from "../otp/process.js";
import { exit, send, useCarrier } from "../otp/signals.js";
import { type Supervisor, startSupervisor, stopSupervisor } from "../otp/supervisor.js";
import type { Metrics } from "../telemetry/metrics.js";
import { decodeSnapshot, type Snapshot } from "../telemetry/snapshot.js";
import { type BoundHandle, bind } from "../transport/bound.js";
import type { Transport } from "../transport/transport.js";
import type { Boot, SignalEnvelope } from "./envelope.js";
import type { Release } from "./release.js";
import { type WorkerOwner, WorkerProcess, type WorkerState } from "./worker-process.js";

export interface PrimaryOptions {
  readonly config: Config;
  readonly version: string;
  readonly protocol: Release;
  readonly transport: Transport["name"];
  /** The program that a worker runs: started with the argument `worker`. */
  readonly exec: string;
  /** Connections at most over all workers. */
  readonly maxConnections: number;
  readonly color: boolean;
  readonly metrics: Metrics;
  /** Where the admin server listens: `127.0.0.1:9464`. */
  readonly admin: () => string;
  readonly explain: () => readonly Explanation[];
  /** Told when somebody asks the program to stop. */
  onStop(): void;
}

/** What is known of a worker's place, whoever holds it at the moment. */
export interface Slot {
  readonly slot: number;
  process: WorkerProcess | undefined;
  restarts: number;
  last: Snapshot | undefined;
}

export class Primary implements WorkerOwner {
  readonly #options: PrimaryOptions;
  readonly #bound: BoundHandle;
  readonly startedAt = clock.now();
  readonly slots: readonly Slot[];
  stopping = false;
  #root: Pid | undefined = undefined;
  #onReport = (report: unknown): void => this.#reported(report as SupervisorReport);
  #onProgress = (): void => this.updateRestartsLeft();

  /** @throws NodeJS.ErrnoException when the address cannot be had */
  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#bound = bind(options.config.host, options.config.port);
    const workers = workerCount(options.config);
    this.slots = Array.from({ length: workers }, (_, at) => ({
      slot: at + 1,
      process: undefined,
      restarts: 0,
      last: undefined,
    }));
  }

  /** Where clients connect to. */
  get address(): { readonly address: string; readonly port: number } {
    return this.#bound;
  }

  get handle(): unknown {
    return this.#bound.handle;
  }

  /**
   * Starts the tree; resolves when every worker accepts.
   * @param children processes of the primary's own that come before the workers
   * @throws ProcessExit when a child cannot be started
   */
  async start(children: readonly ChildSpec[]): Promise<void> {
    const { config, exec } = this.#options;
    cluster.setupPrimary({ exec, args: ["worker"], serialization: "advanced" });
    useCarrier({
      send: (to, message) => this.onSignal({ to: [to.worker, to.serial], kind: "send", payload: message }),
      exit: (to, reason) => this.onSignal({ to: [to.worker, to.serial], kind: "exit", payload: reason }),
    });
    for (const { slot } of this.slots) this.#options.metrics.restarted("drover", `worker ${slot}`, 0);
    supervisorReports.subscribe(this.#onReport);
    progressReports.subscribe(this.#onProgress);
    const limits = {
      strategy: "one_for_one",
      intensity: config.maxRestarts,
      period: `${config.maxSeconds}s`,
    } as const;
    this.#root = await startSupervisor("drover", limits, [
      ...children,
      ...this.slots.map((slot) => this.#workerSpec(slot)),
    ]);
    this.updateRestartsLeft();
    // Asked to stop while it was starting.
    if (this.stopping) await stopSupervisor(this.#root);
  }

  #workerSpec(slot: Slot): ChildSpec {
    const { config } = this.#options;
    return {
      id: `worker ${slot.slot}`,
      mfargs: ["worker", "start_link", [slot.slot]],
      // Its connections have their own time; the rest is for its OS process to go.
      shutdown: config.shutdown + 2_000,
      start: async (parent) => {
        if (this.stopping) throw new ProcessExit("shutdown");
        const process = new WorkerProcess(slot.slot, this.#boot(slot.slot), this, processOf(parent));
        await process.init();
        return process.pid;
      },
    };
  }

  #boot(worker: number): Boot {
    const { config, protocol, transport, maxConnections, color } = this.#options;
    const workers = this.slots.length;
    // Shares that add up to the limit exactly: what is over waits in the kernel's queue for whoever has room.
    const share = Math.floor(maxConnections / workers) + (worker <= maxConnections % workers ? 1 : 0);
    return {
      worker,
      name: config.name,
      protocol: { url: protocol.url, bundled: protocol.bundled },
      transport,
      maxConnections: share,
      backlog: config.backlog,
      shutdown: config.shutdown,
      idle: config.idleTimeout,
      intensity: config.maxRestarts,
      period: config.maxSeconds,
      log: { level: config.logLevel, format: config.logFormat, color },
    };
  }

  // -- going down ---------------------------------------------------------------------------------------

  /** Resolves with the reason when the tree has ended, asked or not. */
  ended(): Promise<ExitReason> {
    return new Promise((resolve) => onDown(this.#root as Pid, resolve));
  }

  /** All workers drain at once, then the tree is taken down in order. */
  async shutdown(): Promise<void> {
    this.stopping = true;
    // With the workers' copies gone as well, new clients are refused, and may try another host, instead of waiting.
    this.#bound.close();
    for (const { process } of this.slots) process?.drain();
    if (this.#root) await stopSupervisor(this.#root);
  }

  /** Ends every worker now. */
  hardStop(): void {
    this.stopping = true;
    for (const { process } of this.slots) if (process) exit(process.pid, "kill");
  }

  /** Resolves when no worker's OS process is left. */
  async gone(): Promise<void> {
    const processes = this.slots.flatMap(({ process }) => process ?? []);
    await Promise.all(
      processes.map((one) =>
        one.alive ? new Promise<void>((resolve) => onDown(one.pid, () => resolve())) : undefined,
      ),
    );
    supervisorReports.unsubscribe(this.#onReport);
    progressReports.unsubscribe(this.#onProgress);
    if (!this.stopping) this.#bound.close();
  }

  reopenLogs(): void {
    for (const { process } of this.slots) process?.reopenLog();
  }

  // -- what workers tell --------------------------------------------------------------------------------

  onState(worker: WorkerProcess, state: WorkerState): void {
    const slot = this.slots[worker.slot - 1] as Slot;
    if (state === "starting") {
      if (slot.process) {
        slot.restarts++;
        this.#options.metrics.restarted("drover", `worker ${worker.slot}`);
      }
      slot.process = worker;
    }
    if (state === "down") {
      this.#options.metrics.retire(worker.slot);
      slot.last = undefined;
    }
    this.#options.metrics.workerState(worker.slot, state);
  }

  onSnapshot(worker: WorkerProcess, numbers: Float64Array): void {
    const snapshot = decodeSnapshot(numbers);
    if (!snapshot) return;
    (this.slots[worker.slot - 1] as Slot).last = snapshot;
    this.#options.metrics.update(worker.slot, snapshot);
  }

  onSignal({ to: [worker, serial], kind, payload }: SignalEnvelope): void {
    const process = this.slots[worker - 1]?.process;
    if (worker > 0 && serial > 1) return process?.signal({ to: [worker, serial], kind, payload });
    const pid = worker === 0 ? parsePid(`0.${serial}`) : process?.pid;
    if (!pid) return;
    if (kind === "send") send(pid, payload);
    else exit(pid, payload as ExitReason);
  }

  #reported(report: SupervisorReport): void {
    this.#options.metrics.supervisorReport(report.errorContext);
    this.updateRestartsLeft();
  }

  updateRestartsLeft(): void {
    const { root } = this;
    if (root) this.#options.metrics.restartsLeft("drover", root.restartsLeft);
  }

  /** The root of the tree, while it lives. */
  get root(): Supervisor | undefined {
    return this.#root && (processOf(this.#root) as Supervisor | undefined);
  }
}
