/**
 * Worker pool: the slots of all workers, how each is started, and what happens when one changes its state or sends a
 * snapshot. Decisions about accepting are made in `admission/`.
 */
import { onDown, processOf } from "../../otp/process/process.js";
import { exit } from "../../otp/process/signals.js";
import type { ChildSpec } from "../../otp/supervisor/child-spec.js";
import type { Level } from "../../telemetry/log/log.js";
import { decodeSnapshot } from "../../telemetry/metrics/snapshot.js";
import type { BoundHandle } from "../../transport/listening-socket.js";
import { DropWarning } from "../channel/drop-warning.js";
import type { Boot, SignalEnvelope } from "../channel/messages.js";
import { Balance } from "./admission/balance.js";
import { MaxConnections } from "./admission/max-connections.js";
import { Suspension } from "./admission/suspend.js";
import { bootMessage } from "./boot.js";
import type { Observer, PrimaryOptions } from "./options.js";
import { PidRanges } from "./pid-ranges.js";
import type { RestartMetrics } from "./restart-metrics.js";
import { relaySignal } from "./signal-relay.js";
import { startRetryDelay } from "./start-retry.js";
import { type WorkerOwner, WorkerProcess, type WorkerState } from "./worker-process.js";
import { newSlot, type WorkerSlot } from "./worker-slot.js";

/** Added to the shutdown time of connections, for the OS process to exit. In milliseconds. */
const EXIT_TIME = 2_000;

