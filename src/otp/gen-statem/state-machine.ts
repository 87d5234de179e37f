/**
 * State machine engine of `genStatem` and of connections, after OTP's gen_statem. A subclass supplies the events; the
 * cells of a state are its handlers.
 *
 *   event ─▶ cells[kind](self, content) ─▶ step ─┬ nothing   stay
 *                                                ├ postpone  stay; the event is retried after the next state change
 *                                                ├ next(s)   leave ▸ change ▸ enter ▸ postponed events, oldest first
 *                                                └ stop(r)   leave ▸ terminate ▸ exit
 *
 * The actions of a step run first (replies at once), then in this order: enter, inserted events, postponed events,
 * timeouts of 0, the next message. `PendingEvents` holds what only few machines need, and is allocated on demand.
 *
 * A handler may return a promise: the machine handles no other event until it has settled. Exit signals do not wait.
 */

import { type ExitReason, reasonOf } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { Process } from "../process/process.js";
import { clock, type TimerRef } from "../time/clock.js";
import { type Action, NextEvent, SetTimer } from "./actions.js";
import type { Cells, Outcome, SettledOutcome } from "./cells.js";
import { PendingEvents, Timer } from "./pending-events.js";
import { Next, POSTPONE, Stop, Transition } from "./step.js";

export type { Cells, Outcome, SettledOutcome } from "./cells.js";

/** State changes without an event in between: more are an endless loop, which must not hang the worker. */
const MAX_CHANGES = 1000;

/** The timeout of a state, as a message. Ignored once the state has changed. */
class StateTimeoutMessage {
  ref: TimerRef = undefined;
}

export abstract class StateMachine<C extends Cells<any>> extends Process {
  /** The handlers of the present state. */
  cells: C;
  #stateTimer: StateTimeoutMessage | undefined = undefined;
  #pendingEvents: PendingEvents | undefined = undefined;
  #changes = 0;

  constructor(initial: C, parent: Process | undefined, pid?: Pid) {
    super(parent, pid);
    this.cells = initial;
  }

  /** The name of the present state. */
  get state(): string {
    return this.cells.name;
  }

  /** @throws Error when there is no such state */
  protected abstract cellsOf(state: string): C;
  /** Calls the handler of the present state for an event. */
  protected abstract handle(kind: string, content: unknown): Outcome;
  /** Stops after `stop(reason)` or a crash: cleans up and exits. */
  protected abstract stop(reason: ExitReason): void;
  /** No event is pending: subclasses continue with what they held back while the machine was busy. */
  protected abstract idle(): void;

