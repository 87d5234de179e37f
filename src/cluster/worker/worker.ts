/** Worker: runs `tcp_server` for one protocol, on copies of the primary's listening socket, and reports to the primary. */

import { EXIT } from "../../config/exit-codes.js";
import { supervisorReports, unhandledRejections } from "../../otp/events.js";
import { type ExitReason, formatReason, ProcessExit, reasonOf } from "../../otp/process/exit-reason.js";
import { becomeWorker, Pid } from "../../otp/process/pid.js";
import { onDown, processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import { stopSupervisor } from "../../otp/supervisor/supervisor.js";
import { clock } from "../../otp/time/clock.js";
import { Endpoint } from "../../tcp/endpoint.js";
import type { Listener } from "../../tcp/listener.js";
import type { CompiledProtocol } from "../../tcp/protocol/compiled-protocol.js";
import { startServer } from "../../tcp/server.js";
import { logConsole } from "../../telemetry/log/console.js";
import { type Log, type LogOptions, openLog } from "../../telemetry/log/log.js";
import { encodeSnapshot } from "../../telemetry/metrics/snapshot.js";
import { chooseTransport } from "../../transport/choose-transport.js";
import type { Boot, SignalEnvelope, ToPrimary, ToWorker } from "../channel/messages.js";
import { deliver, setSignalCarrier } from "../channel/remote-signals.js";
import { AcceptBalance } from "./accept-balance.js";
import { Heartbeat } from "./heartbeat.js";
import { WorkerLimits } from "./limits.js";
import { ListeningSocketCopies } from "./listening-socket-copies.js";
import { loadProtocol } from "./load-protocol.js";
import { PrimaryChannel } from "./primary-channel.js";
import { answerRequest } from "./requests.js";
import { Sampler } from "./sampler.js";
import { WorkerViews } from "./views.js";
import { startWatchdogThread } from "./watchdog-thread.js";

/** In milliseconds. */
const SNAPSHOT_EVERY = 1_000;

export class Worker {
  readonly #boot: Boot;
  readonly #log: Log;
  readonly #logOptions: LogOptions;
  readonly #channel: PrimaryChannel;
  readonly #endpoint: Endpoint;
  readonly #limits: WorkerLimits;
  readonly #acceptBalance: AcceptBalance;
  readonly #heartbeat: Heartbeat;
  readonly #views: WorkerViews;
  readonly #socketCopies = new ListeningSocketCopies(() => this.#post({ t: "acquire" }));
  /** Whether the periodic snapshot has not left yet. */
  #snapshotWaits = false;
  #sampler: Sampler | undefined = undefined;
  #root: Pid | undefined = undefined;
  #stopping = false;

  constructor(boot: Boot) {
    this.#boot = boot;
    // Pid <n.1> is the worker as a process of the primary; pids of processes started here follow.
    becomeWorker(boot.worker, boot.serial);
    // `fallback`: a worker that cannot open its log file logs to stdout instead of failing.
    this.#logOptions = { ...boot.log, fallback: true, worker: boot.worker, name: boot.name };
    this.#log = openLog(this.#logOptions);
    logConsole(this.#log);
    this.#channel = new PrimaryChannel(this.#log);
    this.#endpoint = new Endpoint({ timed: boot.timed });
    this.#limits = new WorkerLimits(boot, () => this.#sendSnapshot(), this.#log);
    this.#acceptBalance = new AcceptBalance({
      quota: boot.quota,
      reportAt: boot.reportAt,
      counters: () => this.#endpoint.counters,
      mayClose: () => this.#socketCopies.ready,
      report: () => this.#sendLoad(true),
      changed: () => this.#limits.recheck(),
    });
    this.#heartbeat = new Heartbeat(this.#log, boot.lagWarning);
    this.#views = new WorkerViews(this.#log, boot.followed, (message) => this.#channel.diagnostic(message));
    process.on("uncaughtException", (error, origin) => this.#uncaught(error, origin));
    process.on("unhandledRejection", (thrown) => this.#rejected(thrown));
    setSignalCarrier(this.#channel);
  }

  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#fatal("the worker could not start", error);
    }
  }

  async #start(): Promise<void> {
    const protocol = await this.#load();
    if (!protocol) return;
    this.#sampler = new Sampler(
      this.#endpoint,
      supervisorReports,
      () => this.#limits.maxConnections,
      () => this.#channel.messagesDropped,
    );
    try {
      this.#root = await this.#startServer(protocol);
    } catch (error) {
      if (this.#stopping) return;
      return this.#fail(EXIT.unavailable, formatReason(error instanceof ProcessExit ? error.reason : error));
    }
    if (this.#stopping) return;
    onDown(this.#root, (reason) => this.#treeEnded(reason));
    const { address } = processOf(whereis("listener") as Pid) as Listener;
    this.#post({ t: "ready", d: { ...address, transport: this.#boot.transport } });
    this.#sendSnapshots();
    // Started last: until the worker accepts, its slot serves no connection.
    startWatchdogThread(process.argv[1] as string, {
      heartbeat: this.#heartbeat.shared,
      primary: process.ppid,
      log: this.#logOptions,
      modules: "user" in this.#boot.protocol ? this.#boot.protocol.user.modules : [],
      killAfter: this.#boot.watchdog,
    });
  }

  async #load(): Promise<CompiledProtocol | undefined> {
    try {
      return await loadProtocol(this.#boot, this.#endpoint.latency);
    } catch (error) {
      this.#fail(EXIT.noProtocol, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  async #startServer(protocol: CompiledProtocol): Promise<Pid> {
    const limits = this.#limits;
    const { address, backlog, shutdown, intensity, period } = this.#boot;
    return startServer({
      endpoint: this.#endpoint,
      protocol,
      // A UNIX socket does not tell its path.
      acquire: async () => ({ ...(await this.#socketCopies.acquire()), address: address.address }),
      renewable: true,
      quota: this.#acceptBalance,
      transport: (await chooseTransport(this.#boot.transport, false)).transport,
      get maxConnections() {
        return limits.maxConnections;
      },
      get suspended() {
        return limits.suspended;
      },
      address,
      backlog,
      shutdown,
      intensity,
      period: `${period}s`,
    });
  }

  // -- the channel --------------------------------------------------------------------------------------

  #post(message: ToPrimary, sent?: () => void): void {
    this.#channel.post(message, sent);
  }

  #sendLoad(ahead: boolean): void {
    this.#post({ t: "load", d: { active: this.#endpoint.counters.active, ahead } });
  }

  /** Handles a message of the primary. */
  received(message: ToWorker, handle: unknown): void {
    switch (message.t) {
      case "handle":
        return this.#socketCopies.received(handle);
      case "load":
        return this.#sendLoad(false);
      case "quota":
        return this.#acceptBalance.set(message.d);
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
        return this.#deliver(message.d);
      case "request": {
        const reply = answerRequest(message.d, {
          root: this.#root,
          views: this.#views,
          limits: this.#limits,
          sendSnapshot: () => this.#sendSnapshot(),
        });
        return void reply.then((d) => this.#post({ t: "reply", id: message.id, d }));
      }
    }
  }

  /** A signal for a process that has ended is dropped: sending it would pass it to the primary again. */
  #deliver(signal: SignalEnvelope): void {
    const pid = new Pid(...signal.to);
    if (processOf(pid)) deliver(pid, signal);
  }

  /** Sends a snapshot now, and then every second. */
  #sendSnapshots(): void {
    if (!this.#sampler || this.#stopping) return;
    // While the primary does not read, none is added: the next one has all totals.
    if (!this.#snapshotWaits) {
      this.#snapshotWaits = true;
      this.#sendSnapshot(() => {
        this.#snapshotWaits = false;
      });
    }
    clock.setTimeout(() => this.#sendSnapshots(), SNAPSHOT_EVERY, true);
  }

  #sendSnapshot(sent?: () => void): void {
    if (!this.#sampler) return sent?.();
    const snapshot = this.#sampler.take(this.#heartbeat.takeLag());
    const sampler = this.#sampler;
    this.#limits.updateDescriptors(snapshot.gauges, () => sampler.descriptors());
    this.#post({ t: "snapshot", d: encodeSnapshot(snapshot) }, sent);
  }

  // -- the end ------------------------------------------------------------------------------------------

  /** Stops accepting, drains, and exits. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#socketCopies.close();
    // Without a root the start has not finished: there are no connections, and the primary may have no socket any more.
    try {
      if (this.#root) await stopSupervisor(this.#root);
      this.#exit(0);
    } catch (error) {
      this.#fatal("the worker could not drain", error);
    }
  }

  #treeEnded(reason: ExitReason): void {
    if (this.#stopping) return;
    this.#log.error(`Supervisor tcp_server ended: ${formatReason(reason)}`);
    this.#exit(EXIT.gaveUp);
  }

  /** One forgotten `await` in a protocol must not end the connections of all other clients. */
  #rejected(thrown: unknown): void {
    unhandledRejections.publish({
      pid: new Pid(this.#boot.worker, 1),
      label: `worker ${this.#boot.worker}`,
      reason: reasonOf(thrown),
    });
  }

  #uncaught(error: unknown, origin: string): void {
    // Under `--unhandled-rejections=strict` Node says it twice; the second event is `unhandledRejection`.
    if (origin === "unhandledRejection") return;
    this.#fatal(`${origin} outside of any process`, error);
  }

  #fatal(what: string, error: unknown): void {
    this.#log.error(`${what}: the worker exits`, { err: error });
    this.#exit(1);
  }

  #fail(code: number, message: string): void {
    this.#post({ t: "failed", d: { code, message } }, () => this.#exitNow(code));
  }

  /** Exits after the last snapshot is sent and the log is flushed. */
  #exit(code: number): void {
    this.#stopping = true;
    this.#sendSnapshot(() => void Promise.resolve(this.#log.close()).then(() => this.#exitNow(code)));
  }

  /** Exit handlers of packages run, and may block: the primary kills the worker then, and takes this code for its status. */
  #exitNow(code: number): void {
    this.#post({ t: "exiting", d: { code } }, () => process.exit(code));
  }
}