export class WorkerPool implements WorkerOwner {
  /** By number, from 1 on. */
  readonly slots: WorkerSlot[];
  readonly suspension = new Suspension(() => this.slots);
  readonly maxConnections: MaxConnections;
  /** Called when a worker has changed its state or sent a snapshot. */
  readonly onChange = new Set<() => void>();
  observer: Observer | undefined = undefined;
  stopping = false;
  readonly #options: PrimaryOptions;
  readonly #bound: BoundHandle;
  readonly #restartMetrics: RestartMetrics;
  readonly #pidRanges = new PidRanges();
  /** By slot. */
  readonly #dropWarnings = new Map<number, DropWarning>();
  readonly #balance = new Balance(
    () => this.#accepting(),
    (slot) => this.#limitOf(slot),
  );

  /** @param bound the listening socket that workers accept on */
  constructor(options: PrimaryOptions, workers: number, bound: BoundHandle, restartMetrics: RestartMetrics) {
    this.#options = options;
    this.#bound = bound;
    this.#restartMetrics = restartMetrics;
    this.slots = Array.from({ length: workers }, (_, at) => newSlot(at + 1));
    this.maxConnections = new MaxConnections(
      () => this.slots,
      (count) => options.maxConnections(count),
    );
  }

  get handle(): unknown {
    return this.#bound.handle;
  }

  /** Number of workers that serve. */
  get serving(): number {
    return this.slots.filter(({ process }) => process?.state === "running").length;
  }

  /** Child specification of the worker in this slot, for the supervisor. */
  childSpec(slot: WorkerSlot): ChildSpec {
    const id = `worker ${slot.slot}`;
    this.#restartMetrics.expect(id);
    this.#options.metrics.workerStartFailed(slot.slot, 0);
    return {
      id,
      mfargs: ["worker", "start_link", [slot.slot]],
      shutdown: this.#options.config.shutdown + EXIT_TIME,
      retryDelay: (reason) => startRetryDelay(slot, this.serving, reason, this.#options.log),
      start: async (parent) => {
        if (this.stopping) return "ignore";
        const process = new WorkerProcess(slot.slot, () => this.#boot(slot), this, processOf(parent));
        try {
          await process.init();
        } catch (error) {
          // Asked to stop while it started: no error to report.
          if (this.stopping) return "ignore";
          slot.startFailures++;
          this.#options.metrics.workerStartFailed(slot.slot);
          throw error;
        }
        return process.pid;
      },
    };
  }

  #boot(slot: WorkerSlot): Boot {
    const present = {
      worker: slot.slot,
      serial: this.#pidRanges.next(slot.slot),
      address: { address: this.#bound.address, port: this.#bound.port },
      maxConnections: this.maxConnections.allowed(slot.slot),
      ...this.#balance.quota,
      followed: this.observer?.followed ?? false,
      suspended: !this.suspension.accepts(slot),
    };
    return bootMessage(present, this.#options);
  }

  /** Removes the last slot; its totals stay in the metrics. */
  forget(slot: WorkerSlot): void {
    if (this.slots.at(-1) === slot) this.slots.pop();
    this.#options.metrics.remove(slot.slot);
  }

  setLogLevel(level: Level): void {
    for (const { process } of this.slots) process?.notify({ t: "log", d: level });
  }

  reopenLogs(): void {
    for (const { process } of this.slots) process?.notify({ t: "reopen" });
  }

  // -- going down ---------------------------------------------------------------------------------------

  /** All workers start to drain. */
  drain(): void {
    this.stopping = true;
    this.#balance.stop();
    for (const { process } of this.slots) process?.drain();
  }

  kill(): void {
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
  }

  /** Resolves when every running worker has sent a snapshot that was taken now, or has not answered within a second. */
  async refreshSnapshots(): Promise<void> {
    const running = this.slots.flatMap(({ process }) => (process?.state === "running" ? process : []));
    await Promise.all(running.map((process) => process.request({ name: "snapshot" })));
  }

  // -- what workers send --------------------------------------------------------------------------------

  onState(worker: WorkerProcess, state: WorkerState): void {
    const slot = this.slots[worker.slot - 1] as WorkerSlot;
    if (state === "starting") {
      if (slot.process && !slot.retrying) {
        slot.restarts++;
        this.#restartMetrics.count(`worker ${worker.slot}`);
      }
      slot.retrying = false;
      slot.process = worker;
    }
    if (state === "running") slot.startFailures = 0;
    if (state === "down") {
      this.#options.metrics.retire(worker.slot);
      slot.last = undefined;
    }
    this.#options.metrics.workerState(worker.slot, state);
    this.observer?.onState(worker, state);
    if (!this.stopping) this.#balance.changed();
    this.#changed();
  }

  onSnapshot(worker: WorkerProcess, numbers: Float64Array): void {
    const snapshot = decodeSnapshot(numbers);
    if (!snapshot) return;
    const slot = this.slots[worker.slot - 1] as WorkerSlot;
    const { listenerRunning, active, newestSerial } = snapshot.gauges;
    this.#pidRanges.reported(worker.slot, newestSerial);
    const toggled = slot.last?.gauges.listenerRunning !== listenerRunning;
    slot.last = snapshot;
    this.#options.metrics.update(worker.slot, snapshot);
    if (!this.stopping) {
      if (toggled) this.#balance.changed();
      else this.#balance.seen(worker.slot, active);
    }
    this.#changed();
  }

  onLoad(worker: WorkerProcess, { active, ahead }: { active: number; ahead: boolean }): void {
    this.#balance.reported(worker.slot, active, ahead);
  }

  onDiagnostics(...args: Parameters<WorkerOwner["onDiagnostics"]>): void {
    this.observer?.onDiagnostics(...args);
  }

  onExitTimeout(worker: WorkerProcess, ms: number): void {
    this.#options.log.warn(`Killed ${worker.label}: its exit handlers took longer than ${ms} ms`);
  }

  onInternalMessage(worker: WorkerProcess, error: unknown): void {
    const what = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    this.#options.log.warn(
      `invalid internal message of ${worker.label} dropped (${what}): code in it calls process.send({ cmd: "NODE_…" })`,
    );
  }

  onSignal(signal: SignalEnvelope): void {
    relaySignal(this.slots, signal);
  }

  onDropped({ slot }: WorkerProcess): void {
    this.#options.metrics.droppedMessage(slot);
    let warning = this.#dropWarnings.get(slot);
    if (!warning) {
      warning = new DropWarning(this.#options.log, `for worker ${slot}`, `worker ${slot}`);
      this.#dropWarnings.set(slot, warning);
    }
    warning.dropped();
  }

  #changed(): void {
    this.maxConnections.settle();
    for (const listener of this.onChange) listener();
  }

  /** Workers over which connections are balanced. */
  #accepting(): WorkerProcess[] {
    return this.slots.flatMap((slot) => {
      const { process, last } = slot;
      const accepts = process?.state === "running" && this.suspension.accepts(slot);
      return accepts && last?.gauges.listenerRunning !== 0 ? process : [];
    });
  }

  /** A worker's share of the limit, or less where it has too few descriptors. */
  #limitOf(slot: number): number {
    const { maxConnections = Infinity } = this.slots[slot - 1]?.last?.gauges ?? {};
    return Math.min(this.maxConnections.allowed(slot), maxConnections);
  }
}
