/**
 * Timer wheel for connection deadlines: a ring of 512 slots of 100 ms, each a list linked through the connections
 * themselves, so that a deadline allocates nothing. Traffic only writes a number in the connection; when its slot
 * comes up the connection compares that number with the time, and either has expired or is scheduled again.
 *
 * Never early; at most two slots late while the event loop is not blocked.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { cleanContext } from "../../transport/async-context.js";

/** A connection with a deadline. The timer wheel owns the three `wheel*` fields. */
export interface TimerWheelEntry {
  wheelSlot: number;
  wheelNext: TimerWheelEntry | undefined;
  wheelPrev: TimerWheelEntry | undefined;
  /** Its slot has come up. @returns when to call again, in clock milliseconds; `Infinity` for never */
  onDeadline(now: number): number;
}

/** The length of a slot in milliseconds. */
export const RESOLUTION = 100;
const SLOTS = 512;
/** Not scheduled. */
export const NO_SLOT = -1;
/** Behind by this many slots, the OS process was stopped or blocked: what clients sent meanwhile is still unread. */
const BLOCKED_SLOTS = 10;

export class TimerWheel {
  readonly #slots: (TimerWheelEntry | undefined)[] = new Array(SLOTS).fill(undefined);
  #tick = 0;
  #size = 0;
  #timer: TimerRef = undefined;
  /** The clock that `#timer` runs on: a test may have replaced it since. */
  #clock = clock;

  /** Scheduled entries. */
  get size(): number {
    return this.#size;
  }

  /** Calls `onDeadline` after `at` (clock milliseconds), unless an earlier call is already scheduled. */
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

  /** Ticks until a slot comes up. Ticks count from the clock's zero; the ring takes 51 s. */
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

  /** The timer runs only while entries are scheduled. With none the tick may jump to the present. */
  #start(): void {
    this.#tick = slotOf(clock.now());
    this.#arm();
  }

  #arm(): void {
    this.#clock = clock;
    this.#timer = clock.setTimeout(this.#awake, RESOLUTION, true);
  }

  readonly #awake = (): void => {
    // After SIGSTOP, a suspended machine or a handler that took seconds the sockets are read first: a frame that
    // waits in the kernel's buffer arrived in time.
    if (slotOf(clock.now()) - this.#tick > BLOCKED_SLOTS) setImmediate(this.#turn);
    else this.#turn();
  };

  readonly #turn = (): void => {
    const now = clock.now();
    const until = slotOf(now);
    // One round visits every slot.
    if (until - this.#tick >= SLOTS) this.#tick = until - SLOTS;
    // A late tick visits every slot that it has missed.
    while (this.#tick < until) {
      this.#tick++;
      this.#expire(this.#tick % SLOTS, now);
    }
    if (this.#size > 0) this.#arm();
    else this.#timer = undefined;
  };

  #expire(slot: number, now: number): void {
    // Always the head: a deadline may end other connections of the slot. None is scheduled into this slot again.
    for (let due = this.#slots[slot]; due; due = this.#slots[slot]) {
      this.remove(due);
      this.schedule(due, cleanContext().runInAsyncScope(due.onDeadline, due, now));
    }
  }
}

/**
 * The clock in whole milliseconds, rounded up so that no deadline counted from it is early. For fields of
 * connections: V8 stores a small integer in the object itself, and any other number in 16 bytes of its own.
 */
export function wholeMs(): number {
  return Math.ceil(clock.now());
}

function slotOf(time: number): number {
  return Math.floor(time / RESOLUTION);
}
