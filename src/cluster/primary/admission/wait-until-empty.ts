/**
 * Waiting until nobody is connected to some workers that accept nobody any more. Connections may end of
 * themselves until the deadline; those that are left then are told to stop, and get their shutdown time.
 *
 *   draining ──nobody left──▶ drained
 *       └──deadline──▶ those left are listed and told to stop ──nobody left──▶ drained
 */

import type { ConnectionRow } from "../../../control/connections.js";
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import { activeConnections, isEmpty, type WorkerSlot } from "../worker-slot.js";

export interface WaitUntilEmptyOptions {
  /** Those that are to be empty; asked again each time, because workers come and go. */
  slots(): readonly WorkerSlot[];
  readonly deadlineMs: number;
  /** The connections that are left, at most 1,000. */
  list(): Promise<readonly ConnectionRow[]>;
  onOver(): void;
}

export class WaitUntilEmpty {
  readonly #options: WaitUntilEmptyOptions;
  /** Connections there were when it began, as far as the workers have said by now. */
  before: number;
  #deadline: number;
  #timer: TimerRef;
  #over = false;
  unfinished: readonly ConnectionRow[] = [];
  /** How many were told to stop. */
  cut = 0;

  constructor(options: WaitUntilEmptyOptions) {
    this.#options = options;
    this.before = this.active;
    this.#deadline = clock.now() + options.deadlineMs;
    this.#timer = clock.setTimeout(() => void this.#cutOff(), options.deadlineMs);
  }

  get over(): boolean {
    return this.#over;
  }

  get active(): number {
    return this.#options.slots().reduce((sum, slot) => sum + activeConnections(slot), 0);
  }

  /** Until those that are left are told to stop. */
  get remainingMs(): number {
    return this.#over ? 0 : Math.max(0, Math.ceil(this.#deadline - clock.now()));
  }

  /** Sets an earlier deadline; a later one changes nothing. */
  hasten(deadlineMs: number): void {
    const deadline = clock.now() + deadlineMs;
    if (this.#over || deadline >= this.#deadline) return;
    this.#deadline = deadline;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => void this.#cutOff(), deadlineMs);
  }

  /** Something has changed. */
  check(): void {
    // Nobody new can come: more than before is what was not known yet.
    this.before = Math.max(this.before, this.active);
    if (this.#over || !this.#options.slots().every(isEmpty)) return;
    this.cancel();
    this.#options.onOver();
  }

  /** Waits no longer; who was not told to stop yet is not. */
  cancel(): void {
    this.#over = true;
    clock.clearTimeout(this.#timer);
  }

  async #cutOff(): Promise<void> {
    const rows = await this.#options.list();
    if (this.#over) return;
    this.unfinished = rows;
    const told = await Promise.all(
      this.#options.slots().map(({ process }) => (process ? process.request({ name: "cut" }) : 0)),
    );
    for (const count of told) if (typeof count === "number") this.cut += count;
  }
}
