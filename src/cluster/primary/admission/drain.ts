/**
 * Drain: takes the program, or one listener, out of service without stopping it. New connections are suspended, and
 * existing ones may finish until a deadline. `resume` accepts again, `stop` ends the program.
 *
 *   idle ──begin──▶ draining ──no connections left──▶ drained ──resume──▶ idle
 */
import type { ConnectionRow } from "../../../control/connections.js";
import type { Draining } from "../../../control/program.js";
import type { WorkerSlot } from "../workers/worker-slot.js";
import { findListener, type Suspension } from "./suspend.js";
import { WaitUntilEmpty } from "./wait-until-empty.js";

/** A listener, as far as a drain needs it. */
export interface DrainedListener {
  readonly name: string;
  readonly at: number;
}

export interface DrainOptions {
  readonly suspension: Suspension;
  readonly listeners: readonly DrainedListener[];
  slots(): readonly WorkerSlot[];
  /** The current connections of all listeners or of one, at most 1,000. */
  list(listener: string | undefined): Promise<readonly ConnectionRow[]>;
  /** Called when connections were told to stop at the deadline. @param cut their number */
  onCut?(listener: string | undefined, unfinished: readonly ConnectionRow[], cut: number): void;
}

export class Drain {
  readonly #options: DrainOptions;
  /** By name of the listener; `undefined`: all listeners together. */
  readonly #waits = new Map<string | undefined, WaitUntilEmpty>();

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /**
   * Starts a drain. During one, the earlier of the two deadlines holds.
   * @param name of one listener
   * @throws Refusal `unknown` when there is no such listener
   */
  begin(deadlineMs: number, name?: string): Draining {
    const { suspension, listeners, slots, list, onCut } = this.#options;
    const listener = name === undefined ? undefined : findListener(listeners, name);
    const running = this.#waits.get(name);
    if (running) running.shortenDeadline(deadlineMs);
    else {
      const wait = new WaitUntilEmpty({
        slots,
        deadlineMs,
        listener,
        list: () => list(name),
        onCut: (unfinished, cut) => onCut?.(name, unfinished, cut),
        onEmpty: () => {},
      });
      this.#waits.set(name, wait);
      void suspension.suspend(name).then(() => wait.check());
    }
    return this.state(name);
  }

  /** Called when a worker has changed. */
  check(): void {
    for (const wait of this.#waits.values()) wait.check();
  }

  /**
   * Ends the drains that a resumed listener is part of. Connections that were already shut down are not kept.
   * @param name of the listener; `undefined`: all of them
   */
  end(name?: string): void {
    const ended = name === undefined ? [...this.#waits.keys()] : [name, undefined];
    for (const key of ended) {
      this.#waits.get(key)?.cancel();
      this.#waits.delete(key);
    }
  }

  /** @param name of one listener; @throws Refusal `unknown` when there is no such listener */
  state(name?: string): Draining {
    if (name !== undefined) findListener(this.#options.listeners, name);
    const wait = this.#waits.get(name);
    if (!wait) {
      return { status: "idle", before: 0, active: 0, remainingMs: 0, unfinished: [], cut: 0 };
    }
    const { over, before, active, remainingMs, unfinished, cut } = wait;
    return { status: over ? "drained" : "draining", before, active, remainingMs, unfinished, cut };
  }
}
