/**
 * What a worker runs: the tutorial's server for one protocol, on a listening socket that the primary lends.
 * It obeys only the primary; signals to the whole process group (Ctrl-C, pm2) are not meant for it.
 */
import cluster from "node:cluster";
import { clock } from "../otp/clock.js";
import { supervisorReports } from "../otp/events.js";
import { type ExitReason, formatReason, ProcessExit } from "../otp/exit.js";
import { becomeWorker, Pid } from "../otp/pid.js";
import { onDown, processOf } from "../otp/process.js";
import { whereis } from "../otp/registry.js";
import { exit, send, useCarrier } from "../otp/signals.js";
import { stopSupervisor } from "../otp/supervisor.js";
import type { Listener } from "../tcp/listener.js";
import { type AnyProtocol, checkProtocol } from "../tcp/protocol.js";
import { startServer } from "../tcp/server.js";
import { Service } from "../tcp/service.js";
import { type Log, openLog } from "../telemetry/log.js";
import { encodeSnapshot } from "../telemetry/snapshot.js";
import { chooseTransport } from "../transport/choose.js";
import {
  type Boot,
  isEnvelope,
  type SignalEnvelope,
  type ToPrimary,
  type ToWorker,
  type WorkerRequest,
} from "./envelope.js";
import { inspect, picture } from "./picture.js";
import { Sampler } from "./sampler.js";
import { mapStacks } from "./stack.js";

/** The codes a worker gives for a failed start; those of the program. */
const NO_PROTOCOL = 66;
const UNAVAILABLE = 69;
/** A worker whose tree has ended by itself. */
const TREE_ENDED = 70;

/** How often the primary is told what was counted, in milliseconds. */
const SNAPSHOT_EVERY = 1_000;

/** Runs until the primary says stop, goes away, or the tree ends. */
export function runWorker(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
  let worker: WorkerMain | undefined;
  process.on("message", (message, handle) => {
    if (!isEnvelope(message)) return;
    if (message.t === "boot") {
      worker = new WorkerMain(message.d);
      void worker.start();
    } else if (worker) {
      worker.received(message as ToWorker, handle);
    } else if (message.t === "stop") {
      process.exit(0);
    }
  });
  process.send?.({ t: "hello" } satisfies ToPrimary);
  cluster.worker?.on("disconnect", () => {
    // Without this node:cluster ends the process on the spot, and every client with it.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    if (worker) void worker.stop();
    else process.exit(0);
  });
}

class WorkerMain {
  readonly #boot: Boot;
  readonly #log: Log;
  #sampler: Sampler | undefined = undefined;
  #root: Pid | undefined = undefined;
  #stopping = false;
  #acquiring = new Map<number, (handle: unknown) => void>();
  #lastAcquire = 0;

  constructor(boot: Boot) {
    this.#boot = boot;
    // The worker itself is <n.1>, in the primary; what it starts comes after.
    becomeWorker(boot.worker, 1);
    this.#log = openLog({
      ...boot.log,
      level: boot.log.level,
      worker: boot.worker,
      name: boot.name,
    } as Parameters<typeof openLog>[0]);
    process.on("uncaughtException", (error, origin) => this.#broken(error, origin));
    useCarrier({
      send: (to, payload) =>
        this.#post({ t: "signal", d: { to: [to.worker, to.serial], kind: "send", payload } }),
      exit: (to, payload) =>
        this.#post({ t: "signal", d: { to: [to.worker, to.serial], kind: "exit", payload } }),
    });
  }

  async start(): Promise<void> {
    const service = await this.#load();
    if (!service) return;
    this.#sampler = new Sampler(service, supervisorReports);
    const { maxConnections, backlog, shutdown, intensity, period } = this.#boot;
    try {
      this.#root = await startServer({
        service,
        acquire: () => this.#acquire(),
        renewable: true,
        transport: (await chooseTransport(this.#boot.transport, false)).transport,
        maxConnections,
        backlog,
        shutdown,
        intensity,
        period: `${period}s`,
      });
    } catch (error) {
      if (this.#stopping) return;
      return this.#fail(UNAVAILABLE, formatReason(error instanceof ProcessExit ? error.reason : error));
    }
    if (this.#stopping) return;
    onDown(this.#root, (reason) => this.#treeEnded(reason));
    const { address, transport } = this.#listener();
    this.#post({ t: "ready", d: { ...address, transport } });
    this.#tell();
  }

  async #load(): Promise<Service | undefined> {
    const { url, bundled } = this.#boot.protocol;
    if (bundled) mapStacks(bundled);
    try {
      const module = (await import(url)) as { default?: AnyProtocol };
      checkProtocol(module.default as AnyProtocol);
      return new Service(module.default as AnyProtocol, { idle: this.#boot.idle });
    } catch (error) {
      this.#fail(NO_PROTOCOL, error instanceof Error ? error.message : String(error));
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

  #acquire(): Promise<{ handle: unknown }> {
    const id = ++this.#lastAcquire;
    return new Promise((resolve) => {
      this.#acquiring.set(id, (handle) => resolve({ handle }));
      this.#post({ t: "acquire", id });
    });
  }

  received(message: ToWorker, handle: unknown): void {
    switch (message.t) {
      case "handle":
        this.#acquiring.get(message.id)?.(handle);
        this.#acquiring.delete(message.id);
        return;
      case "stop":
        return void this.stop();
      case "reopen":
        return this.#log.reopen();
      case "signal":
        return this.#signal(message.d);
      case "request":
        return void this.#answer(message.d).then((d) => this.#post({ t: "reply", id: message.id, d }));
    }
  }

  #signal({ to: [worker, serial], kind, payload }: SignalEnvelope): void {
    const pid = new Pid(worker, serial);
    if (worker !== this.#boot.worker || !processOf(pid)) return;
    if (kind === "send") send(pid, payload);
    else exit(pid, payload as ExitReason);
  }

  async #answer(request: WorkerRequest): Promise<unknown> {
    if (request.name === "tree") {
      const root = this.#root && processOf(this.#root);
      return root && picture(root, request.connections);
    }
    const process = processOf(new Pid(this.#boot.worker, request.serial));
    if (request.name === "inspect") return process && inspect(process);
    if (process) exit(process.pid, request.reason);
    return process !== undefined;
  }

  /** Tells the primary what was counted, again and again. */
  #tell(): void {
    if (!this.#sampler || this.#stopping) return;
    this.#post({ t: "snapshot", d: encodeSnapshot(this.#sampler.take(SNAPSHOT_EVERY)) });
    clock.setTimeout(() => this.#tell(), SNAPSHOT_EVERY, true);
  }

  // -- the end ------------------------------------------------------------------------------------------

  /** Stops accepting, lets connections finish, and ends. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    // Still starting: nobody is connected, and the primary may have no listening socket to give any more.
    if (this.#root) await stopSupervisor(this.#root);
    this.#leave(0);
  }

  #treeEnded(reason: ExitReason): void {
    if (this.#stopping) return;
    this.#log.error(`tcp_server ended: ${formatReason(reason)}`);
    this.#leave(TREE_ENDED);
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
    if (this.#sampler) this.#post({ t: "snapshot", d: encodeSnapshot(this.#sampler.take(0)) }, last);
    else last();
  }
}
