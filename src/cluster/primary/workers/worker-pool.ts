/**
 * Worker pool: the slots of all workers, how each is started, and what all are told. What they report is handled in
 * `worker-reports.ts`; decisions about accepting are made in `admission/`.
 */
import { dirname } from "node:path";
import { onDown, processOf } from "../../../otp/process/process.js";
import { exit } from "../../../otp/process/signals.js";
import type { ChildSpec } from "../../../otp/supervisor/child-spec.js";
import type { Level } from "../../../telemetry/log/log.js";
import type { TlsUpdate } from "../../../tls/handshake/server-tls.js";
import { linkTransport } from "../../../transport/choose-transport.js";
import type { Boot } from "../../channel/boot-message.js";
import { AcceptRateShares } from "../admission/accept-rate-shares.js";
import { Addresses } from "../admission/addresses.js";
import { MaxConnections } from "../admission/connections/max-connections.js";
import { FullListeners } from "../admission/connections/when-full.js";
import { PresentLimits, SERVER } from "../admission/limits/present-limits.js";
import { Suspension } from "../admission/suspend.js";
import { bootListener, bootMessage } from "../boot.js";
import { reportContest } from "../contest-report.js";
import { PrimaryExchange } from "../exchange/exchange.js";
import type { Inspectors } from "../inspector/inspectors.js";
import type { Observer, PrimaryOptions } from "../options.js";
import { PrimaryListener } from "../primary-listener.js";
import type { RestartMetrics } from "../restart-metrics.js";
import { PidRanges } from "./pid-ranges.js";
import { startRetryDelay } from "./start-retry.js";
import { WorkerProcess } from "./worker-process.js";
import { WorkerReports } from "./worker-reports.js";
import { accepts, newSlot, type WorkerSlot } from "./worker-slot.js";

/** Added to the shutdown time of connections, for the OS process to exit. In milliseconds. */
const EXIT_TIME = 2_000;

export class WorkerPool {
  /** By number, from 1 on. */
  readonly slots: WorkerSlot[];
  /** In the order of the configuration. */
  readonly listeners: readonly PrimaryListener[];
  readonly suspension: Suspension;
  readonly maxConnections: MaxConnections;
  readonly full: FullListeners;
  readonly acceptRates: AcceptRateShares;
  readonly addresses: Addresses;
  /** Limits in force. */
  readonly limits: PresentLimits;
  /** Called when a worker has changed its state or sent a snapshot. */
  readonly onChange = new Set<() => void>();
  observer: Observer | undefined = undefined;
  /** With `--inspect`. */
  inspectors: Inspectors | undefined = undefined;
  /** What a worker that starts now needs to serve TLS. Secret. */
  bootTls: () => Boot["tls"] = () => ({});
  readonly exchange: PrimaryExchange;
  stopping = false;
  readonly #options: PrimaryOptions;
  readonly #restartMetrics: RestartMetrics;
  readonly #pidRanges = new PidRanges();
  readonly #reports: WorkerReports;

