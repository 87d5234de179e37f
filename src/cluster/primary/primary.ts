/**
 * The primary: owns the listening socket, which it never accepts on, supervises the workers, carries signals
 * between them, keeps what they have counted, and answers what the outside asks.
 *
 *   <0.1> drover  one_for_one ── <0.2> admin, <1.1> worker 1, <2.1> worker 2 …
 */
import cluster from "node:cluster";
import { workerCount } from "../../config/config.js";
import { type ExitReason, ProcessExit } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { onDown, processOf } from "../../otp/process/process.js";
import { exit } from "../../otp/process/signals.js";
import type { ChildSpec } from "../../otp/supervisor/child-spec.js";
import { type Supervisor, startSupervisor, stopSupervisor } from "../../otp/supervisor/supervisor.js";
import { clock } from "../../otp/time/clock.js";
import type { Level } from "../../telemetry/log/log.js";
import { decodeSnapshot } from "../../telemetry/metrics/snapshot.js";
import { adopt, type BoundHandle, bind } from "../../transport/listening-socket.js";
import type { SignalEnvelope } from "../channel/messages.js";
import { setSignalCarrier } from "../channel/remote-signals.js";
import { Balance } from "./admission/balance.js";
import { MaxConnections } from "./admission/max-connections.js";
import { Suspension } from "./admission/suspend.js";
import { bootMessage } from "./boot.js";
import type { Observer, PrimaryOptions } from "./options.js";
import { PidRanges } from "./pid-ranges.js";
import { RestartMetrics } from "./restart-metrics.js";
import { relaySignal } from "./signal-relay.js";
import { Watchdog } from "./watchdog.js";
import { type WorkerOwner, WorkerProcess, type WorkerState } from "./worker-process.js";
import { newSlot, type WorkerSlot } from "./worker-slot.js";

