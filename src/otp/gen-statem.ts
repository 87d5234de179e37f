/**
 * The state machine: one dispatch for everything that has states, after OTP's gen_statem. A subclass says
 * where its events come from; a table of cells says what each state does with them.
 *
 *   event ─▶ cells[kind](self, content) ─▶ step ─┬ nothing   stay
 *                                                ├ postpone  stay; the event comes again after the next change of state
 *                                                ├ next(s)   leave ▸ change ▸ enter ▸ postponed events, oldest first
 *                                                └ stop(r)   leave ▸ terminate ▸ the end
 *
 * A handler may return a promise: then the machine takes no other event until it has settled. Exit signals
 * do not wait for that.
 */
import { clock, type TimerRef } from "./clock.js";
import { type ExitReason, reasonOf } from "./exit.js";
import type { Pid } from "./pid.js";
import { Process } from "./process.js";
import { Next, POSTPONE, type Step, Stop } from "./step.js";

/** What a handler gives back. */
export type Outcome = Step<string> | undefined | void | Promise<Step<string> | undefined | void>;

/** The cells that every state has, whatever the events. */
export interface Cells<Self> {
  readonly name: string;
  readonly enter: ((self: Self, from: string | undefined) => Outcome) | undefined;
  readonly leave: ((self: Self) => void) | undefined;
  /** Of the state: begins when it is entered, cancelled when it is left. */
  readonly timeoutMs: number | undefined;
  readonly timeout: ((self: Self) => Outcome) | undefined;
}

/** A state that re-enters itself for ever is a mistake that must not hang the worker. */
const MAX_CHANGES = 1000;

/** An event that waits: postponed, or to be handled before any other. */
interface Held {
  readonly kind: string;
  readonly content: unknown;
}

/** A state timeout that has run out. Of no meaning once the state has changed. */
class TimedOut {
  readonly timer: object;
  constructor(timer: object) {
    this.timer = timer;
  }
}

export abstract class StateMachine<C extends Cells<any>> extends Process {
  /** The state it is in. */
  cells: C;
  #postponed: Held[] | undefined = undefined;
  #queue: Held[] | undefined = undefined;
  #timer: TimerRef = undefined;
  #timerName: object | undefined = undefined;
  #changes = 0;
  protected stopping = false;

  constructor(initial: C, parent: Process | undefined, pid?: Pid) {
    super(parent, pid);
    this.cells = initial;
  }

  /** The name of the state it is in. */
  get state(): string {
    return this.cells.name;
  }

  /** @throws Error when there is no such state */
  protected abstract cellsOf(state: string): C;
  /** Hands an event to the cell of the present state. */
  protected abstract handle(kind: string, content: unknown): Outcome;
  /** The machine was told to stop, or crashed: clean up and end. */
  protected abstract stop(reason: ExitReason): void;
  /** Everything that waited is handled: subclasses go on with what they hold back while the machine is busy. */
  protected abstract idle(): void;

  /** Enters the initial state. */
  protected begin(): void {
    this.step(() => this.#entered(undefined));
  }

  /** Handles one event. Only while the machine is not busy; a subclass queues what comes in between. */
  protected event(kind: string, content: unknown): void {
    this.step(() => this.after(this.handle(kind, content), kind, content));
  }

  /** Goes on after a handler that a subclass has called itself. */
  protected settle(outcome: Outcome, kind: string, content: unknown): void {
    this.step(() => this.after(outcome, kind, content));
  }

  /** Runs a part of the machine; what it throws is a crash. */
  private step(part: () => boolean): void {
    try {
      if (part()) this.#drain();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  /**
   * Acts on what a handler gave back.
   * @returns whether the machine can take the next event now: false when it waits, or has come to its end
   */
  protected after(outcome: Outcome, kind: string, content: unknown): boolean {
    if (outcome instanceof Promise) return this.#wait(outcome, (step) => this.after(step, kind, content));
    // The handler has brought about the end itself (it sent too much, or an exit signal): its step comes too late.
    if (this.stopping || !this.alive) return false;
    if (outcome === undefined) return true;
    if (outcome instanceof Next) return this.#change(outcome.state);
    if (outcome instanceof Stop) {
      this.stop(outcome.reason);
      return false;
    }
    if (outcome === POSTPONE) {
      (this.#postponed ??= []).push({ kind, content });
      return true;
    }
    throw new TypeError(
      `state "${this.state}", ${kind}: a handler returns nothing, next(state), stop(reason) or postpone, got ${String(outcome)}`,
    );
  }

  #wait(
    outcome: Promise<Step<string> | undefined | void>,
    then: (step: Step<string> | undefined | void) => boolean,
  ): boolean {
    this.busy = true;
    outcome.then(
      (step) => {
        if (!this.alive || this.stopping) return;
        this.busy = false;
        this.step(() => then(step));
        if (!this.busy && this.alive && !this.stopping) this.release();
      },
      (thrown) => {
        if (this.alive && !this.stopping) this.crash(reasonOf(thrown));
      },
    );
    return false;
  }

  #change(to: string): boolean {
    const from = this.state;
    // The same state again is no change: nothing is left or entered, postponed events stay where they are.
    if (to === from) return true;
    const next = this.cellsOf(to);
    if (++this.#changes > MAX_CHANGES)
      throw new Error(`states change for ever, at last from "${from}" to "${to}"`);
    this.cancelTimer();
    this.cells.leave?.(this);
    if (this.#postponed) {
      this.#queue = this.#queue ? [...this.#postponed, ...this.#queue] : this.#postponed;
      this.#postponed = undefined;
    }
    this.cells = next;
    return this.#entered(from);
  }

  #entered(from: string | undefined): boolean {
    const { enter, timeoutMs } = this.cells;
    if (timeoutMs !== undefined) this.#setTimer(timeoutMs);
    this.changed();
    return enter ? this.after(enter(this, from), "enter", from) : true;
  }

  /** The state has changed: subclasses take note before `enter` runs. */
  protected changed(): void {}

  /** Handles what was held back, until it waits or ends. */
  #drain(): void {
    while (this.#queue && this.#queue.length > 0) {
      const { kind, content } = this.#queue.shift() as Held;
      if (!this.after(this.handle(kind, content), kind, content)) return;
    }
    this.#queue = undefined;
    this.#changes = 0;
    this.idle();
  }

  #setTimer(ms: number): void {
    const name = {};
    this.#timerName = name;
    this.#timer = clock.setTimeout(() => this.deliver(new TimedOut(name)), ms);
  }

  protected cancelTimer(): void {
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = this.#timerName = undefined;
  }

  protected receive(message: unknown): void {
    if (this.stopping) return;
    if (!(message instanceof TimedOut)) return this.event("message", message);
    if (message.timer !== this.#timerName) return;
    this.cancelTimer();
    this.event("timeout", undefined);
  }
}
