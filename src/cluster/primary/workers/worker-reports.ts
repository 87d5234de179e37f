/** What workers report to the primary: states, snapshots, loads, signals. Each report goes to the part that uses it. */
import { dirname } from "node:path";
import { layoutLength } from "../../../tcp/metrics/definition.js";
import { decodeSnapshot } from "../../../telemetry/metrics/snapshot.js";
import { DropWarning } from "../../channel/drop-warning.js";
import type { WorkerNumbers } from "../../channel/messages.js";
import type { Addresses } from "../admission/addresses.js";
import type { FullListeners } from "../admission/connections/when-full.js";
import { banThrower } from "../admission/exception-ban.js";
import type { Inspectors } from "../inspector/inspectors.js";
import type { Observer, PrimaryOptions } from "../options.js";
import type { PrimaryListener } from "../primary-listener.js";
import type { RestartMetrics } from "../restart-metrics.js";
import { relaySignal } from "../signal-relay.js";
import { OutOfMemory } from "./out-of-memory.js";
import type { PidRanges } from "./pid-ranges.js";
import type { WorkerOwner, WorkerProcess, WorkerReport, WorkerState } from "./worker-process.js";
import type { WorkerSlot } from "./worker-slot.js";

/** The pool whose workers report. */
export interface ReportingPool {
  /** By number, from 1 on. */
  readonly slots: readonly WorkerSlot[];
  /** In the order of the configuration, and of the snapshots. */
  readonly listeners: readonly PrimaryListener[];
  readonly addresses: Addresses;
  readonly full: FullListeners;
  readonly observer: Observer | undefined;
  readonly inspectors: Inspectors | undefined;
  readonly stopping: boolean;
  sendBans(): void;
}

export interface ReportsOptions {
  readonly primary: PrimaryOptions;
  readonly restartMetrics: RestartMetrics;
  readonly pidRanges: PidRanges;
  /** Called when a worker has changed its state or sent a snapshot. */
  changed(): void;
}

export class WorkerReports implements WorkerOwner {
  readonly #pool: ReportingPool;
  readonly #options: PrimaryOptions;
  readonly #restartMetrics: RestartMetrics;
  readonly #pidRanges: PidRanges;
  readonly #changed: () => void;
  /** Numbers of a snapshot that are of protocols. */
  readonly #ownLength: number;
  readonly #outOfMemory: OutOfMemory;
  /** By slot. */
  readonly #dropWarnings = new Map<number, DropWarning>();

  constructor(pool: ReportingPool, { primary, restartMetrics, pidRanges, changed }: ReportsOptions) {
    this.#pool = pool;
    this.#options = primary;
    this.#restartMetrics = restartMetrics;
    this.#pidRanges = pidRanges;
    this.#changed = changed;
    this.#ownLength = layoutLength(primary.releases.own);
    this.#outOfMemory = new OutOfMemory(dirname(primary.config.control));
  }

  /** The listening socket of this listener. */
  handle(listener: string): unknown {
    return this.#pool.listeners.find(({ name }) => name === listener)?.bound.handle;
  }

  // -- state of a worker --------------------------------------------------------------------------------

