/**
 * Process of a `genStatem` state machine: turns messages into events, carries out replies and module switches, and
 * exits through `leave` and `terminate`.
 */
import { CallMessage } from "../gen-server/call-message.js";
import { CastMessage } from "../gen-server/server-process.js";
import { type ExitReason, ProcessExit, reasonOf } from "../process/exit-reason.js";
import { rejectOnDown } from "../process/links/monitors.js";
import { ExitMessage, type Process } from "../process/process.js";
import { type Action, type From, Reply, SetTimer, type StatemEvent, SwitchModule } from "./actions.js";
import type { CompiledStatem, StatemCells } from "./compile.js";
import { Timer } from "./pending-events.js";
import { type Outcome, StateMachine } from "./state-machine.js";
import { Next, POSTPONE, Stop, StopAndReply, Transition } from "./step.js";
import { Begin } from "./types.js";

/** The cells before `init` has returned the first state. */
const NO_STATE: StatemCells = {
  name: "",
  enter: undefined,
  leave: undefined,
  timeoutMs: undefined,
  timeout: undefined,
  stateTimeoutMs: undefined,
  on: () => undefined,
};

/** The compiled form of each `genStatem`. */
export const compiledOf = new WeakMap<object, CompiledStatem>();

const NOT_A_STATEM = "expected a state machine made by genStatem";

export class StatemProcess extends StateMachine<StatemCells> {
  data: any = undefined;
  behaviour: CompiledStatem;
  /** Callback modules below the present one (`pushCallbackModule`). */
  #moduleStack: CompiledStatem[] | undefined = undefined;
  #event: StatemEvent | undefined = undefined;

  constructor(behaviour: CompiledStatem, parent: Process | undefined) {
    super(NO_STATE, parent);
    this.behaviour = behaviour;
    this.trapExit = behaviour.spec.trapExit ?? false;
  }

  get label(): string {
    return this.behaviour.name;
  }

  /** The caller of the call that is being handled. */
  get from(): From | undefined {
    return this.#event?.type === "call" ? this.#event.from : undefined;
  }

  /**
   * Runs the behaviour's `init`, then enters the first state. Meanwhile exit signals act and messages wait.
   * @returns false when it returned `ignore`: the process has exited
   * @throws ProcessExit with the reason of a failed `init` or of an exit meanwhile
   */
  async init(args: unknown): Promise<boolean> {
    this.busy = true;
    let first: Begin<string, unknown> | "ignore";
    try {
      const made = this.behaviour.spec.init(args, this);
      first = this.#checkInitResult(made instanceof Promise ? await rejectOnDown(this.pid, made) : made);
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

  #checkInitResult(made: unknown): Begin<string, unknown> | "ignore" {
    if (made instanceof Stop) throw made.reason;
    if (made === "ignore" || made instanceof Begin) return made;
    throw new TypeError(`${this.label}: init must return begin(state, data), stop(reason) or "ignore"`);
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
    // OTP's rule: the exit of the parent stops a machine that traps exits; it never becomes an info event.
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) return this.stop(message.reason);
    this.event("info", { type: "info", content: message });
  }

  protected handle(_kind: string, content: unknown): Outcome {
    const event = content as StatemEvent;
    this.#event = event;
    return this.cells.on(this, event);
  }

  protected cellsOf(state: string): StatemCells {
    return this.behaviour.cellsOf(state);
  }

  protected idle(): void {
    this.#event = undefined;
  }

  // -- transitions --------------------------------------------------------------------------------------

  protected override applyOutcome(outcome: Outcome, kind: string, content: unknown): boolean {
    if (kind === "enter" && this.#changesState(outcome))
      throw new TypeError(`state "${this.state}": enter cannot change the state or postpone`);
    if (outcome instanceof StopAndReply && this.alive && !this.stopping)
      for (const reply of outcome.replies) this.act(reply, kind, content);
    return super.applyOutcome(outcome, kind, content);
  }

  #changesState(outcome: Outcome): boolean {
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
      throw new TypeError(
        `state "${this.state}": reply is for the handler of a call; use replyTo(from, value) elsewhere`,
      );
    from.reply(value);
    this.sys?.replied(value);
  }

  #switch({ how, behaviour }: SwitchModule): void {
    const next = how === "pop" ? this.#moduleStack?.pop() : compiledOf.get(behaviour as object);
    if (!next) throw new TypeError(how === "pop" ? "popCallbackModule: no module was pushed" : NOT_A_STATEM);
    if (how === "push") (this.#moduleStack ??= []).push(this.behaviour);
    this.#useModule(next, this.state);
  }

  /** The new module may lack the present state: the next step must then change it. */
  #useModule(next: CompiledStatem, state: string): void {
    this.behaviour = next;
    try {
      this.cells = next.cellsOf(state);
    } catch {
      this.cells = { ...NO_STATE, name: state };
    }
  }

  protected override stateChanged(): void {
    const ms = this.cells.stateTimeoutMs;
    if (ms !== undefined)
      this.pendingEvents.requestDefaultTimer(new SetTimer("state_timeout", "", ms, undefined));
  }

  protected override enter(from: string | undefined): boolean {
    return super.enter(from ?? this.state);
  }

  // -- sys ---------------------------------------------------------------------------------------------

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
      // As in OTP: the rest of the status is still useful, and the raw state may contain what must not be shown.
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
    if (!next) throw new TypeError(NOT_A_STATEM);
    const { state, data } = this;
    const changed = next.spec.codeChange?.({ state, data }, extra) ?? { state, data };
    const cells = next.cellsOf(changed.state);
    this.behaviour = next;
    this.cells = cells;
    this.data = changed.data;
  }

  // -- exit ---------------------------------------------------------------------------------------------

  protected override crash(reason: ExitReason): void {
    this.stop(reason);
  }

  protected stop(requested: ExitReason): void {
    if (!this.alive || this.stopping) return;
    this.stopping = this.busy = true;
    this.cancelTimers();
    let reason = requested;
    try {
      this.leaveState();
    } catch (thrown) {
      reason = reasonOf(thrown);
    }
    this.#terminate(reason);
  }

  #terminate(reason: ExitReason): void {
    try {
      const pending = this.behaviour.spec.terminate?.(this, reason);
      if (!(pending instanceof Promise)) return this.exitWith(reason);
      pending.then(
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
