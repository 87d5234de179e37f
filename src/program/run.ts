/** Runs the primary: start, signals, and the exit code at its end. */

import { type AdminChange, AdminError, localToken, openAdminChild, reportChange } from "../admin/admin.js";
import { Operations } from "../cluster/primary/inspect/operations.js";
import type { PrimaryOptions } from "../cluster/primary/options.js";
import { Primary } from "../cluster/primary/primary.js";
import { startFailure } from "../cluster/primary/workers/start-failure.js";
import { type Config, EXIT, environment, workerCount } from "../config/config.js";
import { ProcessExit } from "../otp/process/exit-reason.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { clock } from "../otp/time/clock.js";
import { logConsole } from "../telemetry/log/console.js";
import { type Log, openLog } from "../telemetry/log/log.js";
import { logFileErrorText } from "../telemetry/log/log-file.js";
import { addressText } from "../text/address.js";
import { plural } from "../text/plural.js";
import type { DevReload } from "./dev/dev-reload.js";
import { BindError, bindListeners } from "./listeners/bind-listeners.js";
import { transportTexts } from "./listeners/choose-transports.js";
import { servedText } from "./listeners/primary-listeners.js";
import { type Prepared, primaryOptions } from "./prepared.js";
import { refuse } from "./refuse.js";
import { type HandledSignal, setSignalAction } from "./signals.js";
import { openNotifier, type SystemdNotifier } from "./systemd/notifier.js";

/** What signals ask for, in audit lines. */
const SIGNAL_ACTIONS: Readonly<Record<HandledSignal, string>> = {
  SIGTERM: "stop",
  SIGINT: "stop",
  SIGHUP: "reload-tls",
  SIGUSR2: "reopen-log",
};
/** Milliseconds after the start in which a server whose name is taken ends. */
const REFUSE_WITHIN = 60_000;
/** Milliseconds from the second signal to the forced exit. */
const HARD_STOP = 900;

export class Run {
  readonly #prepared: Prepared;
  readonly #config: Config;
  readonly #log: Log;
  #options: PrimaryOptions | undefined = undefined;
  #primary: Primary | undefined = undefined;
  /** The bound port; the configured one may be 0. */
  #adminPort = 0;
  #devReload: DevReload | undefined = undefined;
  #stops = 0;
  /** Why the cluster does not accept this server. */
  #refused: string | undefined = undefined;
  /** Where systemd asks to be notified. */
  #notifier: SystemdNotifier | undefined = undefined;

  constructor(prepared: Prepared, log: Log) {
    this.#prepared = prepared;
    this.#config = prepared.loaded.config;
    this.#log = log;
  }

  /** @returns the exit code */
  static async start(prepared: Prepared): Promise<number> {
    const { config } = prepared.loaded;
    let log: Log;
    try {
      log = startLog(config);
    } catch (error) {
      if (config.logFile === undefined) throw error;
      return refuse(EXIT.badConfig, logFileErrorText(config.logFile, error));
    }
    logConsole(log);
    return new Run(prepared, log).run();
  }

  async run(): Promise<number> {
    const { loaded, given, credentials, choices, inherited, nodes, releases } = this.#prepared;
    const addresses = { inherited, places: loaded.addressPlaces };
    let admin: ChildSpec;
    for (const warning of [...loaded.warnings, ...given.warnings, ...credentials.warnings])
      this.#log.warn(warning);
    if (nodes && !releases.all.some(({ groups }) => groups))
      this.#log.warn("--nats has no effect: no protocol takes messages of groups or answers names");
    for (const text of transportTexts(choices)) this.#log.info(`transport ${text}`);
    try {
      this.#options = primaryOptions(this.#prepared, await bindListeners(this.#config.listeners, addresses), {
        log: this.#log,
        color: inColor(this.#config),
        admin: () => this.#admin(),
        onStop: (over) => this.#stop(`requested over the ${over}`),
        onRefused: (text) => this.#refuseName(text),
      });
      this.#primary = new Primary(this.#options);
      this.#listenToSignals();
      admin = await this.#openAdmin();
    } catch (error) {
      await this.#primary?.gone();
      if (error instanceof AdminError || error instanceof BindError)
        return this.#end(error.exitCode, error.message);
      throw error;
    }
    try {
      await this.#primary.start([admin]);
      if (this.#stops === 0) this.#serves();
      await this.#reloadOnChange();
    } catch (error) {
      await this.#primary.gone();
      if (this.#stops > 0) return this.#stopped();
      const { code, message } = startFailure(error instanceof ProcessExit ? error.reason : error);
      return this.#end(code ?? EXIT.unavailable, message);
    }
    const cause = await this.#primary.ended();
    this.#devReload?.close();
    await this.#primary.gone();
    if (this.#stops > 0) return this.#stopped();
    return this.#end(EXIT.gaveUp, `gave up: ${cause}: see the reports in the log`);
  }

  #stopped() {
    return this.#refused === undefined ? this.#end(EXIT.ok) : this.#end(EXIT.unavailable, this.#refused);
  }

  /** `drover dev`; nothing else loads its code. */
  async #reloadOnChange(): Promise<void> {
    const { prepare, releases } = this.#prepared;
    if (prepare === undefined || this.#stops > 0) return;
    const { DevReload } = await import("./dev/dev-reload.js");
    const primary = this.#primary as Primary;
    this.#devReload = new DevReload({ prepare, releases, primary, log: this.#log });
  }

  /** @throws AdminError */
  #openAdmin(): Promise<ChildSpec> {
    const { adminHost: host, adminPort: port, control: socketPath, maxMessage } = this.#config;
    const control = new Operations(this.#primary as Primary, this.#options as PrimaryOptions);
    const { notify } = this.#prepared;
    if (notify) this.#notifier = openNotifier(notify, () => control.stats(), this.#log);
    const onListening = (taken: number) => {
      this.#adminPort = taken;
    };
    const token = this.#prepared.given.token ?? localToken(host);
    return openAdminChild({
      ...{ control, host, port, socketPath, token, maxMessage, onListening },
      onChange: (change) => this.#options?.metrics.changedFromOutside(change),
      onShortage: () => this.#options?.metrics.outOfDescriptors(),
    });
  }

  /** A server that has served for long goes on alone: its clients are worth more than the name. */
  #refuseName(text: string): void {
    this.#log.error(text, { event: "node_name_taken" });
    if (performance.now() > REFUSE_WITHIN) return;
    this.#refused = text;
    this.#stop("another server has its name");
  }

