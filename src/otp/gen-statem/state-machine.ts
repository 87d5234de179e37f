/**
 * The state machine: one dispatch for everything that has states, after OTP's gen_statem. A subclass says
 * where its events come from; a table of cells says what each state does with them.
 *
 *   event ─▶ cells[kind](self, content) ─▶ step ─┬ nothing   stay
 *                                                ├ postpone  stay; the event comes again after the next change of state
 *                                                ├ next(s)   leave ▸ change ▸ enter ▸ postponed events, oldest first
 *                                                └ stop(r)   leave ▸ terminate ▸ the end
 *
 * A step with actions does those first (answers at once), and then, in this order: enter, inserted events,
 * postponed events, timeouts of zero, the next message. What only few machines need is in the agenda, which
 * is made when it is first needed.
 *
 * A handler may return a promise: then the machine takes no other event until it has settled. Exit signals
 * do not wait for that.
 */

import { type ExitReason, reasonOf } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { Process } from "../process/process.js";
import { clock, type TimerRef } from "../time/clock.js";
import { type Action, NextEvent, SetTimer } from "./actions.js";
import type { Cells, Outcome, Settled } from "./cells.js";
import { Agenda, Timer } from "./pending-events.js";
import { Next, POSTPONE, Stop, Transition } from "./step.js";

export type { Cells, Outcome, Settled } from "./cells.js";

/** A state that re-enters itself for ever is a mistake that must not hang the worker. */
const MAX_CHANGES = 1000;

/** A state timeout that has run out. Of no meaning once the state has changed. */
class TimedOut {
  ref: TimerRef = undefined;
}

export abstract class StateMachine<C extends Cells<any>> extends Process {
  /** The state it is in. */
  cells: C;
  #timer: TimedOut | undefined = undefined;
  #agenda: Agenda | undefined = undefined;
  #changes = 0;

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

