/**
 * One coarse wheel for the deadlines of all connections of a worker, instead of a timer each: a ring of
 * slots of 100 ms, each a list linked through the connections themselves. Reading or writing touches only
 * a number; a connection is looked at when its slot comes up, and either has run out or moves on.
 *
 * Never early; late by two slots at most while the event loop turns.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";

/** Something with a deadline. The wheel owns the three `wheel*` fields. */
export interface TimerWheelEntry {
  wheelSlot: number;
  wheelNext: TimerWheelEntry | undefined;
  wheelPrev: TimerWheelEntry | undefined;
  /** The slot's time has come. Returns when to look again (clock milliseconds), `Infinity` for never. */
  onDeadline(now: number): number;
}

/** The length of a slot in milliseconds. */
export const RESOLUTION = 100;
const SLOTS = 512;
/** In no slot. */
export const NO_SLOT = -1;
/** Behind by so many slots, this OS process was not running: what clients sent meanwhile has not been read. */
const ASLEEP = 10;

export class TimerWheel {
  readonly #slots: (TimerWheelEntry | undefined)[] = new Array(SLOTS).fill(undefined);
  #tick = 0;
  #size = 0;
  #timer: TimerRef = undefined;
  /** The clock that `#timer` runs on: a test may have replaced it since. */
  #clock = clock;

  /** How many are waiting. */
  get size(): number {
    return this.#size;
  }

  /** Looks at `one` when `at` has passed; if it is already to be looked at earlier, nothing changes. */
  schedule(one: TimerWheelEntry, at: number): void {
    if (at === Infinity) return;
    if (this.#timer === undefined || this.#clock !== clock) this.#start();
    const ticks = Math.min(Math.max(Math.ceil(at / RESOLUTION) - this.#tick, 1), SLOTS - 1);
    if (one.wheelSlot !== NO_SLOT) {
      if (this.#ahead(one.wheelSlot) <= ticks) return;
      this.remove(one);
    }
    const slot = (this.#tick + ticks) % SLOTS;
    const first = this.#slots[slot];
    one.wheelSlot = slot;
    one.wheelNext = first;
    if (first) first.wheelPrev = one;
    this.#slots[slot] = one;
    this.#size++;
  }

  /** In how many ticks a slot comes up. Ticks are counted from the clock's zero, and go once around in 51 s. */
  #ahead(slot: number): number {
    return (slot - (this.#tick % SLOTS) + SLOTS) % SLOTS;
  }

  remove(one: TimerWheelEntry): void {
    if (one.wheelSlot === NO_SLOT) return;
    if (one.wheelPrev) one.wheelPrev.wheelNext = one.wheelNext;
    else this.#slots[one.wheelSlot] = one.wheelNext;
    if (one.wheelNext) one.wheelNext.wheelPrev = one.wheelPrev;
    one.wheelSlot = NO_SLOT;
    one.wheelNext = one.wheelPrev = undefined;
    this.#size--;
  }

  /** Turns only while somebody waits. Nobody is in a slot while it stands still, so it may jump. */
  #start(): void {
    this.#tick = slotOf(clock.now());
    this.#arm();
  }

  #arm(): void {
    this.#clock = clock;
    this.#timer = clock.setTimeout(this.#awake, RESOLUTION, true);
  }

  readonly #awake = (): void => {
    // After a stop of the whole process (SIGSTOP, a sleeping machine, a handler that took seconds) the sockets
    // are read first: a frame that lies in the kernel's buffer has come in time.
    if (slotOf(clock.now()) - this.#tick > ASLEEP) setImmediate(this.#turn);
    else this.#turn();
  };

  readonly #turn = (): void => {
    const now = clock.now();
    const until = slotOf(now);
    // Once around is enough: every slot has been looked at.
    if (until - this.#tick >= SLOTS) this.#tick = until - SLOTS;
    // A late tick goes through every slot that it has missed.
    while (this.#tick < until) {
      this.#tick++;
      this.#expire(this.#tick % SLOTS, now);
    }
    if (this.#size > 0) this.#arm();
    else this.#timer = undefined;
  };

  #expire(slot: number, now: number): void {
    // Always the head: what is looked at may end others of the same slot. None comes back into this slot.
    for (let due = this.#slots[slot]; due; due = this.#slots[slot]) {
      this.remove(due);
      this.schedule(due, due.onDeadline(now));
    }
  }
}

/**
 * The time in whole milliseconds, rounded up so that nothing that is counted from it comes early. For the fields
 * of connections: V8 keeps small whole numbers in the object itself, and gives every other number 16 bytes more.
 */
export function wholeMs(): number {
  return Math.ceil(clock.now());
}

function slotOf(time: number): number {
  return Math.floor(time / RESOLUTION);
}