export class Primary implements WorkerOwner {
  readonly #options: PrimaryOptions;
  readonly #bound: BoundHandle;
  readonly startedAt = clock.now();
  /** By number, from 1 on. */
  readonly slots: WorkerSlot[];
  readonly suspension = new Suspension(() => this.slots);
  /** Told when a worker has changed its state or its numbers. */
  readonly onChange = new Set<() => void>();
  /** Looks on. */
  observer: Observer | undefined = undefined;
  stopping = false;
  readonly maxConnections: MaxConnections;
  readonly #balance = new Balance(
    () => this.#accepting(),
    (slot) => this.#limitOf(slot),
  );
  readonly #watchdog: Watchdog;
  readonly restartMetrics: RestartMetrics;
  readonly #pidRanges = new PidRanges();
  #root: Pid | undefined = undefined;

  /** @throws NodeJS.ErrnoException when the address cannot be had */
  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { config, listenFd } = options;
    this.#bound = listenFd === undefined ? bind(config.host, config.port) : adopt(listenFd);
    const workers = workerCount(options.config);
    this.slots = Array.from({ length: workers }, (_, at) => newSlot(at + 1));
    this.maxConnections = new MaxConnections(
      () => this.slots,
      (count) => options.maxConnections(count),
    );
    this.#watchdog = new Watchdog(() => this.slots, options.log, options.config.watchdog);
    this.restartMetrics = new RestartMetrics(options.metrics, () => this.root);
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
    setSignalCarrier((signal) => this.onSignal(signal));
    this.restartMetrics.start();
    const limits = {
      strategy: "one_for_one",
      intensity: config.maxRestarts,
      period: `${config.maxSeconds}s`,
    } as const;
    for (const { id } of children) this.restartMetrics.expect(id);
    this.#root = await startSupervisor("drover", limits, [
      ...children,
      ...this.slots.map((slot) => this.workerSpec(slot)),
    ]);
    this.restartMetrics.update();
    this.#watchdog.start();
    // Asked to stop while it was starting.
    if (this.stopping) await stopSupervisor(this.#root);
  }

  workerSpec(slot: WorkerSlot): ChildSpec {
    const id = `worker ${slot.slot}`;
    this.restartMetrics.expect(id);
    return {
      id,
      mfargs: ["worker", "start_link", [slot.slot]],
      // Its connections have their own time; the rest is for its OS process to go.
      shutdown: this.#options.config.shutdown + 2_000,
      start: async (parent) => {
        if (this.stopping) throw new ProcessExit("shutdown");
        const boot = () => bootMessage(this.#present(slot), this.#options);
        const process = new WorkerProcess(slot.slot, boot, this, processOf(parent));
        await process.init();
        return process.pid;
      },
    };
  }

  /** What a worker that starts now in this slot is to begin with. */
  #present(slot: WorkerSlot) {
    return {
      worker: slot.slot,
      serial: this.#pidRanges.next(slot.slot),
      maxConnections: this.maxConnections.allowed(slot.slot),
      ceiling: this.#balance.ceiling,
      mark: this.#balance.mark,
      followed: this.observer?.followed ?? false,
      suspended: !this.suspension.lets(slot),
    };
  }

  /** A place is no more; what was counted there stays. */
  forget(slot: WorkerSlot): void {
    if (this.slots.at(-1) === slot) this.slots.pop();
    this.#options.metrics.remove(slot.slot);
  }

  /** For all OS processes, from now on. */
  setLogLevel(level: Level): void {
    this.#options.log.level = level;
    for (const { process } of this.slots) process?.setLogLevel(level);
  }

  // -- going down ---------------------------------------------------------------------------------------

  /** Resolves with the reason when the tree has ended, asked or not. */
  ended(): Promise<ExitReason> {
    return new Promise((resolve) => onDown(this.#root as Pid, resolve));
  }

  /** All workers drain at once, then the tree is taken down in order. */
  async shutdown(): Promise<void> {
    this.stopping = true;
    this.#watchdog.stop();
    this.#balance.stop();
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
    this.#watchdog.stop();
    this.restartMetrics.stop();
    if (!this.stopping) this.#bound.close();
  }

  reopenLogs(): void {
    for (const { process } of this.slots) process?.reopenLog();
  }

  // -- what workers tell --------------------------------------------------------------------------------

  onState(worker: WorkerProcess, state: WorkerState): void {
    const slot = this.slots[worker.slot - 1] as WorkerSlot;
    if (state === "starting") {
      if (slot.process) {
        slot.restarts++;
        this.restartMetrics.count(`worker ${worker.slot}`);
      }
      slot.process = worker;
    }
    if (state === "down") {
      this.#options.metrics.retire(worker.slot);
      slot.last = undefined;
    }
    this.#options.metrics.workerState(worker.slot, state);
    this.observer?.onState(worker, state);
    if (!this.stopping) this.#balance.changed();
    this.#changed();
  }

  onLoad(worker: WorkerProcess, { active, ahead }: { active: number; ahead: boolean }): void {
    this.#balance.told(worker.slot, active, ahead);
  }

  /** The workers among which connections are spread. */
  #accepting(): WorkerProcess[] {
    return this.slots.flatMap((slot) => {
      const { process, last } = slot;
      const accepts = process?.state === "running" && this.suspension.lets(slot);
      return accepts && last?.gauges.listenerRunning !== 0 ? process : [];
    });
  }

  /** What it is allowed, or has descriptors for. */
  #limitOf(slot: number): number {
    const { maxConnections = Infinity } = this.slots[slot - 1]?.last?.gauges ?? {};
    return Math.min(this.maxConnections.allowed(slot), maxConnections);
  }

  onSnapshot(worker: WorkerProcess, numbers: Float64Array): void {
    const snapshot = decodeSnapshot(numbers);
    if (!snapshot) return;
    const slot = this.slots[worker.slot - 1] as WorkerSlot;
    const { listenerRunning, active, newestSerial } = snapshot.gauges;
    this.#pidRanges.told(worker.slot, newestSerial);
    const other = slot.last?.gauges.listenerRunning !== listenerRunning;
    slot.last = snapshot;
    this.#options.metrics.update(worker.slot, snapshot);
    if (!this.stopping) {
      if (other) this.#balance.changed();
      else this.#balance.seen(worker.slot, active);
    }
    this.#changed();
  }

  #changed(): void {
    this.maxConnections.settle();
    for (const listener of this.onChange) listener();
  }

  onTold(...told: Parameters<WorkerOwner["onTold"]>): void {
    this.observer?.onTold(...told);
  }

  onSignal(signal: SignalEnvelope): void {
    relaySignal(this.slots, signal);
  }

  /** The root of the tree, while it lives. */
  get root(): Supervisor | undefined {
    return this.#root && (processOf(this.#root) as Supervisor | undefined);
  }
}
