/**
 * Listener: accepts sockets, starts a connection under `connections` for each, and hands the socket over. It gets its
 * listening socket from `acquire`. To stop accepting for a while it pauses, where the transport can, or closes that copy
 * and acquires it again. It does not know whether listeners of other OS processes accept on the same socket.
 *
 *   listening ──maxConnections reached──▶ full ──room again──▶ listening
 *       ├──quota reached──▶ ahead ──other workers have caught up──▶ listening
 *       ├──accept rate used up──▶ rate_limited ──tokens again──▶ listening
 *       ├──worker overloaded──▶ overloaded ──no longer──▶ listening
 *       └──suspend──▶ suspended ──resume──▶ listening
 */
import { CallMessage } from "../../otp/gen-server/call.js";
import { type ExitReason, ProcessExit } from "../../otp/process/exit-reason.js";
import { runInMicrotask } from "../../otp/process/microtask.js";
import { ExitMessage, Process, processOf } from "../../otp/process/process.js";
import { register, whereis } from "../../otp/process/registry.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { cleanContext } from "../../transport/async-context.js";
import type { Listening, ListenTarget, Pausing, Socket, Transport } from "../../transport/transport.js";
import type { AcceptRates } from "../admission/accept-rates.js";
import { type FullPolicy, QUEUE } from "../admission/full-policy.js";
import { IdleLongest } from "../admission/idle-longest.js";
import { processRefusals } from "../admission/refusals.js";
import { type WaitingSocket, WaitingSockets } from "../admission/waiting-sockets.js";
import type { Connection } from "../connection/connection.js";
import type { Endpoint } from "../endpoint.js";
import { listenerEvents } from "../observe/events.js";
import { type AcceptQuota, NO_QUOTA } from "./accept-quota.js";
import { ReopenBudget } from "./reopen-budget.js";
import type { SharedMaximum } from "./shared-maximum.js";

export interface ListenerOptions {
  readonly registeredAs: string;
  /** The registered name of the supervisor of its connections. */
  readonly connections: string;
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly backlog: number;
  /** Maximum number of its connections in this OS process. */
  readonly maxConnections: number;
  /** Maximum over all listeners of this OS process. Default: none. */
  readonly shared?: SharedMaximum | undefined;
  /** What it does with clients at its limit. Default: they wait. */
  readonly full?: FullPolicy | undefined;
  /** The frame of a client that is refused at the limit, encoded. Default: none. */
  readonly fullFrame?: Buffer | undefined;
  /** Bounds on new connections in a second. Default: none. */
  readonly rates?: AcceptRates | undefined;
  /** Whether its worker has too much to do or too little memory to accept. Default: never. */
  readonly overloaded?: (() => boolean) | undefined;
  /** Whether it starts suspended. */
  readonly suspended: boolean;
  /** Address of the listening socket, where it is known before `acquire`. */
  readonly address?: { readonly address: string; readonly port: number } | undefined;
  /** Provides the listening socket; called again after the copy was closed, if `renewable`. */
  acquire(): Promise<ListenTarget>;
  /** Told of each accepted socket; may lower `maxConnections` at once. Default: descriptors are not watched. */
  readonly descriptors?: { accepted(fd: number): void } | undefined;
  /** How far it may be ahead of other workers' listeners. Default: unlimited. */
  readonly quota?: AcceptQuota | undefined;
  /** Whether closing and acquiring again loses no client in the backlog. Otherwise the excess is refused. */
  readonly renewable: boolean;
}

export type ListenerState =
  | "listening"
  | "full"
  | "ahead"
  | "rate_limited"
  | "overloaded"
  | "suspended"
  | "opening";
/** States in which it does not accept, and will again by itself. */
type WaitState = "full" | "ahead" | "rate_limited";

/** The balance changes all the time, and the worker reports an overload. */
const QUIET: readonly (ListenerState | undefined)[] = ["ahead", "overloaded"];
/** At or below this share of its quota a listener that was ahead accepts again at once. */
const RESUME_AT = 0.8;
/** Above it, after this many milliseconds: meanwhile the listeners of other workers accept. */
const RESUME_SOON = 10;

/** Clients that may wait for the end of other connections at once. They are within the reserve of descriptors. */
const MOST_SHEDDING = 16;

