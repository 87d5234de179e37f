/**
 * Transition actions of a state machine, as in gen_statem: replies, timers, inserted events, postpone, switch of the
 * callback module. They are data, returned with the step and carried out after the handler in OTP's order, so that a
 * handler that throws has no effect.
 */
import type { CallMessage } from "../gen-server/call-message.js";
import { type Duration, toMs } from "../time/duration.js";

/** The caller of a call, for a later reply (`replyTo`). */
export type From = CallMessage;

/** An event as `handleEvent` gets it, and as `nextEvent` inserts it. */
export type StatemEvent =
  | { readonly type: "call"; readonly from: From; readonly name: string; readonly args: readonly unknown[] }
  | { readonly type: "cast"; readonly name: string; readonly args: readonly unknown[] }
  | { readonly type: "info"; readonly content: unknown }
  | { readonly type: "internal"; readonly content: unknown }
  | { readonly type: "timeout"; readonly content: unknown }
  | { readonly type: "state_timeout"; readonly content: unknown }
  | { readonly type: "timer"; readonly name: string; readonly content: unknown };

/** Kinds of timers: event timeout, state timeout, named timer. */
export type TimerKind = "timeout" | "state_timeout" | "timer";

/** Replies to a call. */
export class Reply<R = unknown> {
  readonly kind = "reply";
  /** `undefined`: the caller of the call that is being handled. */
  readonly to: From | undefined;
  readonly value: R;
  constructor(to: From | undefined, value: R) {
    this.to = to;
    this.value = value;
  }
}

export class NextEvent {
  readonly kind = "next_event";
  readonly event: StatemEvent;
  constructor(event: StatemEvent) {
    this.event = event;
  }
}

/** Sets a timer (`Infinity`: cancels it), or updates its content. */
export class SetTimer {
  readonly kind = "set_timer";
  readonly timer: TimerKind;
  /** Of a named timer; otherwise empty. */
  readonly name: string;
  readonly after: number | "update";
  readonly content: unknown;
  constructor(timer: TimerKind, name: string, after: number | "update", content: unknown) {
    this.timer = timer;
    this.name = name;
    this.after = after;
    this.content = content;
  }
}

/** Switches the callback module: for good, or until it is popped. */
export class SwitchModule {
  readonly kind = "switch_module";
  readonly how: "change" | "push" | "pop";
  readonly behaviour: unknown;
  constructor(how: "change" | "push" | "pop", behaviour: unknown) {
    this.how = how;
    this.behaviour = behaviour;
  }
}

/** An action of one kind of machine, such as `startTls()` of connections. Other machines refuse it. */
export interface OwnAction {
  readonly kind: "own";
  readonly name: string;
}

export interface Postpone {
  readonly kind: "postpone";
}

/** @internal */
export const POSTPONE: Postpone = Object.freeze({ kind: "postpone" });

/** Postpones the event until the state changes. */
export const postpone: Postpone = POSTPONE;

export type Action<R = unknown> = Reply<R> | NextEvent | SetTimer | SwitchModule | Postpone;

/** Replies to the call that is being handled. */
export function reply<const R>(value: R): Reply<R> {
  return new Reply(undefined, value);
}

/** Replies to a kept `self.from`. The type of `call` does not include this reply. */
export function replyTo(from: From, value: unknown): Reply<never> {
  return new Reply(from, value) as Reply<never>;
}

/** Inserts an event before all pending ones; several keep their order. */
export function nextEvent(event: StatemEvent): NextEvent {
  return new NextEvent(event);
}

/** The time of a timer: 0 fires when no event is pending, `Infinity` cancels it. */
export type After = Duration | typeof Infinity;

const ms = (after: After) => (after === Infinity ? Infinity : toMs(after));

/** Sets the event timeout: a `timeout` event, cancelled by any other event. */
export function eventTimeout(after: After, content?: unknown): SetTimer {
  return new SetTimer("timeout", "", ms(after), content);
}

/** Sets the state timeout: a `state_timeout` event, cancelled by a state change. */
export function stateTimeout(after: After, content?: unknown): SetTimer {
  return new SetTimer("state_timeout", "", ms(after), content);
}

/** Sets a named timer: a `timer` event, cancelled only by name. */
export function timer(name: string, after: After, content?: unknown): SetTimer {
  return new SetTimer("timer", name, ms(after), content);
}

/** Updates the content of a running timer; a timer that does not run fires at once. */
export function updateTimer(name: string, content: unknown): SetTimer {
  return new SetTimer("timer", name, "update", content);
}
export function updateStateTimeout(content: unknown): SetTimer {
  return new SetTimer("state_timeout", "", "update", content);
}
export function updateEventTimeout(content: unknown): SetTimer {
  return new SetTimer("timeout", "", "update", content);
}

export function cancelTimer(name: string): SetTimer {
  return new SetTimer("timer", name, Infinity, undefined);
}
export function cancelStateTimeout(): SetTimer {
  return new SetTimer("state_timeout", "", Infinity, undefined);
}

/** Changes the callback module from the next handler on (`enter` included). It must have the present state. */
export function changeCallbackModule(behaviour: object): SwitchModule {
  return new SwitchModule("change", behaviour);
}
/** As `changeCallbackModule`; `popCallbackModule` restores the present one. */
export function pushCallbackModule(behaviour: object): SwitchModule {
  return new SwitchModule("push", behaviour);
}
export function popCallbackModule(): SwitchModule {
  return new SwitchModule("pop", undefined);
}