  constructor(options: PrimaryOptions, workers: number, restartMetrics: RestartMetrics) {
    this.#options = options;
    this.#restartMetrics = restartMetrics;
    this.slots = Array.from({ length: workers }, (_, at) => newSlot(at + 1));
    this.limits = new PresentLimits(
      options.config,
      options.listeners.map(({ config }) => config),
    );
    const balanced = {
      maxConnections: (listener: PrimaryListener) => this.limits.maxConnections(listener.name),
      accepting: (listener: PrimaryListener) =>
        this.#accepting(listener).filter(({ slot }) => this.acceptRates.admits(slot, listener.name)),
      allowed: (listener: PrimaryListener, slot: number) =>
        Math.min(this.maxConnections.allowed(slot), this.maxConnections.allowedOf(listener, slot)),
    };
    this.listeners = options.listeners.map((listener) => new PrimaryListener(listener, balanced));
    this.exchange = new PrimaryExchange({
      wanted: options.releases.all.some(({ groups }) => groups),
      exec: options.exec,
      folder: dirname(options.config.control),
      nodes: options.nodes,
      takeOver: options.config.takeOver,
      transport: linkTransport(options.listeners),
      running: () => this.serving,
      onEvent: ({ level, event, text }) => options.log[level](text, { event }),
      onContested: (contest) => void reportContest(contest, (worker) => this.slots[worker - 1]?.process),
      onRefused: (text) => options.onRefused?.(text),
    });
    this.addresses = new Addresses(this.limits);
    this.suspension = new Suspension(() => this.slots, this.listeners);
    this.maxConnections = new MaxConnections(
      () => this.slots,
      (count) => Math.min(this.limits.maxConnections(SERVER), options.maxConnections(count)),
      this.listeners,
      {
        open: (slot, { at }) => this.#accepts(slot, this.listeners[at] as PrimaryListener),
        full: (slot, name) => this.full.isFull(slot, name),
        rated: (slot, name) => this.acceptRates.admits(slot, name),
      },
    );
    this.full = new FullListeners(
      () => this.slots,
      (name) => this.listeners.filter((one) => one.name === name).flatMap((one) => this.#accepting(one)),
      new Map(this.listeners.map(({ name }) => [name, this.limits.whenFull(name)])),
    );
    this.acceptRates = new AcceptRateShares(
      () => this.slots,
      options,
      () => this.#balanceAnew(),
    );
    this.#reports = new WorkerReports(this, {
      ...{ primary: options, restartMetrics, pidRanges: this.#pidRanges },
      changed: () => this.#changed(),
    });
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
      shutdown: Math.max(...this.#options.listeners.map((listener) => listener.config.shutdown)) + EXIT_TIME,
      retryDelay: (reason) => startRetryDelay(slot, this.serving, reason, this.#options.log),
      concurrent: true,
      start: async (parent, aborted) => {
        if (this.stopping) return "ignore";
        try {
          const process = new WorkerProcess(
            slot.slot,
            () => this.#boot(slot),
            this.#reports,
            processOf(parent),
          );
          aborted?.addEventListener("abort", () => process.drain());
          await process.init();
          return process.pid;
        } catch (error) {
          // Asked to stop while it started: no error to report.
          if (this.stopping || aborted?.aborted) return "ignore";
          slot.startFailures++;
          this.#options.metrics.workerStartFailed(slot.slot);
          throw error;
        }
      },
    };
  }

  #boot(slot: WorkerSlot): Boot {
    const { maxConnections, own } = this.maxConnections.boot(slot.slot);
    const rates = this.acceptRates.boot(slot.slot);
    const listeners = this.listeners.map((listener, at) =>
      bootListener(
        listener,
        {
          maxConnections: own[at] as number,
          acceptRate: rates.of(listener.name),
          whenFull: this.full.mode(listener.name),
          suspended: !this.suspension.accepts(slot, listener),
          ...this.limits.admission(listener.name),
        },
        this.#options,
      ),
    );
    const present = {
      worker: slot.slot,
      serial: this.#pidRanges.next(slot.slot),
      maxConnections,
      acceptRate: rates.server,
      overload: this.limits.overload,
      tls: this.bootTls(),
      follow: this.observer?.followLevel ?? "warn",
      exchange: this.exchange.path,
      bans: this.addresses.ledger.bans(),
      listeners,
    };
    return bootMessage(present, this.#options);
  }

  /** Removes the last slot; its totals stay in the metrics. */
  forget(slot: WorkerSlot): void {
    if (this.slots.at(-1) === slot) this.slots.pop();
    this.#options.metrics.remove(slot.slot);
  }

  /** Workers that run use the exchange from now on. */
  useExchange(path: string): void {
    for (const { process } of this.slots) process?.notify({ t: "exchange", d: path });
  }

  /** Workers that start later get them with their boot message. */
  sendBans(): void {
    const d = this.addresses.ledger.bans();
    for (const { process } of this.slots) process?.notify({ t: "bans", d });
  }

  setLogLevel(level: Level): void {
    for (const { process } of this.slots) process?.notify({ t: "log", d: level });
  }

  /** Workers that start later get it with their boot message. */
  sendTls(listener: string, update: TlsUpdate): void {
    for (const { process } of this.slots) process?.notify({ t: "tls", d: { listener, update } });
  }

  reopenLogs(): void {
    for (const { process } of this.slots) process?.notify({ t: "reopen" });
  }

  // -- going down ---------------------------------------------------------------------------------------

  /** All workers start to drain. */
  drain(): void {
    this.stopping = true;
    for (const { balance } of this.listeners) balance.stop();
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

  /**
   * Resolves when every running worker has sent a snapshot that was taken now, or has not answered within a second.
   * @returns slots of the workers that run and have not answered
   */
  async refreshSnapshots(): Promise<readonly number[]> {
    const missing = this.slots.map(async ({ process, slot }) => {
      if (process?.state !== "running") return [];
      const reply = await process.request({ name: "snapshot" });
      return reply === undefined && process.state === "running" ? [slot] : [];
    });
    return (await Promise.all(missing)).flat();
  }

  #changed(): void {
    // First: a worker without a part of the rate needs no places.
    this.acceptRates.settle();
    this.maxConnections.settle();
    this.full.settle();
    this.maxConnections.lend();
    for (const listener of this.onChange) listener();
  }

  #balanceAnew(): void {
    if (!this.stopping) for (const { balance } of this.listeners) balance.changed();
  }

  /** Slots over which the connections of a listener are balanced. */
  #accepting(listener: PrimaryListener): WorkerSlot[] {
    return this.slots.filter((slot) => this.#accepts(slot, listener));
  }

  #accepts(slot: WorkerSlot, listener: PrimaryListener): boolean {
    if (slot.process?.state !== "running" || !this.suspension.accepts(slot, listener)) return false;
    return accepts(slot, listener) !== false;
  }
}
