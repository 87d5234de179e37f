/**
 * The process of a user's state machine: messages become events, actions that only it knows are carried out,
 * and its end is `leave`, `terminate`, the end, as for a connection.
 */
import { CallMessage } from "../gen-server/call.js";
import { CastMessage } from "../gen-server/server-process.js";
import { type ExitReason, ProcessExit, reasonOf } from "../process/exit-reason.js";
import { rejectOnDown } from "../process/monitors.js";
import { ExitMessage, type Process } from "../process/process.js";
import { type Action, type From, Reply, SetTimer, type StatemEvent, SwitchModule } from "./actions.js";
import type { Compiled, StatemCells } from "./compile.js";
import { Timer } from "./pending-events.js";
import { type Outcome, StateMachine } from "./state-machine.js";
import { Next, POSTPONE, Stop, StopAndReply, Transition } from "./step.js";
import { Begin } from "./types.js";

const NOWHERE: StatemCells = {
  name: "",
  enter: undefined,
  leave: undefined,
  timeoutMs: undefined,
  timeout: undefined,
  stateTimeoutMs: undefined,
  on: () => undefined,
};

/** What is known of a behaviour by who made it: the table that the machine runs on. */
export const compiledOf = new WeakMap<object, Compiled>();

export class StatemProcess extends StateMachine<StatemCells> {
  data: any = undefined;
  behaviour: Compiled;
  /** Behaviours that were pushed aside. */
  #pushed: Compiled[] | undefined = undefined;
  #present: StatemEvent | undefined = undefined;

  constructor(behaviour: Compiled, parent: Process | undefined) {
    super(NOWHERE, parent);
    this.behaviour = behaviour;
    this.trapExit = behaviour.spec.trapExit ?? false;
  }

  get label(): string {
    return this.behaviour.name;
  }

  /** Whoever made the call that is being handled. */
  get from(): From | undefined {
    return this.#present?.type === "call" ? this.#present.from : undefined;
  }

  /**
   * Runs the behaviour's init, then enters the first state. Signals act meanwhile, messages wait.
   * @returns false when it said `ignore`, and the process has ended
   * @throws ProcessExit with the reason for which it failed, or the process ended
   */
  async init(args: unknown): Promise<boolean> {
    this.busy = true;
    let first: Begin<string, unknown> | "ignore";
    try {
      const made = this.behaviour.spec.init(args, this);
      first = this.#begun(made instanceof Promise ? await rejectOnDown(this.pid, made) : made);
      if (!this.alive) throw "noproc";
      if (first !== "ignore") this.cells = this.cellsOf(first.state);
    } catch (thrown) {
      const reason = reasonOf(thrown);
      this.exitWith(reason);
      throw new ProcessExit(reason);
    }
    if (first === "ignore") this.die("normal");
    else this.#start(first);
    return first !== "ignore";
  }

