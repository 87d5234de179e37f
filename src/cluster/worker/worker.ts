/** Worker: runs all listeners, on copies of the primary's listening sockets, and reports to the primary. */

import { EXIT } from "../../config/exit-codes.js";
import { setTakeOver } from "../../groups/hub/name-grants.js";
import { setListed } from "../../groups/local/own-process.js";
import { setMaxMessage } from "../../groups/message.js";
import { supervisorReports } from "../../otp/events.js";
import { formatReason, ProcessExit } from "../../otp/process/exit-reason.js";
import { becomeWorker, Pid } from "../../otp/process/pid.js";
import { onDown, processOf } from "../../otp/process/process.js";
import { clock } from "../../otp/time/clock.js";
import { OwnNumbers } from "../../tcp/metrics/own-numbers.js";
import { MAX_OUTGOING_PROTOCOLS } from "../../tcp/observe/events.js";
import { limited, outgoingCounts } from "../../tcp/outgoing/outgoing-protocol.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { logConsole } from "../../telemetry/log/console.js";
import { type Log, type LogOptions, openLog } from "../../telemetry/log/log.js";
import { encodeSnapshot } from "../../telemetry/metrics/snapshot.js";
import { chooseTransport, linkTransport } from "../../transport/choose-transport.js";
import type { Boot } from "../channel/boot-message.js";
import { writeHeapReports } from "../channel/heap-report.js";
import type { SignalEnvelope, ToPrimary, ToWorker } from "../channel/messages.js";
import { deliver, setSignalCarrier } from "../channel/remote-signals.js";
import { WorkerAddresses } from "./listeners/addresses.js";
import { WorkerAdmission } from "./listeners/admission.js";
import { WorkerLimits } from "./listeners/limits.js";
import { WorkerTls } from "./listeners/tls.js";
import { WorkerListeners } from "./listeners/worker-listeners.js";
import { loadProtocols } from "./load-protocol.js";
import { MemoryMeter } from "./overload/memory-use.js";
import { Overload } from "./overload/overload.js";
import { shedConnections } from "./overload/shed-connections.js";
import { PrimaryChannel } from "./primary-channel.js";
import { answerRequest } from "./requests.js";
import { Sampler } from "./sampler.js";
import { WorkerViews } from "./views.js";
import { Heartbeat } from "./watch/heartbeat.js";
import { startWatchdogThread } from "./watch/watchdog-thread.js";
import { WorkerEnd } from "./worker-end.js";
import type { WorkerExchange } from "./worker-exchange.js";

/** In milliseconds. */
const SNAPSHOT_EVERY = 1_000;

export class Worker {
  readonly #boot: Boot;
  readonly #log: Log;
  readonly #logOptions: LogOptions;
  readonly #channel: PrimaryChannel;
  readonly #tls: WorkerTls;
  readonly #listeners: WorkerListeners;
  readonly #addresses: WorkerAddresses;
  readonly #limits: WorkerLimits;
  readonly #admission: WorkerAdmission;
  readonly #heartbeat: Heartbeat;
  readonly #overload: Overload;
  readonly #views: WorkerViews;
  readonly #end: WorkerEnd;
  /** Whether the periodic snapshot has not left yet. */
  #snapshotWaits = false;
  #sampler: Sampler | undefined = undefined;
  #root: Pid | undefined = undefined;
  #exchange: Promise<WorkerExchange> | undefined = undefined;