  /** Longest time that a listener gives its connections to finish. */
  get #shutdown(): number {
    return Math.max(...this.#config.listeners.map(({ shutdown }) => shutdown));
  }

  #admin(): string {
    return addressText(this.#config.adminHost, this.#adminPort);
  }

  #serves(): void {
    const { version } = this.#prepared;
    const served = servedText((this.#options as PrimaryOptions).listeners);
    const workers = plural(workerCount(this.#config), "worker");
    this.#log.info(`drover ${version} serves ${served} with ${workers}; admin on ${this.#admin()}`);
    this.#notifier?.ready();
    // pm2 with wait_ready waits for this.
    if (process.send) process.send("ready");
  }

  #listenToSignals(): void {
    setSignalAction((signal) => this.#signal(signal));
    // pm2's shutdown_with_message.
    process.on("message", (message) => {
      if (message !== "shutdown") return;
      this.#audit({ action: "stop", via: "parent", by: "shutdown message" });
      this.#stop("shutdown message");
    });
  }

  /** Audit line of a change that did not come over the admin server. */
  #audit(change: Pick<AdminChange, "action" | "via" | "by"> & Partial<AdminChange>): void {
    const report = reportChange((done) => this.#options?.metrics.changedFromOutside(done));
    report({ request: {}, result: "ok", durationMs: 0, ...change });
  }

  #signal(signal: HandledSignal): void {
    const ignored = signal === "SIGHUP" && this.#prepared.credentials.listeners.length === 0;
    this.#audit({
      ...{ action: SIGNAL_ACTIONS[signal], via: "signal", by: signal },
      ...(ignored && { result: "refused", error: "no listener has TLS" }),
    });
    if (signal === "SIGTERM" || signal === "SIGINT") return this.#stop(signal);
    if (signal === "SIGHUP") return this.#reload();
    this.#log.reopen();
    this.#primary?.pool.reopenLogs();
  }

  #reload(): void {
    if (this.#prepared.credentials.listeners.length === 0)
      return this.#log.warn("SIGHUP ignored: no listener has TLS, and nothing else is reloaded");
    void this.#primary?.certificates.reload("SIGHUP");
  }

  #stop(why: string): void {
    const primary = this.#primary as Primary;
    this.#stops++;
    this.#devReload?.close();
    if (this.#stops === 1) {
      this.#log.info(
        `stopping (${why}): connections have up to ${this.#shutdown / 1000} s to finish; a second signal stops at once`,
      );
      void primary.shutdown();
      this.#notifier?.stopping();
      return;
    }
    primary.hardStop();
    clock.setTimeout(() => process.exit(EXIT.ok), HARD_STOP, true);
  }

  async #end(code: number, message?: string): Promise<number> {
    this.#notifier?.close();
    await this.#log.close();
    return message === undefined ? code : refuse(code, message);
  }
}

function startLog(config: Config): Log {
  const { logLevel: level, logFormat: format, logFile: file, name } = config;
  return openLog({ level, format, file, color: inColor(config), worker: 0, name });
}

function inColor({ logFile }: Config): boolean {
  return logFile === undefined && process.stdout.isTTY === true && !environment().NO_COLOR;
}