export class Listener extends Process {
  readonly #options: ListenerOptions;
  readonly #quota: AcceptQuota;
  #state: ListenerState = "opening";
  #listening: Listening | undefined = undefined;
  readonly #reopenBudget = new ReopenBudget();
  #soon: TimerRef = undefined;
  #address: { readonly address: string; readonly port: number };
  /** When it began to wait for the accept rate. */
  #limitedAt = 0;
  /** Accepted sockets that wait for the accept rate, or for room, where it cannot leave them in the backlog. */
  readonly #waiting: WaitingSockets;
  readonly #full: FullPolicy;
  /** Full, it accepts all the same: to refuse, or to end another connection for it. */
  #turnsAway = false;
  /** Accepted sockets for which a connection is being ended. */
  readonly #inPlaceOf = new WaitingSockets(MOST_SHEDDING);
  readonly #idleLongest = new IdleLongest(() => this.#connections());

  constructor(options: ListenerOptions, parent: Process | undefined) {
    super(parent);
    this.#options = options;
    this.#quota = options.quota ?? NO_QUOTA;
    this.#address = options.address ?? { address: "", port: 0 };
    this.trapExit = true;
    const { endpoint, shared } = options;
    this.#waiting = new WaitingSockets(options.backlog);
    this.#full = options.full ?? QUEUE;
    options.rates?.join(this);
    endpoint.onReleased = () => this.#released();
    shared?.join(endpoint, {
      heedLimit: () => this.#heedLimit(),
      heedRoom: () => this.#heedSharedRoom(),
    });
  }

  get label(): string {
    return "listener";
  }

  get state(): ListenerState {
    return this.#state;
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint;
  }

  get address(): { readonly address: string; readonly port: number } {
    return this.#address;
  }

  /** Maximum number of its connections in this OS process at present. */
  get maxConnections(): number {
    const { maxConnections, shared, endpoint } = this.#options;
    return shared === undefined ? maxConnections : Math.min(maxConnections, shared.left(endpoint));
  }