  /** Enters the initial state, doing this first. */
  protected begin(actions?: readonly Action[]): void {
    // As `step`, without a closure: every connection begins here.
    try {
      if (actions !== undefined) for (const action of actions) this.act(action, "init", undefined);
      if (this.enterNew(undefined)) this.drain();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  /** Handles one event. Only while the machine is not busy; a subclass queues what comes in between. */
  protected event(kind: string, content: unknown): void {
    this.step(() => this.applyOutcome(this.handle(kind, content), kind, content));
  }

  /** Goes on after a handler that a subclass has called itself. */
  protected finishEvent(outcome: Outcome, kind: string, content: unknown): void {
    this.step(() => this.applyOutcome(outcome, kind, content));
  }

  /** Runs a part of the machine; what it throws is a crash. */
  protected step(part: () => boolean): void {
    try {
      if (part()) this.drain();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  // -- one transition -----------------------------------------------------------------------------------

  /**
   * Acts on what a handler gave back.
   * @returns whether the machine can take the next event now: false when it waits, or has come to its end
   */
  protected applyOutcome(outcome: Outcome, kind: string, content: unknown): boolean {
    if (outcome instanceof Promise)
      return this.waitFor(outcome, (step) => this.applyOutcome(step, kind, content));
    // The handler has brought about the end itself (it sent too much, or an exit signal): its step comes too late.
    if (this.stopping || !this.alive) return false;
    if (this.#agenda !== undefined && kind !== "enter") this.#agenda.cancel("timeout");
    if (outcome === undefined) return true;
    if (outcome instanceof Next) return this.changeTo(outcome.state);
    if (outcome instanceof Stop) {
      this.stop(outcome.reason);
      return false;
    }
    if (outcome === POSTPONE) {
      this.putOff(kind, content);
      return true;
    }
    if (outcome instanceof Transition) return this.transition(outcome, kind, content);
    return this.act(outcome as Action, kind, content);
  }

  private transition(step: Transition<string, any>, kind: string, content: unknown): boolean {
    for (const action of step.actions) {
      if (action !== POSTPONE && !this.act(action, kind, content)) return false;
    }
    // Said twice it is still one event.
    if (step.actions.includes(POSTPONE)) this.putOff(kind, content);
    if (step.kind === "next") return this.changeTo(step.state as string);
    return step.kind === "keep" || this.repeated(kind, content);
  }

  /** Carries out one action; subclasses those that are theirs. */
  protected act(action: Action, kind: string, _content: unknown): boolean {
    if (action instanceof SetTimer) this.agenda.ask(action);
    else if (action instanceof NextEvent && kind !== "enter") this.agenda.insert(action.event);
    else
      throw new TypeError(
        `state "${this.state}", ${kind}: a handler returns nothing, next(state), stop(reason) or postpone, got ${String(action)}`,
      );
    return true;
  }

  /** @internal Made when it is first needed. */
  protected get agenda(): Agenda {
    return (this.#agenda ??= new Agenda((timer) => this.enqueue(timer)));
  }

  private putOff(kind: string, content: unknown): void {
    if (kind === "enter") throw new TypeError(`state "${this.state}": enter cannot be postponed`);
    this.agenda.postponed.push({ kind, content });
  }

  private waitFor(outcome: Promise<Settled>, then: (step: Settled) => boolean): boolean {
    this.busy = true;
    outcome.then(
      (step) => {
        if (!this.alive || this.stopping) return;
        this.busy = false;
        this.step(() => then(step));
        if (!this.busy && this.alive && !this.stopping) this.unblock();
      },
      (thrown) => {
        if (this.alive && !this.stopping) this.crash(reasonOf(thrown));
      },
    );
    return false;
  }

  private changeTo(to: string): boolean {
    const from = this.state;
    // The same state again is no change: nothing is left or entered, postponed events stay where they are.
    if (to === from) return true;
    const next = this.cellsOf(to);
    if (++this.#changes > MAX_CHANGES)
      throw new Error(`states change for ever, at last from "${from}" to "${to}"`);
    this.cancelStateTimer();
    this.#agenda?.cancel("state_timeout");
    this.cells.leave?.(this);
    this.#agenda?.recall();
    this.cells = next;
    return this.enterNew(from);
  }

  private enterNew(from: string | undefined): boolean {
    const { timeoutMs } = this.cells;
    if (timeoutMs !== undefined) this.armStateTimer(timeoutMs);
    this.stateChanged();
    return this.enter(from);
  }

  /** Runs `enter` of the present state. */
  protected enter(from: string | undefined): boolean {
    const { enter } = this.cells;
    return enter ? this.applyOutcome(enter(this, from), "enter", from) : true;
  }

  /** A handler asked for `enter` once more; from `enter` itself it comes from where it came. */
  protected repeated(kind: string, content: unknown): boolean {
    if (++this.#changes > MAX_CHANGES) throw new Error(`state "${this.state}" is repeated for ever`);
    return this.enter(kind === "enter" ? (content as string) : this.state);
  }

  /** The state has changed: subclasses take note before `enter` runs. */
  protected stateChanged(): void {}

  // -- what waits ---------------------------------------------------------------------------------------

  /** Handles what was held back, until it waits or ends. */
  private drain(): void {
    const agenda = this.#agenda;
    for (let held = agenda?.next(this.heldBack); held; held = agenda?.next(this.heldBack)) {
      const { kind, content } = held;
      if (!this.applyOutcome(this.handle(kind, content), kind, content)) return;
    }
    this.#changes = 0;
    this.idle();
  }

  /** Events of this kind, recalled after a change of state, have to wait now. Default: none. */
  protected get heldBack(): string | undefined {
    return undefined;
  }

  /** Whether a recalled event of this kind waits to be handled. */
  protected holds(kind: string): boolean {
    return this.#agenda?.holds(kind) ?? false;
  }

  /** Timers that run. */
  get timers(): Agenda["timers"] {
    return this.#agenda?.timers ?? [];
  }

  override get systemState(): unknown {
    return { state: this.state, data: (this as { data?: unknown }).data };
  }

  override get systemStatus(): Record<string, unknown> {
    const postponed = (this.#agenda?.postponed ?? []).map(({ content }) => content);
    return { state: this.systemState, timers: this.timers, postponed };
  }

  override resume(): void {
    this.busy = false;
    this.step(() => true);
    if (!this.busy && this.alive && !this.stopping) this.unblock();
  }

  override systemTerminate(reason: ExitReason): void {
    this.stop(reason);
  }

  // -- timers -------------------------------------------------------------------------------------------

  private armStateTimer(ms: number): void {
    const timer = new TimedOut();
    this.#timer = timer;
    timer.ref = clock.setTimeout(() => this.enqueue(timer), ms);
  }

  private cancelStateTimer(): void {
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer.ref);
    this.#timer = undefined;
  }

  /** Sets a named timer, or cancels it (`Infinity`), now and not at the end of a transition. */
  protected setNamedTimer(name: string, ms: number): void {
    this.agenda.setNow(new SetTimer("timer", name, ms, undefined));
  }

  /** Cancels whatever runs: the machine is about to end. */
  protected cancelTimers(): void {
    this.cancelStateTimer();
    this.#agenda?.cancelAll();
  }

  protected receive(message: unknown): void | Promise<void> {
    if (this.stopping) return;
    if (message instanceof Timer) {
      if (this.#agenda?.expire(message)) this.event(message.timer, message.event);
    } else if (!(message instanceof TimedOut)) this.event("message", message);
    else if (message === this.#timer) {
      this.cancelStateTimer();
      this.event("timeout", undefined);
    }
  }
}
