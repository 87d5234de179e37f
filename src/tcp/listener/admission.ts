/**
 * Admission of one accepted socket: accept rate, room, gate, start of its connection.
 *
 *   accepted ─┬─▶ waits, where it cannot wait in the backlog ─▶ room, tokens ─┐
 *             └───────────────────────────────────────────────────────────────┴─▶ gate ─▶ start, or refused
 */
import { processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { cleanContext } from "../../transport/async-context.js";
import type { Socket } from "../../transport/transport.js";
import type { RatedListener } from "../admission/accept-rate.js";
import type { Admit } from "../admission/gate.js";
import { processRefusals } from "../admission/refusals.js";
import type { WaitingSockets } from "../admission/waiting-sockets.js";
import type { Connection } from "../connection/connection.js";
import type { Accepting } from "./accepting.js";
import type { ConnectionLimit } from "./connection-limit.js";
import type { ListenerOptions } from "./options.js";
import type { Shedding } from "./shedding.js";
import type { State } from "./state.js";
import type { TurningAway } from "./turning-away.js";

export interface AdmissionParts {
  readonly state: State;
  readonly limit: ConnectionLimit;
  readonly shedding: Shedding;
  readonly turningAway: TurningAway;
  readonly accepting: Accepting;
  /** Accepted sockets that wait for the accept rate, or for room. */
  readonly waiting: WaitingSockets;
}

export class Admission {
  readonly #options: ListenerOptions;
  readonly #listener: RatedListener;
  readonly #state: State;
  readonly #limit: ConnectionLimit;
  readonly #shedding: Shedding;
  readonly #turningAway: TurningAway;
  readonly #accepting: Accepting;
  readonly #waiting: WaitingSockets;

  /** @param listener which the accept rates know */
  constructor(options: ListenerOptions, parts: AdmissionParts, listener: RatedListener) {
    this.#options = options;
    this.#listener = listener;
    this.#state = parts.state;
    this.#limit = parts.limit;
    this.#shedding = parts.shedding;
    this.#turningAway = parts.turningAway;
    this.#accepting = parts.accepting;
    this.#waiting = parts.waiting;
  }

  /** Without a free descriptor libuv closes the clients that wait, without an event: it pauses before that. */
  accepted(socket: Socket): void {
    const { descriptors, renewable } = this.#options;
    const fd = descriptors && socket.fd;
    // Those that it refuses are none of the rate's.
    if (this.#turningAway.active && this.#turningAway.mode === "refuse") this.#admit(socket);
    else if (!renewable && this.#mustWait) this.#wait(socket);
    else this.takeAndAdmit(socket);
    if (fd === undefined) return;
    descriptors?.accepted(fd);
    this.#accepting.heedLimit();
  }

  /** Whether a socket that it has accepted must wait here. */
  get #mustWait(): boolean {
    if (this.#waiting.size > 0 || this.#options.rates?.spent) return true;
    return this.#turningAway.mode === "queue" && !this.#limit.hasRoom;
  }

  #wait(socket: Socket): void {
    const { rates, endpoint } = this.#options;
    if (!this.#waiting.add(socket)) {
      endpoint.counters.refused[rates?.spent ? "accept_rate" : "max_connections"]++;
      return socket.reset();
    }
    rates?.wait();
    if (this.#state.now === "listening") this.#accepting.become(rates?.spent ? "rate_limited" : "full");
  }

  /** Takes a token of the accept rate for it. */
  takeAndAdmit(socket: Socket): void {
    this.#options.rates?.take(this.#listener);
    this.#admit(socket);
  }

  #admit(socket: Socket): void {
    const { gate, opening, counters } = this.#options.endpoint;
    // Before its address is looked at: a flood of refused clients costs no more than that.
    if (this.#turningAway.mode === "refuse" && !this.#limit.hasRoom) return this.#refuse(socket);
    // Behind a proxy the address is that in the PROXY header.
    if (gate === undefined || gate.idle || opening?.proxy !== undefined) return void this.start(socket);
    // At the limit it has none until an idle connection is ended for it.
    const placed = this.#limit.hasRoom;
    if (!placed) this.#shedding.undecided++;
    let waited = false;
    const decided: Admit = (refused, group) => {
      if (!placed) this.#shedding.undecided--;
      const starts = refused === undefined && this.start(socket, group, placed && waited);
      if (refused !== undefined) {
        counters.refused[refused]++;
        socket.reset();
      } else if (!starts) gate.giveBack(group);
      if (!placed) this.#turningAway.heed();
      else if (!starts) this.#placeReleased();
    };
    gate.enter(socket.peer.address, decided, placed ? undefined : socket);
    waited = true;
    if (placed) this.#placeTaken();
    else if (this.#shedding.full) this.#turningAway.stop();
  }

  /** Its own listener, and the others that share a maximum with it, compare again. */
  #placeTaken(): void {
    const { shared, endpoint } = this.#options;
    this.#accepting.heedLimit();
    shared?.accepted(endpoint);
  }

  #placeReleased(): void {
    this.#options.shared?.released();
    this.#accepting.heedRoom();
  }

  /**
   * @param placed it has had a place since it was accepted, even if the limit was lowered meanwhile
   * @returns whether there was room for it, or will be
   */
  start(socket: Socket, group?: string, placed = false): boolean {
    const { endpoint, shared } = this.#options;
    const { counters } = endpoint;
    if (!placed && this.#turningAway.mode === "shed" && this.#limit.reached)
      return this.#shedFor(socket, group);
    if (!placed && shared?.reached) {
      counters.refused.max_connections++;
      socket.destroy();
      return false;
    }
    const supervisor = whereis(this.#options.connections)?.process as DynamicSupervisor<[]> | undefined;
    const started = placed ? supervisor?.startBeyond() : supervisor?.startNow();
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
    this.#placeTaken();
    return true;
  }

  #shedFor(socket: Socket, group: string | undefined): boolean {
    const sheds = this.#shedding.shedFor(socket, group);
    if (!sheds) this.#refuse(socket);
    else if (this.#shedding.full) this.#turningAway.stop();
    return sheds;
  }

  #refuse(socket: Socket): void {
    const { endpoint, fullFrame } = this.#options;
    endpoint.counters.refused.max_connections++;
    // Before TLS, and behind a proxy, the client would not understand it.
    const plain = endpoint.opening === undefined;
    processRefusals.refuse(socket, plain ? fullFrame : undefined);
  }
}
