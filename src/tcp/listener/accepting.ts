/**
 * When a listener accepts: it stops at a limit, at its quota, at its accept rate and under overload, and goes on as soon
 * as it may. Each `heed…` compares its state with one of these.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { type AcceptQuota, NO_QUOTA } from "./accept-quota.js";
import type { ConnectionLimit } from "./connection-limit.js";
import type { ListeningSocket } from "./listening-socket.js";
import type { ListenerOptions } from "./options.js";
import { ReopenBudget } from "./reopen-budget.js";
import { isWaiting, type ListenerState, type State, type WaitState } from "./state.js";
import type { TurningAway } from "./turning-away.js";

/** At or below this share of its quota a listener that was ahead accepts again at once. */
const RESUME_AT = 0.8;
/** Above it, after this many milliseconds: meanwhile the listeners of other workers accept. */
const RESUME_SOON = 10;

export interface AcceptingParts {
  readonly state: State;
  readonly socket: ListeningSocket;
  readonly limit: ConnectionLimit;
  readonly turningAway: TurningAway;
}

/** The process of the listener. */
export interface AcceptingOwner {
  readonly alive: boolean;
  /** The listening socket cannot be had: it exits. */
  listenFailed(error: NodeJS.ErrnoException): void;
}

export class Accepting {
  readonly #options: ListenerOptions;
  readonly #owner: AcceptingOwner;
  readonly #state: State;
  readonly #socket: ListeningSocket;
  readonly #limit: ConnectionLimit;
  readonly #turningAway: TurningAway;
  readonly #quota: AcceptQuota;
  readonly #reopenBudget = new ReopenBudget();
  #soon: TimerRef = undefined;

  constructor(options: ListenerOptions, parts: AcceptingParts, owner: AcceptingOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#state = parts.state;
    this.#socket = parts.socket;
    this.#limit = parts.limit;
    this.#turningAway = parts.turningAway;
    this.#quota = options.quota ?? NO_QUOTA;
  }

  /** @throws NodeJS.ErrnoException when the address cannot be had */
  open(): Promise<void> {
    const before = this.#state.now;
    if (!this.#turningAway.active) this.#state.set("opening");
    return this.#socket.open(
      () => this.#needsSocket,
      () => this.#opened(before),
    );
  }

  /** Not when it was stopped or suspended while it waited for it. */
  get #needsSocket(): boolean {
    const { now } = this.#state;
    return this.#owner.alive && (now === "opening" || (now === "full" && this.#turningAway.active));
  }

  #opened(before: ListenerState): void {
    // A connection may have ended since it was asked for.
    if (this.#state.now === "full") return this.heedRoom();
    this.become("listening", before);
    this.heedLimit();
  }

  reopen(): void {
    this.open().catch((error: NodeJS.ErrnoException) => this.#owner.listenFailed(error));
  }

  /** @param before its last state other than `opening`, where it was opened or resumed */
  become(state: ListenerState, before?: ListenerState): void {
    const wasFull = this.#state.now === "full" || before === "full";
    this.#state.set(state);
    this.#turningAway.stateChanged(wasFull);
    this.#state.publish(state, before, this.#socket.address, this.#limit.none);
  }

  suspend(): void {
    this.#socket.close();
    this.become("suspended");
  }

  /** The listener has ended. */
  end(): void {
    clock.clearTimeout(this.#soon);
    this.#turningAway.end();
    this.#socket.close();
  }

  /** A limit, or what it does at its limit, has changed. */
  recheck(): void {
    this.#heedOverload();
    this.heedLimit();
    this.heedRoom();
    this.#turningAway.heed();
  }

  // -- limits ---------------------------------------------------------------------------------------------

  /** At the limit it accepts no more: new clients queue in the backlog. */
  heedLimit(): void {
    if (this.#state.now !== "listening" || !this.#options.renewable) return;
    if (this.#options.overloaded?.()) return this.#pause("overloaded");
    const { taken, maximum } = this.#limit;
    if (taken >= maximum) this.#pause("full");
    else if (taken >= this.#quota.reportAt && this.#quota.reached(taken)) this.#pause("ahead");
    else this.heedRate();
  }

  /** Without a token it accepts no more. */
  heedRate(): void {
    const { rates, renewable } = this.#options;
    if (this.#turningAway.active) this.#turningAway.heed();
    if (this.#state.now !== "listening" || !renewable || !rates?.spent) return;
    this.#pause("rate_limited");
    rates.wait();
  }

  /** Its worker is overloaded, or no longer. */
  #heedOverload(): void {
    const overloaded = this.#options.overloaded?.() === true;
    if (overloaded) this.#turningAway.stop();
    if (overloaded && isWaiting(this.#state.now)) return this.become("overloaded");
    if (!overloaded && this.#state.now === "overloaded") this.#resume();
  }

  #pause(state: WaitState | "overloaded"): void {
    this.#socket.pause();
    this.become(state);
  }

  // -- room -----------------------------------------------------------------------------------------------

  /** There may be tokens. */
  heedTokens(): void {
    if (this.#state.now === "full") this.#turningAway.heed();
    // No limit any more, or tokens; the connections that it may have are compared again by `#resume`.
    else if (this.#state.now === "rate_limited") this.heedRoom();
  }

  /** A connection has ended. */
  heedReleased(): void {
    const { active } = this.#options.endpoint.counters;
    const { now } = this.#state;
    if (now === "full" || (now === "ahead" && active <= this.#most * RESUME_AT)) this.heedRoom();
    else if (now === "ahead") this.#heedRoomAfter(RESUME_SOON);
  }

  /** One that is ahead waits for other workers, not for room, unless it is below its quota by now. */
  heedSharedRoom(): void {
    if (this.#state.now === "full") return this.heedRoom();
    if (this.#state.now === "ahead" && this.#limit.taken < this.#quota.value)
      this.#heedRoomAfter(RESUME_SOON);
  }

  heedRoom(): void {
    const { endpoint, rates, renewable } = this.#options;
    const { now } = this.#state;
    if (!isWaiting(now) || !renewable) return;
    if (endpoint.taken >= this.#most) return this.#heedNoRoom();
    if (rates?.spent) {
      rates.wait();
      return now === "rate_limited" ? undefined : this.become("rate_limited", now);
    }
    if (this.#turningAway.active && this.#socket.isOpen) return this.become("listening", now);
    if (this.#socket.pausable) return this.#resume();
    const ms = now === "full" ? this.#reopenBudget.take(clock.now()) : 0;
    if (ms === 0) this.reopen();
    else this.#heedRoomAfter(ms);
  }

  #heedNoRoom(): void {
    const { taken, maximum } = this.#limit;
    // Above a limit that was lowered it may have waited for the end of some.
    if (this.#state.now === "full") this.#turningAway.heed();
    // It waits for room now, which is reported when there is some.
    else if (taken >= maximum) this.become("full", "ahead");
  }

  #heedRoomAfter(ms: number): void {
    this.#soon ??= clock.setTimeout(() => {
      this.#soon = undefined;
      this.heedRoom();
    }, ms);
  }

  /** Number of connections below which a waiting listener accepts again. */
  get #most(): number {
    const { maximum } = this.#limit;
    return this.#state.now === "ahead" ? Math.min(maximum, this.#quota.value) : maximum;
  }

  #resume(): void {
    const before = this.#state.now;
    if (!this.#socket.resume()) return this.reopen();
    this.become("listening", before);
    this.heedLimit();
  }
}
