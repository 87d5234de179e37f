/**
 * The process that accepts: for every socket it starts a connection under `connections` and hands the socket
 * over. It does not know whether it has brothers in other OS processes; it is only given a way to come by
 * the listening socket, and may close its copy and ask for it again.
 *
 *   listening ──at the limit──▶ full ──room again──▶ listening
 *       └──suspend──▶ suspended ──resume──▶ listening
 */
import { CallMessage } from "../otp/call.js";
import { clock, type TimerRef } from "../otp/clock.js";
import type { DynamicSupervisor } from "../otp/dynamic-supervisor.js";
import { type ExitReason, ProcessExit } from "../otp/exit.js";
import { ExitMessage, Process, processOf } from "../otp/process.js";
import { register, whereis } from "../otp/registry.js";
import type { Listening, ListenTarget, Socket, Transport } from "../transport/transport.js";
import type { Connection } from "./connection.js";
import { listenerEvents } from "./events.js";
import type { Service } from "./service.js";

export interface ListenerOptions {
  readonly name: string;
  /** The registered name of the supervisor of its connections. */
  readonly connections: string;
  readonly service: Service;
  readonly transport: Transport;
  readonly backlog: number;
  /** Connections at most, in this OS process. */
  readonly maxConnections: number;
  /** Comes by the listening socket; called again after the copy was closed, if `renewable`. */
  acquire(): Promise<ListenTarget>;
  /** Whether closing and asking again loses no waiting client. Otherwise the excess is refused. */
  readonly renewable: boolean;
}

export type ListenerState = "listening" | "full" | "suspended" | "opening";

/** At this share of the limit a full listener accepts again at once. */
const RESUME_AT = 0.8;
/** Otherwise after so many milliseconds, if there is room then. */
const RESUME_SOON = 10;

export class Listener extends Process {
  readonly #options: ListenerOptions;
  #state: ListenerState = "opening";
  #listening: Listening | undefined = undefined;
  #soon: TimerRef = undefined;
  #address = { address: "", port: 0 };

  constructor(options: ListenerOptions, parent: Process | undefined) {
    super(parent);
    this.#options = options;
    this.trapExit = true;
    options.service.onReleased = () => this.#released();
  }

  get label(): string {
    return "listener";
  }

  get state(): ListenerState {
    return this.#state;
  }

  get address(): { readonly address: string; readonly port: number } {
    return this.#address;
  }

  /** In this OS process. */
  get maxConnections(): number {
    return this.#options.maxConnections;
  }

  /** @throws ProcessExit `{ listen: code }` when the address cannot be had */
  async init(): Promise<void> {
    try {
      register(this.#options.name, this.pid);
      await this.#open();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = { listen: code ?? message };
      this.exitWith(reason);
      throw new ProcessExit(reason, message);
    }
  }

  async #open(): Promise<void> {
    this.#state = "opening";
    const target = await this.#options.acquire();
    const { backlog, transport } = this.#options;
    const listening = await transport.listen(target, {
      backlog,
      onSocket: (socket) => this.#accept(socket),
      onError: (error) => this.#failed(error),
    });
    // Told to stop or to suspend while it waited: then this copy is not wanted any more.
    if (!this.alive || this.#state !== "opening") return listening.close();
    this.#listening = listening;
    this.#address = { address: listening.address, port: listening.port };
    this.#become("listening");
    this.#heedLimit();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#listening = undefined;
    this.exitWith({ accept: error.code ?? error.message });
  }

  #accept(socket: Socket): void {
    const { counters } = this.#options.service;
    const supervisor = whereis(this.#options.connections)?.process as DynamicSupervisor<[]> | undefined;
    const started = supervisor?.startNow();
    const connection =
      started && !("error" in started) && !(started instanceof Promise) ? processOf(started) : undefined;
    if (!connection) {
      counters.refused[
        started && "error" in started && started.error === "max_children" ? "max_connections" : "not_started"
      ]++;
      return socket.destroy();
    }
    (connection as Connection).socketReady(socket);
    this.#heedLimit();
  }

  /** At the limit the copy is closed: who comes now waits in the kernel's queue. */
  #heedLimit(): void {
    const { service, maxConnections, renewable } = this.#options;
    if (this.#state !== "listening" || !renewable || service.counters.active < maxConnections) return;
    this.#close("full");
  }

  /** Much room: at once. A little: in a moment, for asking for the socket costs more than an accept. */
  #released(): void {
    const { service, maxConnections } = this.#options;
    const { active } = service.counters;
    if (this.#state !== "full" || active >= maxConnections) return;
    if (active <= maxConnections * RESUME_AT) return this.#reopen();
    this.#soon ??= clock.setTimeout(() => {
      this.#soon = undefined;
      if (this.#state === "full" && service.counters.active < maxConnections) this.#reopen();
    }, RESUME_SOON);
  }

  #reopen(): void {
    this.#open().catch((error: NodeJS.ErrnoException) =>
      this.exitWith({ listen: error.code ?? error.message }),
    );
  }

  #close(state: ListenerState): void {
    this.#listening?.close();
    this.#listening = undefined;
    this.#become(state);
  }

  #become(state: ListenerState): void {
    this.#state = state;
    if (!listenerEvents.hasSubscribers) return;
    listenerEvents.publish({ pid: this.pid, listener: this.#options.name, what: state, ...this.#address });
  }

  protected receive(message: unknown): void {
    if (message instanceof CallMessage) return this.#answer(message);
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) this.exitWith(message.reason);
  }

  #answer(message: CallMessage): void {
    switch (message.name) {
      case "suspend":
        if (this.#state !== "suspended") this.#close("suspended");
        return message.reply(this.#state);
      case "resume":
        if (this.#state === "suspended") this.#reopen();
        return message.reply(this.#state);
      default:
        return message.fail(new Error(`a listener has no call "${message.name}"`));
    }
  }

  protected override ended(_reason: ExitReason): void {
    this.#options.service.onReleased = undefined;
    clock.clearTimeout(this.#soon);
    this.#listening?.close();
    this.#listening = undefined;
  }

  inspect(): Record<string, unknown> {
    const { name, transport, maxConnections, backlog } = this.#options;
    return {
      listener: name,
      state: this.#state,
      ...this.#address,
      transport: transport.name,
      maxConnections,
      backlog,
    };
  }
}