  /** @throws ProcessExit `{ listen: code }` when the address cannot be had */
  async init(): Promise<void> {
    try {
      register(this.#options.registeredAs, this.pid);
      if (this.#options.suspended) this.#become("suspended");
      else await this.#open();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = { listen: code ?? message };
      this.exitWith(reason);
      throw new ProcessExit(reason, message);
    }
  }

  async #open(): Promise<void> {
    const before = this.#state;
    if (!this.#turnsAway) {
      this.#options.endpoint.counters.rateLimitedMs += this.rateLimitedMs;
      this.#state = "opening";
    }
    const target = await this.#options.acquire();
    const { backlog, transport } = this.#options;
    const listening = await transport.listen(target, {
      backlog,
      onSocket: (socket) => this.#accepted(socket),
      onError: (error) => this.#failed(error),
    });
    // Stopped or suspended while it waited: this copy is no longer needed.
    const needed = this.#state === "opening" || (this.#turnsAway && this.#state === "full");
    if (!this.alive || !needed || this.#listening) return listening.close();
    this.#listening = listening;
    this.#address = { address: listening.address, port: listening.port };
    if (this.#state === "full") return;
    this.#become("listening", before);
    this.#heedLimit();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#listening = undefined;
    this.exitWith({ accept: error.code ?? error.message });
  }

  /** Without a free descriptor libuv closes the clients that wait, without an event: it pauses before that. */
  #accepted(socket: Socket): void {
    const { descriptors, rates, renewable } = this.#options;
    const fd = descriptors && socket.fd;
    // Those that it refuses are none of the rate's.
    if (this.#turnsAway && this.#full.mode === "refuse") this.#accept(socket);
    else if (!renewable && this.#mustWait) this.#wait(socket);
    else {
      rates?.take(this);
      this.#accept(socket);
    }
    if (fd === undefined) return;
    descriptors?.accepted(fd);
    this.#heedLimit();
  }

  /** Whether a socket that it has accepted must wait here. */
  get #mustWait(): boolean {
    if (this.#waiting.size > 0 || this.#options.rates?.spent) return true;
    return this.#full.mode === "queue" && !this.#hasRoom;
  }

  get #hasRoom(): boolean {
    const { counters, gate } = this.#options.endpoint;
    return counters.active + (gate?.pending ?? 0) < this.maxConnections;
  }

  #wait(socket: Socket): void {
    const { rates, endpoint } = this.#options;
    if (!this.#waiting.add(socket)) {
      endpoint.counters.refused[rates?.spent ? "accept_rate" : "max_connections"]++;
      return socket.reset();
    }
    rates?.wait();
    if (this.#state === "listening") this.#become(rates?.spent ? "rate_limited" : "full");
  }

  #accept(socket: Socket): void {
    const { gate, opening, counters } = this.#options.endpoint;
    // Before its address is looked at: a flood of refused clients costs no more than that.
    if (this.#full.mode === "refuse" && !this.#hasRoom) return this.#refuse(socket);
    // Behind a proxy the address is that in the PROXY header.
    if (gate === undefined || gate.idle || opening?.proxy !== undefined) return void this.#start(socket);
    gate.enter(socket.peer.address, (refused, group) => {
      if (refused === undefined) return this.#start(socket, group) || gate.giveBack(group);
      counters.refused[refused]++;
      socket.reset();
      this.#heedRoom();
    });
    this.#heedLimit();
  }

  /** @returns whether there was room for it, or will be */
  #start(socket: Socket, group?: string): boolean {
    const { endpoint, shared } = this.#options;
    const { counters } = endpoint;
    if (this.#full.mode === "shed" && counters.active >= this.maxConnections)
      return this.#shedFor(socket, group);
    if (shared?.reached) {
      counters.refused.max_connections++;
      socket.destroy();
      return false;
    }
    const supervisor = whereis(this.#options.connections)?.process as DynamicSupervisor<[]> | undefined;
    const started = supervisor?.startNow();
    const connection =
      started && !("error" in started) && !(started instanceof Promise) ? processOf(started) : undefined;
    if (!connection) {
      counters.refused[
        started && "error" in started && started.error === "max_children" ? "max_connections" : "not_started"
      ]++;
      socket.destroy();
      return false;
    }
    endpoint.gate?.holds(connection, group);
    // `enter` runs in the callback of the listening socket, which all clients share.
    cleanContext().runInAsyncScope((connection as Connection).socketReady, connection, socket);
    this.#heedLimit();
    shared?.accepted(endpoint);
    return true;
  }

  #refuse(socket: Socket): void {
    const { endpoint, fullFrame } = this.#options;
    endpoint.counters.refused.max_connections++;
    // Before TLS, and behind a proxy, the client would not understand it.
    const plain = endpoint.opening === undefined;
    processRefusals.refuse(socket, plain ? fullFrame : undefined);
  }

  // -- at the limit ---------------------------------------------------------------------------------------

  #connections(): Connection[] {
    const supervisor = whereis(this.#options.connections)?.process as DynamicSupervisor<[]> | undefined;
    return (supervisor?.children() ?? []).flatMap((pid) => (processOf(pid) as Connection | undefined) ?? []);
  }

  /** Ends the connection that has been idle for longest. @returns false when none is idle, and it is refused */
  #shedFor(socket: Socket, group: string | undefined): boolean {
    const idle = this.#inPlaceOf.full ? undefined : this.#idleLongest.next();
    if (idle === undefined) {
      this.#refuse(socket);
      return false;
    }
    this.#inPlaceOf.add(socket, group);
    // It may be over when this returns, and the socket in its place.
    idle.shed();
    if (this.#inPlaceOf.full) this.#stopTurningAway();
    return true;
  }

  /** Only then is the connection that has ended none of its supervisor's any more. */
  #startWaitingSoon(): void {
    runInMicrotask(() => {
      // Where the limit was lowered meanwhile, the end of one connection has made no room for a socket that waits.
      const none = this.#inPlaceOf.size > 0 && this.#options.endpoint.counters.active >= this.maxConnections;
      if (this.alive) this.#startWaiting();
      if (none) this.#idleLongest.next()?.shed();
      this.#options.shared?.released();
    });
  }

  /** There may be room for a socket that is accepted already. */
  #startWaiting(): void {
    const { endpoint, rates, renewable } = this.#options;
    while (this.#inPlaceOf.size > 0 && endpoint.counters.active < this.maxConnections) {
      const { socket, group } = this.#inPlaceOf.take() as WaitingSocket;
      if (!this.#start(socket, group)) endpoint.gate?.giveBack(group);
    }
    if (renewable) {
      this.#heedRoom();
      return this.#heedFull();
    }
    while (this.#waiting.size > 0 && !rates?.spent && (this.#hasRoom || this.#full.mode !== "queue")) {
      rates?.take(this);
      this.#accept((this.#waiting.take() as WaitingSocket).socket);
    }
    if (this.#waiting.size > 0) rates?.wait();
    else if (isWaiting(this.#state)) this.#become("listening", this.#state);
  }

  /** Full everywhere, it accepts to turn clients away. */
  #heedFull(): void {
    const { mode, everywhere } = this.#full;
    const { rates } = this.#options;
    const turnsAway = mode === "refuse" || (mode === "shed" && this.#canShed && !rates?.spent);
    if (this.#state === "full" && mode === "shed" && rates?.spent) rates.wait();
    if (this.#state !== "full" || !everywhere || !turnsAway) return this.#stopTurningAway();
    if (this.#turnsAway) return;
    this.#turnsAway = true;
    if (this.#listening?.pausing) this.#listening.pausing.resume();
    else this.#reopen();
  }

  get #canShed(): boolean {
    const { active } = this.#options.endpoint.counters;
    // Above a limit that was lowered, the end of one connection makes no room.
    return active > 0 && active <= this.maxConnections && !this.#inPlaceOf.full;
  }

  /** Clients wait in the backlog again. */
  #stopTurningAway(): void {
    if (!this.#turnsAway) return;
    this.#turnsAway = false;
    if (this.#state !== "full") return;
    if (this.#listening?.pausing) this.#listening.pausing.pause();
    else {
      this.#listening?.close();
      this.#listening = undefined;
    }
  }

  /** At the limit it accepts no more: new clients queue in the backlog. */
  #heedLimit(): void {
    const { endpoint, renewable } = this.#options;
    if (this.#state !== "listening" || !renewable) return;
    if (this.#options.overloaded?.()) return this.#pause("overloaded");
    const active = endpoint.counters.active + (endpoint.gate?.pending ?? 0);
    if (active >= this.maxConnections) this.#pause("full");
    else if (active >= this.#quota.reportAt && this.#quota.reached(active)) this.#pause("ahead");
    else this.heedRate();
  }

  /** Without a token it accepts no more. */
  heedRate(): void {
    const { rates, renewable } = this.#options;
    if (this.#turnsAway) this.#heedFull();
    if (this.#state !== "listening" || !renewable || !rates?.spent) return;
    this.#pause("rate_limited");
    rates.wait();
  }

  /** There may be tokens. */
  heedTokens(): void {
    const { renewable } = this.#options;
    if (!renewable) return this.#startWaiting();
    if (this.#state === "full") return this.#heedFull();
    if (this.#state !== "rate_limited") return;
    // No limit any more, or tokens; the connections that it may have are compared again by `#resume`.
    this.#heedRoom();
  }

  #released(): void {
    const { endpoint, shared } = this.#options;
    const { active } = endpoint.counters;
    this.#quota.released(active);
    if (this.#inPlaceOf.size > 0 || this.#waiting.size > 0) return this.#startWaitingSoon();
    shared?.released();
    if (this.#state === "full" || (this.#state === "ahead" && active <= this.#most() * RESUME_AT))
      return this.#heedRoom();
    if (this.#state === "ahead") this.#heedRoomAfter(RESUME_SOON);
  }

  #heedRoom(): void {
    const { endpoint, rates, renewable } = this.#options;
    if (!isWaiting(this.#state) || !renewable) return;
    if (endpoint.counters.active >= this.#most())
      // It waits for room now, which is reported when there is some.
      return this.#state === "rate_limited" ? this.#become("full", "ahead") : undefined;
    if (rates?.spent) {
      rates.wait();
      return this.#state === "rate_limited" ? undefined : this.#become("rate_limited", this.#state);
    }
    if (this.#turnsAway && this.#listening) return this.#become("listening", this.#state);
    if (this.#listening?.pausing) return this.#resumePaused(this.#listening.pausing);
    const ms = this.#state === "full" ? this.#reopenBudget.take(clock.now()) : 0;
    if (ms === 0) this.#reopen();
    else this.#heedRoomAfter(ms);
  }

  /** One that is ahead waits for other workers, not for room, unless it is below its quota by now. */
  #heedSharedRoom(): void {
    if (this.#inPlaceOf.size > 0 || this.#waiting.size > 0) this.#startWaiting();
    if (this.#state === "full") return this.#heedRoom();
    if (this.#state === "ahead" && this.#options.endpoint.counters.active < this.#quota.value)
      this.#heedRoomAfter(RESUME_SOON);
  }

  #heedRoomAfter(ms: number): void {
    this.#soon ??= clock.setTimeout(() => {
      this.#soon = undefined;
      this.#heedRoom();
    }, ms);
  }

  /** Number of connections below which a waiting listener accepts again. */
  #most(): number {
    const { maxConnections } = this;
    return this.#state === "ahead" ? Math.min(maxConnections, this.#quota.value) : maxConnections;
  }

  #reopen(): void {
    this.#open().catch((error: NodeJS.ErrnoException) =>
      this.exitWith({ listen: error.code ?? error.message }),
    );
  }

  #resumePaused(pausing: Pausing): void {
    const before = this.#state;
    pausing.resume();
    this.#become("listening", before);
    this.#heedLimit();
  }

  /** Whether it can stop accepting and go on without another copy of its socket. */
  get pausable(): boolean {
    return this.#listening?.pausing !== undefined;
  }

  #pause(state: WaitState | "overloaded"): void {
    const { pausing } = this.#listening ?? {};
    if (!pausing) return this.#close(state);
    pausing.pause();
    this.#become(state);
  }

  #close(state: ListenerState): void {
    this.#listening?.close();
    this.#listening = undefined;
    this.#become(state);
  }

  /** Milliseconds for which it has been waiting for the accept rate. */
  get rateLimitedMs(): number {
    return this.#state === "rate_limited" ? clock.now() - this.#limitedAt : 0;
  }

  /** Its worker is overloaded, or no longer. */
  #heedOverload(): void {
    const overloaded = this.#options.overloaded?.() === true;
    if (overloaded) this.#stopTurningAway();
    if (overloaded && isWaiting(this.#state)) return this.#become("overloaded");
    if (overloaded || this.#state !== "overloaded") return;
    if (this.#listening?.pausing) this.#resumePaused(this.#listening.pausing);
    else this.#reopen();
  }

  /** Publishes an event, unless it paused for balance or overload, or resumes after that: none is worth a log line. */
  #become(state: ListenerState, before?: ListenerState): void {
    const { counters } = this.#options.endpoint;
    counters.rateLimitedMs += this.rateLimitedMs;
    this.#limitedAt = clock.now();
    const wasFull = this.#state === "full" || before === "full";
    this.#state = state;
    if (state !== "full") this.#turnsAway = false;
    if ((state === "full") !== wasFull) this.#full.changed(state === "full");
    if (state === "full") this.#heedFull();
    if (QUIET.includes(state) || QUIET.includes(before) || !listenerEvents.hasSubscribers) return;
    listenerEvents.publish({
      pid: this.pid,
      listener: this.#options.endpoint.name,
      what: state,
      ...(state === "listening" && (before === "full" || before === "rate_limited") && { resumed: true }),
      ...this.#address,
    });
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
        return this.#resume(message);
      case "limit":
        this.recheck();
        return message.reply(this.#state);
      default:
        return message.fail(new Error(`a listener has no call "${message.name}"`));
    }
  }

  /** A limit, or what it does at its limit, has changed. */
  recheck(): void {
    this.#heedOverload();
    this.#heedLimit();
    this.#heedRoom();
    this.#heedFull();
  }

  /** Replies once it has the socket, or is suspended again. */
  #resume(message: CallMessage): void {
    if (this.#state !== "suspended") return message.reply(this.#state);
    this.#open().then(
      () => message.reply(this.#state),
      (error: NodeJS.ErrnoException) => this.exitWith({ listen: error.code ?? error.message }),
    );
  }

  protected override ended(_reason: ExitReason): void {
    const { endpoint, shared } = this.#options;
    endpoint.onReleased = undefined;
    endpoint.counters.rateLimitedMs += this.rateLimitedMs;
    shared?.leave(endpoint);
    this.#options.rates?.leave(this);
    for (const waiting of [this.#waiting, this.#inPlaceOf])
      for (let one = waiting.take(); one; one = waiting.take()) {
        endpoint.gate?.giveBack(one.group);
        one.socket.destroy();
      }
    clock.clearTimeout(this.#soon);
    this.#listening?.close();
    this.#listening = undefined;
  }

  inspect(): Record<string, unknown> {
    const { endpoint, transport, backlog } = this.#options;
    const { maxConnections } = this;
    return {
      listener: endpoint.name,
      state: this.#state,
      ...this.#address,
      transport: transport.name,
      maxConnections,
      backlog,
    };
  }
}

function isWaiting(state: ListenerState): state is WaitState {
  return state === "full" || state === "ahead" || state === "rate_limited";
}
