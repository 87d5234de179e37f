/**
 * What listeners do at their limit, over all workers. Clients are turned away only when the listeners of all workers are
 * full: before that, one that is full leaves them to the others, which share the backlog with it.
 */
import type { WhenFull } from "../../../../tcp/admission/full-policy.js";
import type { WorkerSlot } from "../../workers/worker-slot.js";

interface State {
  mode: WhenFull;
  /** Whether its workers were told that it is full everywhere. */
  everywhere: boolean;
  /** Slots whose workers have reported that it is full. */
  readonly full: Set<number>;
}

export class FullListeners {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #accepting: (listener: string) => readonly WorkerSlot[];
  readonly #states: ReadonlyMap<string, State>;

  /**
   * @param accepting slots in which the listener accepts
   * @param modes of each listener, by name
   */
  constructor(
    slots: () => readonly WorkerSlot[],
    accepting: (listener: string) => readonly WorkerSlot[],
    modes: ReadonlyMap<string, WhenFull>,
  ) {
    this.#slots = slots;
    this.#accepting = accepting;
    this.#states = new Map(
      [...modes].map(([name, mode]) => [name, { mode, everywhere: false, full: new Set<number>() }]),
    );
  }

  /** What a listener does at its limit. */
  mode(listener: string): WhenFull {
    return this.#state(listener).mode;
  }

  /** Replaces it while the program runs. */
  set(listener: string, mode: WhenFull): void {
    const state = this.#state(listener);
    if (state.mode === mode) return;
    state.mode = mode;
    this.#tell(listener, state);
  }

  /** A worker has reported whether its listener is full. */
  reported(slot: number, listener: string, full: boolean): void {
    const state = this.#states.get(listener);
    if (!state) return;
    if (full) state.full.add(slot);
    else state.full.delete(slot);
    this.settle();
  }

  /** Whether the worker in this slot has reported that the listener is full. */
  isFull(slot: number, listener: string): boolean {
    return this.#state(listener).full.has(slot);
  }

  /** A worker has ended, and with it what it had reported. */
  ended(slot: number): void {
    for (const { full } of this.#states.values()) full.delete(slot);
  }

  /** Tells the workers where it has changed; called when a worker has changed or sent a snapshot. */
  settle(): void {
    for (const [name, state] of this.#states) {
      const accepting = this.#accepting(name).filter(({ process }) => !process?.unresponsive);
      const everywhere = accepting.length > 0 && accepting.every(({ slot }) => state.full.has(slot));
      if (everywhere === state.everywhere) continue;
      state.everywhere = everywhere;
      if (state.mode !== "queue") this.#tell(name, state);
    }
  }

  #tell(listener: string, { mode, everywhere }: State): void {
    for (const { process } of this.#slots())
      void process?.request({ name: "when-full", listener, mode, everywhere });
  }

  #state(listener: string): State {
    return this.#states.get(listener) as State;
  }
}
