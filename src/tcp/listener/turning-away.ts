/**
 * A full listener that accepts all the same, to refuse clients or to end other connections for them (`--when-full`),
 * while the listeners of other workers are full as well.
 */
import type { AcceptRates } from "../admission/accept-rates.js";
import { type FullPolicy, QUEUE, type WhenFull } from "../admission/full-policy.js";
import type { Endpoint } from "../endpoint.js";
import type { ConnectionLimit } from "./connection-limit.js";
import type { ListeningSocket } from "./listening-socket.js";
import type { Shedding } from "./shedding.js";
import type { State } from "./state.js";

export interface TurningAwayOptions {
  readonly endpoint: Endpoint;
  readonly full?: FullPolicy | undefined;
  readonly rates?: AcceptRates | undefined;
}

export interface TurningAwayParts {
  readonly state: State;
  readonly socket: ListeningSocket;
  readonly limit: ConnectionLimit;
  readonly shedding: Shedding;
  /** Opens the socket again, where it could not pause. */
  reopen(): void;
}

export class TurningAway {
  readonly #options: TurningAwayOptions;
  readonly #parts: TurningAwayParts;
  readonly #full: FullPolicy;
  #active = false;

  constructor(options: TurningAwayOptions, parts: TurningAwayParts) {
    this.#options = options;
    this.#parts = parts;
    this.#full = options.full ?? QUEUE;
  }

  /** Whether it accepts although it is full. */
  get active(): boolean {
    return this.#active;
  }

  /** What it does with clients at its limit, at present. */
  get mode(): WhenFull {
    return this.#full.mode;
  }

  /** @param wasFull whether it was full before its present state */
  stateChanged(wasFull: boolean): void {
    const full = this.#parts.state.now === "full";
    if (!full) this.#active = false;
    if (full !== wasFull) this.#full.changed(full);
    if (full) this.heed();
  }

  /** The listener has ended: its successor begins with room, until it says that it is full. */
  end(): void {
    if (this.#parts.state.now === "full") this.#full.changed(false);
  }

  /** Full everywhere, it accepts to turn clients away; otherwise they wait. */
  heed(): void {
    const { mode, everywhere } = this.#full;
    const { rates } = this.#options;
    const { state, socket } = this.#parts;
    const turnsAway = mode === "refuse" || (mode === "shed" && this.#canShed && !rates?.spent);
    if (state.now === "full" && mode === "shed" && rates?.spent) rates.wait();
    if (state.now !== "full" || !everywhere || !turnsAway) return this.stop();
    if (this.#active) return;
    this.#active = true;
    if (!socket.resume()) this.#parts.reopen();
  }

  get #canShed(): boolean {
    const { active } = this.#options.endpoint.counters;
    const { limit, shedding } = this.#parts;
    // Above a limit that was lowered, the end of one connection makes no room.
    return active > 0 && active <= limit.maximum && !shedding.full;
  }

  /** Clients wait in the backlog again. */
  stop(): void {
    if (!this.#active) return;
    this.#active = false;
    if (this.#parts.state.now === "full") this.#parts.socket.pause();
  }
}
