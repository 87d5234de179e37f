/**
 * Primary process: owns the listening sockets, on which it never accepts, and supervises the workers.
 *
 *   <0.1> drover  one_for_one ── <0.2> admin, <1.1> worker 1, <2.1> worker 2 …
 */
import cluster from "node:cluster";
import { restartIntensity, workerCount } from "../../config/config.js";
import { Refusal } from "../../control/errors.js";
import { type ExitReason, formatReason, ProcessExit } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { onDown, processOf } from "../../otp/process/process.js";
import type { ChildSpec } from "../../otp/supervisor/child-spec.js";
import {
  type Supervisor,
  startChild,
  startSupervisor,
  stopSupervisor,
} from "../../otp/supervisor/supervisor.js";
import { clock } from "../../otp/time/clock.js";
import type { Level } from "../../telemetry/log/log.js";
import { setSignalCarrier } from "../channel/remote-signals.js";
import type { Release } from "../release/release.js";
import { Certificates } from "./certificates.js";
import type { PrimaryExchange } from "./exchange/exchange.js";
import { GiveUpCause } from "./give-up-cause.js";
import { acceptQueues } from "./inspect/accept-queues.js";
import type { PrimaryOptions } from "./options.js";
import type { PrimaryListener } from "./primary-listener.js";
import { RestartMetrics } from "./restart-metrics.js";
import { relaySignal } from "./signal-relay.js";
import { Watchdog } from "./workers/watchdog.js";
import { WorkerPool } from "./workers/worker-pool.js";

export class Primary {
  readonly startedAt = clock.now();
  readonly pool: WorkerPool;
  readonly restartMetrics: RestartMetrics;
  readonly certificates: Certificates;
  readonly #options: PrimaryOptions;
  readonly #watchdog: Watchdog;
  readonly #giveUpCause = new GiveUpCause("drover");
  #root: Pid | undefined = undefined;
  /** Change of the workers that is under way. */
  #change: string | undefined = undefined;

  constructor(options: PrimaryOptions) {
    const { config, log, metrics } = options;
    this.#options = options;
    this.restartMetrics = new RestartMetrics(metrics, () => this.root);
    this.pool = new WorkerPool(options, workerCount(config), this.restartMetrics);
    this.certificates = new Certificates(options.credentials, {
      log,
      send: (listener, update) => this.pool.sendTls(listener, update),
      reloaded: (result) => metrics.certificatesReloaded(result),
    });
    this.pool.bootTls = () => this.certificates.boot();
    metrics.certificates = () => this.certificates.served;
    metrics.acceptQueues = () => acceptQueues(this.listeners);
    metrics.exchange = () => this.exchange.sample;
    this.#watchdog = new Watchdog(() => [...this.pool.slots, this.exchange], log, config.watchdog);
  }

  get exchange(): PrimaryExchange {
    return this.pool.exchange;
  }

  /** Starts the exchange where so many workers need one and there is none yet. @throws ProcessExit */
  async ensureExchange(workers: number): Promise<void> {
    const { exchange, root } = this;
    if (exchange.process || !root || !exchange.needed(workers)) return;
    this.restartMetrics.expect("exchange");
    const result = await startChild(root.pid, exchange.childSpec());
    if (typeof result === "object" && "error" in result) throw new ProcessExit(result.error as ExitReason);
    this.pool.useExchange(exchange.path as string);
  }

  get releases(): readonly Release[] {
    return this.#options.releases.all;
  }

  get listeners(): readonly PrimaryListener[] {
    return this.pool.listeners;
  }

  get stopping(): boolean {
    return this.pool.stopping;
  }

  /** Top supervisor, while it lives. */
  get root(): Supervisor | undefined {
    return this.#root && (processOf(this.#root) as Supervisor | undefined);
  }

