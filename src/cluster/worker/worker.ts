/** What a worker runs: the tutorial's server for one protocol, on a listening socket that the primary lends. */

import { EXIT } from "../../config/exit-codes.js";
import { supervisorReports } from "../../otp/events.js";
import { type ExitReason, formatReason, ProcessExit } from "../../otp/process/exit-reason.js";
import { becomeWorker, Pid } from "../../otp/process/pid.js";
import { onDown, processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import { exit } from "../../otp/process/signals.js";
import { stopSupervisor } from "../../otp/supervisor/supervisor.js";
import { clock } from "../../otp/time/clock.js";
import { Endpoint } from "../../tcp/endpoint.js";
import type { Listener } from "../../tcp/listener.js";
import { CompiledProtocol } from "../../tcp/protocol/compiled-protocol.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import { startServer } from "../../tcp/server.js";
import { type Log, type LogOptions, openLog } from "../../telemetry/log/log.js";
import { encodeSnapshot } from "../../telemetry/metrics/snapshot.js";
import { chooseTransport } from "../../transport/choose-transport.js";
import {
  type Boot,
  isView,
  type SignalEnvelope,
  type ToPrimary,
  type ToWorker,
  type WorkerRequest,
} from "../channel/messages.js";
import { deliver, setSignalCarrier } from "../channel/remote-signals.js";
import { drawTree, inspect } from "../inspect/tree.js";
import { mapStackTraces } from "../release/source-maps.js";
import { AcceptBalance } from "./accept-balance.js";
import { Heartbeat } from "./heartbeat.js";
import { WorkerLimits } from "./limits.js";
import { ListeningSocketCopies } from "./listening-socket-copies.js";
import { Sampler } from "./sampler.js";
import { WorkerViews } from "./views.js";
import { startWatchdogThread } from "./watchdog-thread.js";

/** How often the primary is told what was counted, in milliseconds. */
const SNAPSHOT_EVERY = 1_000;

export class Worker {
  readonly #boot: Boot;
  readonly #log: Log;
  readonly #logOptions: LogOptions;
  readonly #limits: WorkerLimits;
  readonly #acceptBalance: AcceptBalance;
  readonly #heartbeat: Heartbeat;
  readonly #views: WorkerViews;
  #sampler: Sampler | undefined = undefined;
  #root: Pid | undefined = undefined;
  #stopping = false;
  readonly #socketCopies = new ListeningSocketCopies((id) => this.#post({ t: "acquire", id }));
  readonly #endpoint: Endpoint;

  constructor(boot: Boot) {
    this.#boot = boot;
    // The worker itself is <n.1>, in the primary; what it starts comes after.
    becomeWorker(boot.worker, boot.serial);
    // Better a worker that logs elsewhere than none.
    this.#logOptions = { ...boot.log, fallback: true, worker: boot.worker, name: boot.name };
    this.#log = openLog(this.#logOptions);
    this.#endpoint = new Endpoint({ timed: boot.timed });
    this.#limits = new WorkerLimits(boot, () => this.#tellNow(), this.#log);
    this.#acceptBalance = new AcceptBalance({
      ceiling: boot.ceiling,
      mark: boot.mark,
      counters: () => this.#endpoint.counters,
      mayClose: () => this.#socketCopies.ready,
      tell: () => this.#tellLoad(true),
      changed: () => this.#limits.reconsider(),
    });
    this.#heartbeat = new Heartbeat(this.#log, boot.lagWarning);
    this.#views = new WorkerViews(this.#log, boot.followed, (message) => this.#post(message));
    process.on("uncaughtException", (error, origin) => this.#broken(error, origin));
    setSignalCarrier((d) => this.#post({ t: "signal", d }));
  }

  async start(): Promise<void> {
    const protocol = await this.#load();
    if (!protocol) return;
    const steered = this.#limits;
    this.#sampler = new Sampler(this.#endpoint, supervisorReports, () => steered.maxConnections);
    const { backlog, shutdown, intensity, period } = this.#boot;
    try {
      this.#root = await startServer({
        endpoint: this.#endpoint,
        protocol,
        acquire: () => this.#socketCopies.acquire(),
        renewable: true,
        quota: this.#acceptBalance,
        transport: (await chooseTransport(this.#boot.transport, false)).transport,
        get maxConnections() {
          return steered.maxConnections;
        },
        get suspended() {
          return steered.suspended;
        },
        backlog,
        shutdown,
        intensity,
        period: `${period}s`,
      });
    } catch (error) {
      if (this.#stopping) return;
      return this.#fail(EXIT.unavailable, formatReason(error instanceof ProcessExit ? error.reason : error));
    }
    if (this.#stopping) return;
    onDown(this.#root, (reason) => this.#treeEnded(reason));
    const { address, transport } = this.#listener();
    this.#post({ t: "ready", d: { ...address, transport } });
    this.#tell();
    // Only now: while a worker starts, its place is empty.
    const {
      protocol: { bundled },
      watchdog,
    } = this.#boot;
    startWatchdogThread(process.argv[1] as string, {
      pulse: this.#heartbeat.shared,
      primary: process.ppid,
      log: this.#logOptions,
      bundled,
      watchdog,
    });
  }

  async #load(): Promise<CompiledProtocol | undefined> {
    const { url, bundled } = this.#boot.protocol;
    if (bundled) mapStackTraces(bundled);
    try {
      const module = (await import(url)) as { default?: AnyProtocol };
      validateProtocol(module.default as AnyProtocol);
      return new CompiledProtocol(module.default as AnyProtocol, {
        idle: this.#boot.idle,
        latency: this.#endpoint.latency,
      });
    } catch (error) {
      this.#fail(EXIT.noProtocol, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #listener(): { address: { address: string; port: number }; transport: string } {
    const pid = whereis("listener");
    const { address } = processOf(pid as Pid) as Listener;
    return { address, transport: this.#boot.transport };
  }

  // -- the channel --------------------------------------------------------------------------------------

  #post(message: ToPrimary, sent?: () => void): void {
    if (process.connected && process.send) process.send(message, undefined, undefined, () => sent?.());
    else sent?.();
  }

  #tellLoad(ahead: boolean): void {
    this.#post({ t: "loaded", d: { active: this.#endpoint.counters.active, ahead } });
  }

  received(message: ToWorker, handle: unknown): void {
    switch (message.t) {
      case "handle":
        return this.#socketCopies.received(message.id, handle);
      case "load":
        return this.#tellLoad(false);
      case "ceiling":
        return this.#acceptBalance.set(message.d.ceiling, message.d.mark);
      case "stop":
        return void this.stop();
      case "log":
        this.#log.level = message.d;
        return;
      case "reopen":
        return this.#log.reopen();
      case "follow":
        return this.#views.follow(message.d);
      case "untrace":
        return this.#views.untrace(message.id);
      case "signal":
        return this.#signal(message.d);
      case "request":
        return void this.#answer(message.d).then((d) => this.#post({ t: "reply", id: message.id, d }));
    }
  }

  #signal(signal: SignalEnvelope): void {
    const pid = new Pid(...signal.to);
    // For one that has ended: it must not go out again.
    if (processOf(pid)) deliver(pid, signal);
  }

  async #answer(request: WorkerRequest): Promise<unknown> {
    if (request.name === "tree") {
      const root = this.#root && processOf(this.#root);
      return root && drawTree(root, request.connections);
    }
    if (isView(request)) return this.#views.answer(request);
    if (!("serial" in request)) return this.#limits.answer(request);
    const process = processOf(new Pid(this.#boot.worker, request.serial));
    if (request.name === "inspect") return process ? inspect(process) : null;
    if (process) exit(process.pid, request.reason);
    return process !== undefined;
  }

  /** Tells the primary what was counted, again and again. */
  #tell(): void {
    if (!this.#sampler || this.#stopping) return;
    this.#tellNow();
    clock.setTimeout(() => this.#tell(), SNAPSHOT_EVERY, true);
  }

  #tellNow(sent?: () => void): void {
    if (!this.#sampler) return sent?.();
    const snapshot = this.#sampler.take(this.#heartbeat.takeLag());
    this.#limits.heedDescriptors(snapshot.gauges);
    this.#post({ t: "snapshot", d: encodeSnapshot(snapshot) }, sent);
  }

  // -- the end ------------------------------------------------------------------------------------------

  /** Stops accepting, lets connections finish, and ends. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#socketCopies.close();
    // Still starting: nobody is connected, and the primary may have no listening socket to give any more.
    if (this.#root) await stopSupervisor(this.#root);
    this.#leave(0);
  }

  #treeEnded(reason: ExitReason): void {
    if (this.#stopping) return;
    this.#log.error(`tcp_server ended: ${formatReason(reason)}`);
    this.#leave(EXIT.gaveUp);
  }

  #broken(error: unknown, origin: string): void {
    this.#log.error(`${origin} outside of any process: the worker ends`, { err: error });
    this.#leave(1);
  }

  #fail(code: number, message: string): void {
    this.#post({ t: "failed", d: { code, message } }, () => process.exit(code));
  }

  /** Ends when the last numbers and the last line are out. */
  #leave(code: number): void {
    this.#stopping = true;
    const last = () => void Promise.resolve(this.#log.close()).then(() => process.exit(code));
    this.#tellNow(last);
  }
}