  onState(worker: WorkerProcess, state: WorkerState): void {
    const slot = this.#pool.slots[worker.slot - 1] as WorkerSlot;
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
      this.#pool.inspectors?.close(worker.slot);
      this.#options.metrics.retire(worker.slot);
      this.#pool.addresses.ledger.drop(worker.slot);
      this.#pool.full.ended(worker.slot);
      slot.last = undefined;
    }
    this.#options.metrics.workerState(worker.slot, state);
    this.#pool.observer?.onState(worker, state);
    if (!this.#pool.stopping)
      for (const listener of this.#pool.listeners) listener.workerChanged(worker.slot, state === "down");
    this.#changed();
  }

  onExiting({ slot }: WorkerProcess): void {
    this.#pool.inspectors?.close(slot);
  }

  onKilled(worker: WorkerProcess, why: string): void {
    this.#options.log.warn(`Killed ${worker.label}: ${why}`);
  }

  outOfMemory({ osPid }: WorkerProcess, signal: string | null): string | undefined {
    return this.#outOfMemory.reason(osPid, signal);
  }

  // -- its reports --------------------------------------------------------------------------------------

  onReport(worker: WorkerProcess, report: WorkerReport): void {
    const { addresses, full, listeners, observer, slots } = this.#pool;
    switch (report.t) {
      case "inspector":
        return this.#openInspector(worker, report.d);
      case "snapshot":
        return this.#takeSnapshot(worker, report.d);
      case "load":
        return listeners.find(({ name }) => name === report.d.listener)?.reported(worker.slot, report.d);
      case "full":
        return full.reported(worker.slot, report.d.listener, report.d.full);
      case "addresses": {
        const answers = addresses.answer(worker.slot, report.d);
        return answers.length > 0 ? worker.notify({ t: "addresses", d: answers }) : undefined;
      }
      case "threw":
        return this.#ban(worker, report.d);
      case "record":
      case "trace":
        return observer?.onDiagnostics(worker, report);
      case "signal":
        return relaySignal(slots, report.d);
    }
  }

  #openInspector(worker: WorkerProcess, url: string): void {
    void this.#pool.inspectors?.open(worker.slot, url, async (attached) => {
      worker.debugged = attached;
      await worker.request({ name: "debugged", on: attached });
    });
  }

  #takeSnapshot(worker: WorkerProcess, numbers: WorkerNumbers): void {
    const { slots, listeners, stopping } = this.#pool;
    const snapshot = decodeSnapshot(numbers.snapshot, listeners.length, this.#ownLength);
    if (!snapshot) return;
    this.#outOfMemory.look();
    const slot = slots[worker.slot - 1] as WorkerSlot;
    const before = slot.last;
    slot.last = snapshot;
    this.#pidRanges.reported(worker.slot, snapshot.gauges.newestSerial);
    this.#options.metrics.update(worker.slot, snapshot, numbers.outgoing);
    if (!stopping) {
      for (const [at, { gauges }] of snapshot.listeners.entries()) {
        const toggled = before?.listeners[at]?.gauges.listenerRunning !== gauges.listenerRunning;
        listeners[at]?.seen(worker.slot, gauges.taken, gauges.maxConnections, toggled);
      }
    }
    this.#changed();
  }

  /** Its code has thrown outside of any process, in a connection from this address. */
  #ban(worker: WorkerProcess, address: string): void {
    const { config, log } = this.#options;
    const ban = (group: string, ms: number): void => {
      this.#pool.addresses.ledger.ban(group, ms);
      this.#pool.sendBans();
      for (const { process } of this.#pool.slots) process?.notify({ t: "end-address", d: group });
    };
    banThrower(worker.label, address, { ms: config.exceptionBan, log, ban });
  }

  // -- the channel to it --------------------------------------------------------------------------------

  onDropped({ slot }: WorkerProcess): void {
    this.#options.metrics.droppedMessage(slot);
    let warning = this.#dropWarnings.get(slot);
    if (!warning) {
      warning = new DropWarning(this.#options.log, `for worker ${slot}`, `worker ${slot}`);
      this.#dropWarnings.set(slot, warning);
    }
    warning.dropped();
  }

  onInternalMessage(worker: WorkerProcess, error: unknown): void {
    this.#options.log.warn(
      `invalid internal message of ${worker.label} dropped (${firstLine(error)}): code in it calls process.send({ cmd: "NODE_…" })`,
    );
  }

  onUnreadable(worker: WorkerProcess, error: unknown): void {
    this.#options.log.warn(
      `unreadable message of ${worker.label} dropped (${firstLine(error)}): code in it calls process.send() with what is nested too deeply, or writes to the file descriptor of its channel`,
    );
  }
}

function firstLine(error: unknown): string | undefined {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0];
}