  #begun(made: unknown): Begin<string, unknown> | "ignore" {
    if (made instanceof Stop) throw made.reason;
    if (made === "ignore" || made instanceof Begin) return made;
    throw new TypeError(`${this.label}: init returns begin(state, data), stop(reason) or "ignore"`);
  }

  #start(first: Begin<string, unknown>): void {
    this.data = first.data;
    this.busy = false;
    this.begin(first.actions);
    if (!this.busy) this.unblock();
  }

  // -- events -------------------------------------------------------------------------------------------

  protected override receive(message: unknown): void | Promise<void> {
    if (this.stopping) return;
    if (message instanceof CallMessage) {
      const { name, args } = message;
      return this.event("call", { type: "call", from: message, name, args });
    }
    if (message instanceof CastMessage) {
      const { name, args } = message;
      return this.event("cast", { type: "cast", name, args });
    }
    if (message instanceof Timer) return super.receive(message);
    // OTP's rule: an exit of the parent ends a machine that traps exits, it is never an info.
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) return this.stop(message.reason);
    this.event("info", { type: "info", content: message });
  }

  protected handle(_kind: string, content: unknown): Outcome {
    const event = content as StatemEvent;
    this.#present = event;
    return this.cells.on(this, event);
  }

  protected cellsOf(state: string): StatemCells {
    return this.behaviour.cellsOf(state);
  }

  protected idle(): void {
    this.#present = undefined;
  }

  // -- transitions --------------------------------------------------------------------------------------

  protected override applyOutcome(outcome: Outcome, kind: string, content: unknown): boolean {
    if (kind === "enter" && this.#leaves(outcome))
      throw new TypeError(`state "${this.state}": enter cannot change the state or postpone`);
    if (outcome instanceof StopAndReply && this.alive && !this.stopping)
      for (const one of outcome.replies) this.act(one, kind, content);
    return super.applyOutcome(outcome, kind, content);
  }

  #leaves(outcome: Outcome): boolean {
    const moves = outcome instanceof Next || (outcome instanceof Transition && outcome.kind === "next");
    return (moves && outcome.state !== this.state) || outcome === POSTPONE;
  }

  protected override act(action: Action, kind: string, content: unknown): boolean {
    if (action instanceof Reply) this.#reply(action, content as StatemEvent | undefined);
    else if (action instanceof SwitchModule && kind !== "enter") this.#switch(action);
    else return super.act(action, kind, content);
    return true;
  }

  #reply({ to, value }: Reply, event: StatemEvent | undefined): void {
    const from = to ?? (event?.type === "call" ? event.from : undefined);
    if (!(from instanceof CallMessage))
      throw new TypeError(`state "${this.state}": reply answers a call, and this is none; see replyTo`);
    from.reply(value);
    this.sys?.replied(value);
  }

  #switch({ how, behaviour }: SwitchModule): void {
    const next = how === "pop" ? this.#pushed?.pop() : compiledOf.get(behaviour as object);
    if (!next)
      throw new TypeError(
        how === "pop" ? "popCallbackModule: nothing was pushed" : "no state machine was given: see genStatem",
      );
    if (how === "push") (this.#pushed ??= []).push(this.behaviour);
    this.#become(next, this.state);
  }

  /** The state may be one that only the next step names. */
  #become(next: Compiled, state: string): void {
    this.behaviour = next;
    try {
      this.cells = next.cellsOf(state);
    } catch {
      this.cells = { ...NOWHERE, name: state };
    }
  }

  protected override stateChanged(): void {
    const ms = this.cells.stateTimeoutMs;
    if (ms !== undefined) this.agenda.askFirst(new SetTimer("state_timeout", "", ms, undefined));
  }

  protected override enter(from: string | undefined): boolean {
    return super.enter(from ?? this.state);
  }

  // -- being looked at ----------------------------------------------------------------------------------

  override get maxMessages(): number {
    return this.behaviour.spec.maxMessages ?? Infinity;
  }

  override get systemStatus(): Record<string, unknown> {
    const { formatStatus } = this.behaviour.spec;
    const status = super.systemStatus;
    if (!formatStatus) return status;
    try {
      return { ...status, state: formatStatus(status.state) };
    } catch {
      // As OTP: the rest of the status is still worth having, and the state may be what is not to be seen.
      return { ...status, state: `${this.label}:formatStatus crashed` };
    }
  }

  override replaceSystemState(next: unknown): void {
    const { state, data } = next as { state: string; data: unknown };
    if (state !== this.state) this.cells = this.cellsOf(state);
    this.data = data;
  }

  override changeCode(behaviour: object, extra: unknown): void {
    const next = compiledOf.get(behaviour);
    if (!next) throw new TypeError("no state machine was given: see genStatem");
    const { state, data } = this;
    const changed = next.spec.codeChange?.({ state, data }, extra) ?? { state, data };
    const cells = next.cellsOf(changed.state);
    this.behaviour = next;
    this.cells = cells;
    this.data = changed.data;
  }

  // -- the end ------------------------------------------------------------------------------------------

  protected override crash(reason: ExitReason): void {
    this.stop(reason);
  }

  protected stop(asked: ExitReason): void {
    if (!this.alive || this.stopping) return;
    this.stopping = this.busy = true;
    this.cancelTimers();
    let reason = asked;
    try {
      this.cells.leave?.(this);
    } catch (thrown) {
      reason = reasonOf(thrown);
    }
    this.#terminate(reason);
  }

  #terminate(reason: ExitReason): void {
    try {
      const waiting = this.behaviour.spec.terminate?.(this, reason);
      if (!(waiting instanceof Promise)) return this.exitWith(reason);
      waiting.then(
        () => this.exitWith(reason),
        (thrown) => this.exitWith(reasonOf(thrown)),
      );
    } catch (thrown) {
      this.exitWith(reasonOf(thrown));
    }
  }

  protected override ended(): void {
    this.cancelTimers();
  }
}
