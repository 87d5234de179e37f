/**
 * Waits until workers that have stopped accepting have no connections. Connections may end by themselves until the
 * deadline; those left then are listed and shut down, and get their shutdown time.
 *
 *   draining ──no connections left──▶ drained
 *       └──deadline──▶ list and shut down what is left ──no connections left──▶ drained
 */

import type { ConnectionRow } from "../../../control/connections.js";
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { PrimaryListener } from "../primary-listener.js";
import { activeConnections, isEmpty, type WorkerSlot } from "../workers/worker-slot.js";

export interface WaitUntilEmptyOptions {
  /** The workers to wait for; called again each time, because workers are restarted. */
  slots(): readonly WorkerSlot[];
  readonly deadlineMs: number;
  /** Waits for the connections of this listener only. */
  readonly listener?: Pick<PrimaryListener, "name" | "at"> | undefined;
  /** The connections of these workers, at most 1,000. */
  list(): Promise<readonly ConnectionRow[]>;
  /** Called when connections were told to stop at the deadline. @param cut their number */
  onCut(unfinished: readonly ConnectionRow[], cut: number): void;
  onEmpty(): void;
}

export class WaitUntilEmpty {
  readonly #options: WaitUntilEmptyOptions;
  /** Connections at the start, as far as reported by now. */
  before: number;
  #deadline: number;
  #timer: TimerRef;
  #over = false;
  unfinished: readonly ConnectionRow[] = [];
  /** Number of connections that were shut down at the deadline. */
  cut = 0;

  constructor(options: WaitUntilEmptyOptions) {
    this.#options = options;
    this.before = this.active;
    this.#deadline = clock.now() + options.deadlineMs;
    this.#timer = clock.setTimeout(() => void this.#shutdownRest(), options.deadlineMs);
  }

  get over(): boolean {
    return this.#over;
  }

  get active(): number {
    const { slots, listener } = this.#options;
    return slots().reduce((sum, slot) => sum + activeConnections(slot, listener), 0);
  }

  /** Until the deadline; 0 when it is over. */
  get remainingMs(): number {
    return this.#over ? 0 : Math.max(0, Math.ceil(this.#deadline - clock.now()));
  }

  /** Sets an earlier deadline; a later one changes nothing. */
  shortenDeadline(deadlineMs: number): void {
    const deadline = clock.now() + deadlineMs;
    if (this.#over || deadline >= this.#deadline) return;
    this.#deadline = deadline;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => void this.#shutdownRest(), deadlineMs);
  }

  /** Called when a worker has changed. */
  check(): void {
    // No connection is accepted any more: a higher number was there before, but not reported.
    this.before = Math.max(this.before, this.active);
    const { slots, listener } = this.#options;
    if (this.#over || !slots().every((slot) => isEmpty(slot, listener))) return;
    this.cancel();
    this.#options.onEmpty();
  }

  /** Stops waiting. After this no connection is shut down. */
  cancel(): void {
    this.#over = true;
    clock.clearTimeout(this.#timer);
  }

  async #shutdownRest(): Promise<void> {
    const rows = await this.#options.list();
    if (this.#over) return;
    this.unfinished = rows;
    const { slots, listener } = this.#options;
    const request = { name: "shutdown-connections", listener: listener?.name } as const;
    const counts = await Promise.all(slots().map(({ process }) => (process ? process.request(request) : 0)));
    for (const count of counts) if (typeof count === "number") this.cut += count;
    if (this.cut > 0) this.#options.onCut(rows, this.cut);
  }
}