  /**
   * Starts the tree; resolves when every worker accepts.
   * @param children processes of the primary that start before the workers
   * @throws ProcessExit when a child cannot be started
   */
  async start(children: readonly ChildSpec[]): Promise<void> {
    const { config, exec } = this.#options;
    // The OS pid: by it workers of a primary that is gone find each other, and so does a reader of `ps`.
    cluster.setupPrimary({ exec, args: ["worker", `${process.pid}`], serialization: "advanced" });
    await this.#openInspectors();
    setSignalCarrier({ drops: () => false, signal: (signal) => relaySignal(this.pool.slots, signal) });
    this.restartMetrics.start();
    this.#giveUpCause.start();
    const limits = {
      strategy: "one_for_one",
      intensity: restartIntensity(config, this.pool.slots.length),
      period: `${config.maxSeconds}s`,
    } as const;
    const own = this.exchange.needed(this.pool.slots.length)
      ? [...children, this.exchange.childSpec()]
      : children;
    for (const { id } of own) this.restartMetrics.expect(id);
    this.#root = await startSupervisor("drover", limits, [
      ...own,
      ...this.pool.slots.map((slot) => this.pool.childSpec(slot)),
    ]);
    this.restartMetrics.update();
    this.#watchdog.start();
    this.certificates.start();
    // `shutdown` was called during the start, when there was no supervisor to stop.
    if (this.stopping) await stopSupervisor(this.#root);
  }

  /** Their code is loaded only with `--inspect`. */
  async #openInspectors(): Promise<void> {
    const { config, log } = this.#options;
    if (config.inspect === undefined) return;
    const { Inspectors } = await import("./inspector/inspectors.js");
    this.pool.inspectors = new Inspectors(config.inspect, log);
    // Node would print the worker's own port, which is not the one to attach to.
    cluster.setupPrimary({ execArgv: [...process.execArgv, "--inspect-publish-uid=http"] });
  }

  /** Follows the number of workers, which has changed, with `--max-restarts auto`. */
  updateIntensity(): void {
    const { root } = this;
    if (!root) return;
    const intensity = restartIntensity(this.#options.config, this.pool.slots.length);
    root.flags = { ...root.flags, intensity };
    this.restartMetrics.update();
  }

  /**
   * Begins a change of the workers: one at a time.
   * @throws Refusal `conflict` during another change, and while the program starts or stops
   */
  beginChange(what: string): { end(): void } {
    if (this.#change) throw new Refusal("conflict", `${this.#change} is under way: ask again after it`);
    if (this.stopping) throw new Refusal("conflict", "the program is stopping");
    if (!this.root) throw new Refusal("conflict", "the program is still starting: ask again when it serves");
    this.#change = what;
    return {
      end: () => {
        this.#change = undefined;
      },
    };
  }

  /** Sets the minimum log level of all OS processes. */
  setLogLevel(level: Level): void {
    this.#options.log.level = level;
    this.pool.setLogLevel(level);
  }

  // -- going down ---------------------------------------------------------------------------------------

  /** Resolves with the cause when the tree has ended, asked or not. */
  ended(): Promise<string> {
    return new Promise((resolve) =>
      onDown(this.#root as Pid, (reason) => resolve(this.#giveUpCause.text ?? formatReason(reason))),
    );
  }

  /** Drains all workers at once, then takes the tree down in order. */
  async shutdown(): Promise<void> {
    this.#watchdog.stop();
    this.certificates.stop();
    // Once the workers' copies are closed as well, new clients are refused instead of waiting, and may try another host.
    this.#closeSockets();
    this.pool.drain();
    if (this.#root) await stopSupervisor(this.#root);
  }

  /** Kills every worker. */
  hardStop(): void {
    this.pool.kill();
  }

  /** Resolves when no worker's OS process is left. */
  async gone(): Promise<void> {
    await this.pool.gone();
    this.#watchdog.stop();
    this.restartMetrics.stop();
    this.#giveUpCause.stop();
    if (!this.stopping) this.#closeSockets();
    this.pool.inspectors?.closeAll();
    this.exchange.remove();
  }

  #closeSockets(): void {
    for (const { bound } of this.listeners) bound.close();
  }
}