  constructor(boot: Boot) {
    this.#boot = boot;
    // Pid <n.1> is the worker as a process of the primary; pids of processes started here follow.
    becomeWorker(boot.worker, boot.serial);
    setMaxMessage(boot.maxMessage);
    setListed(boot.groups);
    setTakeOver(boot.takeOver);
    writeHeapReports(boot.heapReports);
    // `fallback`: a worker that cannot open its log file logs to stdout instead of failing.
    this.#logOptions = { ...boot.log, fallback: true, worker: boot.worker, name: boot.name };
    this.#log = openLog(this.#logOptions);
    logConsole(this.#log);
    this.#channel = new PrimaryChannel(this.#log);
    this.#tls = new WorkerTls(boot);
    this.#addresses = new WorkerAddresses((message) => this.#post(message));
    this.#limits = new WorkerLimits(
      boot,
      () => this.#listeners.all,
      () => this.#sendSnapshot(),
      this.#log,
    );
    this.#listeners = new WorkerListeners(boot, this.#tls, {
      maximum: () => this.#limits.maxConnections,
      overloaded: () => !this.#overload.accepting,
      post: (message) => this.#post(message),
      acceptRate: this.#limits.acceptRate,
      addresses: this.#addresses,
      descriptors: this.#limits,
    });
    this.#admission = new WorkerAdmission(() => this.#listeners.all, this.#addresses);
    this.#heartbeat = new Heartbeat(this.#log, boot.lagWarning);
    this.#overload = new Overload({
      log: this.#log,
      heartbeat: this.#heartbeat,
      meter: new MemoryMeter(),
      changed: () => void this.#acceptingChanged(),
      shed: (why) => shedConnections(this.#listeners.all, why),
    });
    this.#overload.terms = boot.overload;
    this.#views = new WorkerViews(this.#log, boot.follow, (message) => this.#channel.diagnostic(message));
    this.#end = new WorkerEnd({
      ...{ boot, log: this.#log, listeners: this.#listeners },
      root: () => this.#root,
      post: (message, sent) => this.#post(message, sent),
      sendSnapshot: (sent) => this.#sendSnapshot(sent),
    });
    process.on("uncaughtException", (error, origin) => this.#end.uncaught(error, origin));
    process.on("unhandledRejection", (thrown) => this.#end.rejected(thrown));
    setSignalCarrier(this.#channel);
  }

  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#end.fatal("the worker could not start", error);
    }
  }

  async #start(): Promise<void> {
    // A module of the user may hang while it is loaded. Ours do not: their thread starts last, as it costs 30 ms of CPU.
    if (this.#boot.inspect) await this.#openInspector();
    const early = this.#boot.protocols.some((module) => "user" in module);
    const watched = early ? this.#startWatchdogThread() : undefined;
    if (this.#boot.exchange !== undefined) await this.#useExchange(this.#boot.exchange);
    // To load it Node starts a thread, and would wait for ever when that cannot start.
    await watched;
    const protocols = await this.#load();
    if (!protocols) return;
    this.#sampler = new Sampler({
      listeners: this.#listeners.all,
      reports: supervisorReports,
      intensity: this.#boot.intensity,
      root: () => this.#root,
      limits: () => this.#limits,
      overload: this.#overload,
      channelMessagesDropped: () => this.#channel.messagesDropped,
      own: new OwnNumbers(this.#listeners.numbered(protocols)),
    });
    try {
      this.#root = await this.#listeners.start(protocols);
    } catch (error) {
      if (this.#end.begun) return;
      return this.#end.fail(
        EXIT.unavailable,
        formatReason(error instanceof ProcessExit ? error.reason : error),
      );
    }
    if (this.#end.begun) return;
    onDown(this.#root, (reason) => void this.#end.treeEnded(reason));
    this.#post({ t: "ready", d: this.#listeners.all.map(({ reported }) => reported) });
    this.#sendSnapshots();
    this.#heartbeat.serves();
    // Until the worker accepts, its slot serves no connection.
    if (!early) void this.#startWatchdogThread();
  }

  async #startWatchdogThread(): Promise<void> {
    if (!this.#boot.guarded) return;
    await startWatchdogThread(process.argv[1] as string, {
      heartbeat: this.#heartbeat.shared,
      primary: this.#boot.primary,
      log: this.#logOptions,
      modules: this.#boot.protocols.flatMap((module) => ("user" in module ? module.user.modules : [])),
      // An infinite loop may be debugged as well: it cannot hear that a debugger is attached.
      killAfter: this.#boot.inspect ? 0 : this.#boot.watchdog,
    });
  }

  /** On any free port of loopback: debuggers come through the primary, which so knows whether one is attached. */
  async #openInspector(): Promise<void> {
    const { open, url } = await import("node:inspector");
    open(0, "127.0.0.1");
    this.#post({ t: "inspector", d: url() ?? "" });
  }

  /** Its code is loaded only here: a server without groups has none of it. */
  async #useExchange(path: string): Promise<void> {
    const { worker, listeners } = this.#boot;
    this.#exchange ??= import("./worker-exchange.js").then(async ({ WorkerExchange }) => {
      const deliver = (signal: SignalEnvelope) => this.#deliver(signal);
      const { transport } = await chooseTransport(linkTransport(listeners), false);
      const exchange = new WorkerExchange({ path, transport, worker }, this.#channel, deliver);
      setSignalCarrier(exchange);
      return exchange;
    });
    await (await this.#exchange).ready();
  }

  async #load(): Promise<AnyProtocol[] | undefined> {
    try {
      return await loadProtocols(this.#boot.protocols);
    } catch (error) {
      this.#end.fail(EXIT.noProtocol, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  // -- the channel --------------------------------------------------------------------------------------

  #post(message: ToPrimary, sent?: () => void): void {
    this.#channel.post(message, sent);
  }

  /** Handles a message of the primary. */
  received(message: ToWorker, handle: unknown): void {
    switch (message.t) {
      case "handle":
        return this.#listeners.find(message.d)?.socketCopies.received(handle);
      case "load":
        return this.#listeners.find(message.d)?.sendLoad();
      case "quota":
        return this.#listeners.find(message.d.listener)?.setQuota(message.d);
      case "bans":
        return this.#listeners.setBans(message.d);
      case "end-address":
        return this.#listeners.endAddress(message.d);
      case "addresses":
        return this.#addresses.received(message.d);
      case "stop":
        return void this.stop();
      case "exchange":
        return void this.#useExchange(message.d);
      case "log":
        this.#log.level = message.d;
        return;
      case "tls":
        return this.#tls.replace(message.d.listener, message.d.update);
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
          listeners: this.#listeners.all,
          views: this.#views,
          limits: this.#limits,
          admission: this.#admission,
          heartbeat: this.#heartbeat,
          overload: this.#overload,
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
    if (!this.#sampler || this.#end.begun) return;
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
    const sampler = this.#sampler;
    const snapshot = sampler.take(this.#heartbeat.takeLag());
    const outgoing = limited(outgoingCounts(), MAX_OUTGOING_PROTOCOLS);
    this.#limits.updateDescriptors(sampler.useIn(snapshot), () => sampler.descriptors());
    this.#post({ t: "snapshot", d: { snapshot: encodeSnapshot(snapshot), outgoing } }, sent);
  }

  async #acceptingChanged(): Promise<void> {
    await Promise.all(this.#listeners.all.map((listener) => listener.recheck()));
    this.#sendSnapshot();
  }

  /** Stops accepting, drains, and exits. */
  stop(): Promise<void> {
    return this.#end.stop();
  }
}
