/**
 * Listener: the process that accepts sockets, starts a connection under `connections` for each, and hands the socket
 * over. Its parts decide when it accepts (`accepting.ts`) and what becomes of an accepted socket (`admission.ts`). Here are
 * its calls, and its reactions to changed limits, tokens of the accept rate and ends of connections.
 */
import { CallMessage } from "../../otp/gen-server/call.js";
import { type ExitReason, ProcessExit } from "../../otp/process/exit-reason.js";
import { ExitMessage, Process } from "../../otp/process/process.js";
import { register } from "../../otp/process/registry.js";
import type { RatedListener } from "../admission/accept-rate.js";
import { WaitingSockets } from "../admission/waiting-sockets.js";
import type { Endpoint } from "../endpoint.js";
import { Accepting } from "./accepting.js";
import { Admission } from "./admission.js";
import { ConnectionLimit } from "./connection-limit.js";
import { type ListenerAddress, ListeningSocket } from "./listening-socket.js";
import type { ListenerOptions } from "./options.js";
import { Shedding } from "./shedding.js";
import { type ListenerState, State } from "./state.js";
import { TurningAway } from "./turning-away.js";
import { WaitingClients } from "./waiting-clients.js";

export class Listener extends Process implements RatedListener {
  readonly #options: ListenerOptions;
  readonly #state: State;
  readonly #limit: ConnectionLimit;
  readonly #socket: ListeningSocket;
  readonly #accepting: Accepting;
  readonly #waitingClients: WaitingClients;

  constructor(options: ListenerOptions, parent: Process | undefined) {
    super(parent);
    this.trapExit = true;
    this.#options = options;
    const { endpoint, shared, rates } = options;
    const state = new State(this.pid, endpoint);
    const limit = new ConnectionLimit(options);
    const socket = new ListeningSocket(options, {
      accepted: (accepted) => admission.accepted(accepted),
      failed: (error) => this.exitWith({ accept: error.code ?? error.message }),
    });
    const shedding = new Shedding(options.connections);
    const reopen = () => accepting.reopen();
    const turningAway = new TurningAway(options, { state, socket, limit, shedding, reopen });
    const accepting = new Accepting(options, { state, socket, limit, turningAway }, this);
    const waiting = new WaitingSockets(options.backlog);
    const parts = { state, limit, shedding, turningAway, accepting, waiting };
    const admission = new Admission(options, parts, this);
    this.#waitingClients = new WaitingClients(options, { ...parts, admission });
    this.#state = state;
    this.#limit = limit;
    this.#socket = socket;
    this.#accepting = accepting;
    rates?.join(this);
    endpoint.onReleased = () => this.#released();
    shared?.join(endpoint, {
      heedLimit: () => accepting.heedLimit(),
      heedRoom: () => this.#heedSharedRoom(),
    });
  }

  get label(): string {
    return "listener";
  }

  get state(): ListenerState {
    return this.#state.now;
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint;
  }

  get address(): ListenerAddress {
    return this.#socket.address;
  }

  /** Maximum number of its connections in this OS process at present. */
  get maxConnections(): number {
    return this.#limit.maximum;
  }

  /** Whether it can stop accepting and go on without another copy of its socket. */
  get pausable(): boolean {
    return this.#socket.pausable;
  }

  /** Milliseconds for which it has been waiting for the accept rate. */
  get rateLimitedMs(): number {
    return this.#state.rateLimitedMs;
  }

  /** @throws ProcessExit `{ listen: code }` when the address cannot be had */
  async init(): Promise<void> {
    try {
      register(this.#options.registeredAs, this.pid);
      if (this.#options.suspended) this.#accepting.become("suspended");
      else await this.#accepting.open();
    } catch (error) {
      const failed = error as NodeJS.ErrnoException;
      this.listenFailed(failed);
      throw new ProcessExit(listenReason(failed), failed.message);
    }
  }

  // -- limits, tokens, ends of connections ----------------------------------------------------------------

  /** A limit, or what it does at its limit, has changed. */
  recheck(): void {
    this.#accepting.recheck();
  }

  heedRate(): void {
    this.#accepting.heedRate();
  }

  heedTokens(): void {
    if (this.#options.renewable) this.#accepting.heedTokens();
    else this.#waitingClients.start();
  }

  #released(): void {
    const { endpoint, quota, shared } = this.#options;
    quota?.released(endpoint.counters.active);
    if (this.#waitingClients.any) return this.#waitingClients.startSoon(() => this.alive);
    shared?.released();
    this.#accepting.heedReleased();
  }

  #heedSharedRoom(): void {
    if (this.#waitingClients.any) this.#waitingClients.start();
    this.#accepting.heedSharedRoom();
  }

  // -- messages -------------------------------------------------------------------------------------------

  protected receive(message: unknown): void {
    if (message instanceof CallMessage) return this.#answer(message);
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) this.exitWith(message.reason);
  }

  #answer(message: CallMessage): void {
    switch (message.name) {
      case "suspend":
        if (this.state !== "suspended") this.#accepting.suspend();
        return message.reply(this.state);
      case "resume":
        return this.#resume(message);
      case "limit":
        this.recheck();
        return message.reply(this.state);
      default:
        return message.fail(new Error(`a listener has no call "${message.name}"`));
    }
  }

  /** Replies once it has the socket, or is suspended again. */
  #resume(message: CallMessage): void {
    if (this.state !== "suspended") return message.reply(this.state);
    this.#accepting.open().then(
      () => message.reply(this.state),
      (error: NodeJS.ErrnoException) => this.listenFailed(error),
    );
  }

  /** Accepts no more, at once and for good: its OS process exits, and new clients are for the other workers. */
  leave(): void {
    this.#state.set("suspended");
    this.#accepting.end();
  }

  /** Its listening socket cannot be had. */
  listenFailed(error: NodeJS.ErrnoException): void {
    this.exitWith(listenReason(error));
  }

  protected override ended(_reason: ExitReason): void {
    const { endpoint, shared, rates } = this.#options;
    endpoint.onReleased = undefined;
    this.#state.count();
    shared?.leave(endpoint);
    rates?.leave(this);
    this.#waitingClients.drop();
    this.#accepting.end();
  }

  inspect(): Record<string, unknown> {
    const { endpoint, transport, backlog } = this.#options;
    const { maxConnections } = this;
    return {
      listener: endpoint.name,
      state: this.state,
      ...this.address,
      transport: transport.name,
      maxConnections,
      backlog,
    };
  }
}

/** Exit reason of a listener that cannot have its address. */
function listenReason({ code, message }: NodeJS.ErrnoException): ExitReason {
  return { listen: code ?? message };
}