  /** Carries out these actions, then enters the initial state. */
  protected begin(actions?: readonly Action[]): void {
    // As `step`, without a closure: every connection starts here.
    try {
      if (actions !== undefined) for (const action of actions) this.act(action, "init", undefined);
      if (this.enterNew(undefined)) this.drain();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  /** Handles one event. Not while the machine is busy: a subclass queues events until then. */
  protected event(kind: string, content: unknown): void {
    this.step(() => this.applyOutcome(this.handle(kind, content), kind, content));
  }

  /** Finishes an event whose handler the subclass has called itself. */
  protected finishEvent(outcome: Outcome, kind: string, content: unknown): void {
    this.step(() => this.applyOutcome(outcome, kind, content));
  }

  /** Runs a part of the machine; an exception in it is a crash. */
  protected step(part: () => boolean): void {
    try {
      if (part()) this.drain();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  // -- one transition -----------------------------------------------------------------------------------

  /**
   * Applies what a handler returned.
   * @returns whether the machine can handle the next event now: false when it waits for a promise or stops
   */
  protected applyOutcome(outcome: Outcome, kind: string, content: unknown): boolean {
    if (outcome instanceof Promise)
      return this.waitFor(outcome, (step) => this.applyOutcome(step, kind, content));
    // The handler has already stopped the process, by sending too much or by an exit signal: its step is void.
    if (this.stopping || !this.alive) return false;
    if (this.#pendingEvents !== undefined && kind !== "enter") this.#pendingEvents.cancel("timeout");
    if (outcome === undefined) return true;
    if (outcome instanceof Next) return this.changeTo(outcome.state);
    if (outcome instanceof Stop) {
      this.stop(outcome.reason);
      return false;
    }
    if (outcome === POSTPONE) {
      this.postponeEvent(kind, content);
      return true;
    }
    if (outcome instanceof Transition) return this.transition(outcome, kind, content);
    return this.act(outcome as Action, kind, content);
  }

  private transition(step: Transition<string, any>, kind: string, content: unknown): boolean {
    for (const action of step.actions) {
      if (action !== POSTPONE && !this.act(action, kind, content)) return false;
    }
    // Returned twice it still postpones one event.
    if (step.actions.includes(POSTPONE)) this.postponeEvent(kind, content);
    if (step.kind === "next") return this.changeTo(step.state as string);
    return step.kind === "keep" || this.repeated(kind, content);
  }

  /** Carries out one action. Subclasses add theirs. */
  protected act(action: Action, kind: string, _content: unknown): boolean {
    if (action instanceof SetTimer) this.pendingEvents.requestTimer(action);
    else if (action instanceof NextEvent && kind !== "enter") this.pendingEvents.insert(action.event);
    else
      throw new TypeError(
        `state "${this.state}", ${kind}: a handler returns nothing, next(state), stop(reason) or postpone, got ${String(action)}`,
      );
    return true;
  }

  /** @internal Allocated at the first use. */
  protected get pendingEvents(): PendingEvents {
    return (this.#pendingEvents ??= new PendingEvents((timer) => this.enqueue(timer)));
  }

  private postponeEvent(kind: string, content: unknown): void {
    if (kind === "enter") throw new TypeError(`state "${this.state}": enter cannot be postponed`);
    this.pendingEvents.postponed.push({ kind, content });
  }

  protected waitFor(outcome: Promise<SettledOutcome>, then: (step: SettledOutcome) => boolean): boolean {
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
    // To the same state is no state change: no leave, no enter, postponed events stay postponed.
    if (to === from) return true;
    const next = this.cellsOf(to);
    this.countChange(to);
    this.cancelStateTimer();
    this.#pendingEvents?.cancel("state_timeout");
    this.leaveState();
    // `leave` has stopped the machine, by sending too much or by an exit signal: no state is entered any more.
    if (this.stopping || !this.alive) return false;
    this.#pendingEvents?.retryPostponed();
    this.cells = next;
    return this.enterNew(from);
  }

  private countChange(to: string): void {
    if (++this.#changes <= MAX_CHANGES) return;
    throw new Error(
      `endless loop of state changes: more than ${MAX_CHANGES} without a message, the last from "${this.state}" to "${to}"`,
    );
  }

  /**
   * Goes on as another machine: leaves the present state, cancels all timers, also those that have expired and were
   * postponed, and enters the state that `replace` returns. Other postponed events come again.
   */
  protected changeMachine(to: string, replace: () => C): boolean {
    this.countChange(to);
    this.leaveState();
    if (this.stopping || !this.alive) return false;
    this.cancelTimers();
    this.#pendingEvents?.dropTimeouts();
    this.#pendingEvents?.retryPostponed();
    this.cells = replace();
    return this.enterNew(undefined);
  }

  /** Runs `leave` of the present state; not again where that itself stops the machine, or throws. */
  protected leaveState(): void {
    const { leave } = this.cells;
    if (leave === undefined || this.leaving) return;
    this.leaving = true;
    leave(this);
    this.leaving = false;
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

  /** A handler returned `repeat`: runs `enter` again. From `enter` itself, with the same previous state. */
  protected repeated(kind: string, content: unknown): boolean {
    if (++this.#changes > MAX_CHANGES)
      throw new Error(
        `endless loop: state "${this.state}" was repeated more than ${MAX_CHANGES} times without a message`,
      );
    return this.enter(kind === "enter" ? (content as string) : this.state);
  }

  /** Hook after a state change, before `enter`. */
  protected stateChanged(): void {}

  // -- pending events -----------------------------------------------------------------------------------

  /** Handles pending events until none is left, a handler waits, or the machine stops. */
  private drain(): void {
    const pendingEvents = this.#pendingEvents;
    for (let event = pendingEvents?.next(this.heldBack); event; event = pendingEvents?.next(this.heldBack)) {
      const { kind, content } = event;
      if (!this.applyOutcome(this.handle(kind, content), kind, content)) return;
    }
    this.#changes = 0;
    this.idle();
  }

  /** Events postponed in the present state. */
  protected get postponedEvents(): number {
    return this.#pendingEvents?.postponed.length ?? 0;
  }

  /** The kind of events that must wait in the queue now, after a state change has retried them. Default: none. */
  protected get heldBack(): string | undefined {
    return undefined;
  }

  /** Whether a retried event of this kind is in the queue. */
  protected holds(kind: string): boolean {
    return this.#pendingEvents?.holds(kind) ?? false;
  }

  /** Running timers. */
  get timers(): PendingEvents["timers"] {
    return this.#pendingEvents?.timers ?? [];
  }

  override get systemState(): unknown {
    return { state: this.state, data: (this as { data?: unknown }).data };
  }

  override get systemStatus(): Record<string, unknown> {
    const postponed = (this.#pendingEvents?.postponed ?? []).map(({ content }) => content);
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
    const timer = new StateTimeoutMessage();
    this.#stateTimer = timer;
    timer.ref = clock.setTimeout(() => {
      if (!this.timedOut()) this.enqueue(timer);
    }, ms);
  }

  /** The state timeout has expired. @returns whether the subclass has dealt with it; otherwise it waits as a message */
  protected timedOut(): boolean {
    return false;
  }

  private cancelStateTimer(): void {
    if (this.#stateTimer !== undefined) clock.clearTimeout(this.#stateTimer.ref);
    this.#stateTimer = undefined;
  }

  /** Sets a named timer, or cancels it (`Infinity`): at once, not at the end of a transition. */
  protected setNamedTimer(name: string, ms: number): void {
    this.pendingEvents.setTimer(new SetTimer("timer", name, ms, undefined));
  }

  /** Cancels all timers before the exit. */
  protected cancelTimers(): void {
    this.cancelStateTimer();
    this.#pendingEvents?.cancelAll();
  }

  protected receive(message: unknown): void | Promise<void> {
    if (this.stopping) return;
    if (message instanceof Timer) {
      if (this.#pendingEvents?.expire(message)) this.event(message.timer, message.event);
    } else if (!(message instanceof StateTimeoutMessage)) this.event("message", message);
    else if (message === this.#stateTimer) {
      this.cancelStateTimer();
      this.event("timeout", undefined);
    }
  }
}
