/**
 * One coarse wheel for the deadlines of all connections of a worker, instead of a timer each: a ring of
 * slots of 100 ms, each a list linked through the connections themselves. Reading or writing touches only
 * a number; a connection is looked at when its slot comes up, and either has run out or moves on.
 *
 * Never early; late by at most one slot.
 */
import { clock, type TimerRef } from "../otp/clock.js";

/** Something with a deadline. The wheel owns the three `wheel*` fields. */
export interface Wheeled {
  wheelSlot: number;
  wheelNext: Wheeled | undefined;
  wheelPrev: Wheeled | undefined;
  /** The slot's time has come. Returns when to look again (clock milliseconds), `Infinity` for never. */
  onDeadline(now: number): number;
}

/** The length of a slot in milliseconds. */
export const RESOLUTION = 100;
const SLOTS = 512;
/** In no slot. */
export const NO_SLOT = -1;

export class Wheel {
  /** The time of the last tick: exact to one slot, and free to read. */
  now = clock.now();
  readonly #slots: (Wheeled | undefined)[] = new Array(SLOTS).fill(undefined);
  #tick = Math.floor(this.now / RESOLUTION);
  #size = 0;
  #timer: TimerRef = undefined;

  /** Looks at `one` when `at` has passed; if it is already to be looked at earlier, nothing changes. */
  schedule(one: Wheeled, at: number): void {
    if (at === Infinity) return;
    this.#start();
    const ticks = Math.min(Math.max(Math.ceil(at / RESOLUTION) + 1 - this.#tick, 1), SLOTS - 1);
    if (one.wheelSlot !== NO_SLOT) {
      const waits = (one.wheelSlot - this.#tick + SLOTS) % SLOTS || SLOTS;
      if (waits <= ticks) return;
      this.remove(one);
      this.#start();
    }
    const slot = (this.#tick + ticks) % SLOTS;
    const first = this.#slots[slot];
    one.wheelSlot = slot;
    one.wheelNext = first;
    if (first) first.wheelPrev = one;
    this.#slots[slot] = one;
    this.#size++;
  }

  remove(one: Wheeled): void {
    if (one.wheelSlot === NO_SLOT) return;
    if (one.wheelPrev) one.wheelPrev.wheelNext = one.wheelNext;
    else this.#slots[one.wheelSlot] = one.wheelNext;
    if (one.wheelNext) one.wheelNext.wheelPrev = one.wheelPrev;
    one.wheelSlot = NO_SLOT;
    one.wheelNext = one.wheelPrev = undefined;
    this.#size--;
  }

  /** Turns only while somebody waits. */
  #start(): void {
    if (this.#timer !== undefined) return;
    this.now = clock.now();
    // Nobody was in a slot while it stood still, so it may jump; with somebody in it, it must go through all.
    if (this.#size === 0) this.#tick = Math.floor(this.now / RESOLUTION);
    this.#arm();
  }

  #arm(): void {
    this.#timer = clock.setTimeout(() => this.#turn(), RESOLUTION, true);
  }

  #turn(): void {
    this.#timer = undefined;
    this.now = clock.now();
    const until = Math.floor(this.now / RESOLUTION);
    // A late tick (a handler that took long) goes through every slot that it has missed, once around at most.
    if (until - this.#tick >= SLOTS) this.#tick = until - SLOTS + 1;
    while (this.#tick < until) {
      this.#tick++;
      this.#expire(this.#tick % SLOTS);
    }
    if (this.#size > 0 && this.#timer === undefined) this.#arm();
  }

  #expire(slot: number): void {
    // Always the head: what is looked at may end others of the same slot. None comes back into this slot.
    for (let due = this.#slots[slot]; due; due = this.#slots[slot]) {
      this.remove(due);
      this.schedule(due, due.onDeadline(this.now));
    }
  }
}
