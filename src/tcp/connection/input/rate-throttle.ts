/**
 * Limits on frames and bytes a second of one connection, by throttling: what is above them waits in the kernel, and TCP
 * pushes back on the client. Kept beside the connections, in a weak map: only protocols with such a limit have it.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { Limits } from "../../protocol/limits.js";
import type { ReaderWriter } from "./reader.js";
import type { Throttling } from "./throttle.js";

class RateThrottle implements Throttling {
  readonly alive = true;
  /** Of the protocol that it has now; an operator may change them. */
  limits: Limits;
  /** What may still be handled; below 0 nothing. At most what a second brings. */
  #frames: number;
  #bytes: number;
  #filledAt = clock.now();
  /** Bytes of the connection that are taken off already. */
  #counted = 0;
  #timer: TimerRef = undefined;
  /** Ends the wait for which `#timer` is set. */
  #goOn: (() => void) | undefined = undefined;

  constructor(limits: Limits) {
    this.limits = limits;
    this.#frames = limits.framesPerSecond;
    this.#bytes = limits.bytesPerSecond;
  }

  take(frames: number, bytesReceived: number): void {
    this.#fill();
    this.#frames -= frames;
    this.#bytes -= bytesReceived - this.#counted;
    this.#counted = bytesReceived;
  }

  #fill(): void {
    const now = clock.now();
    const seconds = (now - this.#filledAt) / 1_000;
    this.#filledAt = now;
    this.#frames = filled(this.#frames, this.limits.framesPerSecond, seconds);
    this.#bytes = filled(this.#bytes, this.limits.bytesPerSecond, seconds);
  }

  /** Frames that a turn may handle now; at least one, as its turn has come. */
  get frames(): number {
    this.#fill();
    return Math.max(1, Math.floor(this.#frames));
  }

  /** Milliseconds until frames may be handled: those of 10 ms together, so that a client at its limit costs few turns. */
  get #wait(): number {
    this.#fill();
    const { framesPerSecond, bytesPerSecond } = this.limits;
    const together = Math.max(1, framesPerSecond / 100);
    const frames = this.#frames >= 1 ? 0 : (together - this.#frames) / framesPerSecond;
    const bytes = this.#bytes >= 0 ? 0 : -this.#bytes / bytesPerSecond;
    return Math.max(frames, bytes) * 1_000;
  }

  get outputFull(): boolean {
    return this.#wait > 0;
  }

  room(): Promise<void> {
    const ms = Math.ceil(this.#wait);
    return new Promise((resolve) => {
      this.#goOn = resolve;
      this.#timer = clock.setTimeout(resolve, ms, true);
    });
  }

  /** The limits were changed: it waits by the present ones, if it has to. */
  recheck(): void {
    clock.clearTimeout(this.#timer);
    this.#goOn?.();
  }
}

function filled(left: number, rate: number, seconds: number): number {
  return rate === Infinity ? Infinity : Math.min(rate, left + seconds * rate);
}

const throttles = new WeakMap<ReaderWriter, RateThrottle>();

/** Most frames of a turn that begins. */
export function framesAllowed(io: ReaderWriter, limits: Limits): number {
  const throttle = throttles.get(io);
  if (throttle === undefined) return limits.framesPerTurn;
  throttle.limits = limits;
  return Math.min(limits.framesPerTurn, throttle.frames);
}

/** Frames were handled: counts them and the bytes that came since. */
export function heedRate(io: ReaderWriter, limits: Limits, frames: number): void {
  let throttle = throttles.get(io);
  if (throttle === undefined) {
    throttle = new RateThrottle(limits);
    throttles.set(io, throttle);
    io.throttleBy(throttle);
  }
  throttle.limits = limits;
  throttle.take(frames, io.bytesReceived);
}

/** The limits were changed while the connection may wait by those before. */
export function recheckRate(io: ReaderWriter): void {
  throttles.get(io)?.recheck();
}
