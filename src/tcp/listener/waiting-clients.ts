/** Accepted sockets that wait in a listener, for room, for the accept rate or for the end of another connection. */
import { runInMicrotask } from "../../otp/process/microtask.js";
import type { WaitingSocket, WaitingSockets } from "../admission/waiting-sockets.js";
import type { Accepting } from "./accepting.js";
import type { Admission } from "./admission.js";
import type { ConnectionLimit } from "./connection-limit.js";
import type { ListenerOptions } from "./options.js";
import type { Shedding } from "./shedding.js";
import { isWaiting, type State } from "./state.js";
import type { TurningAway } from "./turning-away.js";

export interface WaitingClientsParts {
  readonly state: State;
  readonly limit: ConnectionLimit;
  readonly shedding: Shedding;
  readonly turningAway: TurningAway;
  readonly accepting: Accepting;
  readonly admission: Admission;
  /** Those that wait for the accept rate, or for room, where they cannot wait in the backlog. */
  readonly waiting: WaitingSockets;
}

export class WaitingClients {
  readonly #options: ListenerOptions;
  readonly #parts: WaitingClientsParts;

  constructor(options: ListenerOptions, parts: WaitingClientsParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Whether there are any. */
  get any(): boolean {
    const { waiting, shedding } = this.#parts;
    return shedding.waiting.size > 0 || waiting.size > 0;
  }

  /**
   * Only in a microtask is the connection that has ended none of its supervisor's any more.
   * @param alive whether the listener is
   */
  startSoon(alive: () => boolean): void {
    const { limit, shedding } = this.#parts;
    runInMicrotask(() => {
      // Where the limit was lowered meanwhile, the end of one connection has made no room for a socket that waits.
      const none = shedding.waiting.size > 0 && limit.reached;
      if (alive()) this.start();
      if (none) shedding.shedOne();
      this.#options.shared?.released();
    });
  }

  /** There may be room for them. */
  start(): void {
    const { accepting, turningAway } = this.#parts;
    this.#startInPlace();
    if (!this.#options.renewable) return this.#startAccepted();
    accepting.heedRoom();
    turningAway.heed();
  }

  /** Those for which another connection was ended. */
  #startInPlace(): void {
    const { shedding, limit, admission } = this.#parts;
    while (shedding.waiting.size > 0 && !limit.reached) {
      const { socket, group } = shedding.waiting.take() as WaitingSocket;
      if (!admission.start(socket, group)) this.#options.endpoint.gate?.giveBack(group);
    }
  }

  #startAccepted(): void {
    const { state, limit, turningAway, accepting, admission, waiting } = this.#parts;
    const { rates } = this.#options;
    let spent = rates?.spent === true;
    while (waiting.size > 0 && !spent && (limit.hasRoom || turningAway.mode !== "queue")) {
      admission.takeAndAdmit((waiting.take() as WaitingSocket).socket);
      spent = rates?.spent === true;
    }
    if (waiting.size === 0 && isWaiting(state.now)) accepting.become("listening", state.now);
    else if (waiting.size > 0 && spent) rates?.wait();
  }

  /** The listener has ended. */
  drop(): void {
    const { waiting, shedding } = this.#parts;
    for (const sockets of [waiting, shedding.waiting])
      for (let one = sockets.take(); one; one = sockets.take()) {
        this.#options.endpoint.gate?.giveBack(one.group);
        one.socket.destroy();
      }
  }
}
