/**
 * What a handler of a state machine may ask for besides a change of state: OTP's transition actions. They are
 * data, returned with the step: the machine carries them out in one go, in OTP's order, once the handler is
 * through, so that a handler that throws has asked for nothing.
 */
import type { CallMessage } from "../gen-server/call.js";
import { type Duration, toMs } from "../time/duration.js";

/** Whoever made a call: to be kept where the answer comes later. */
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

/** The three kinds of timers: of the event, of the state, by name. */
export type TimerKind = "timeout" | "state_timeout" | "timer";

/** Answers a call. */
export class Reply<R = unknown> {
  readonly kind = "reply";
  /** `undefined`: whoever made the call that is being handled. */
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

/** Sets a timer (`Infinity`: cancels it), or gives it another content. */
export class SetTimer {
  readonly kind = "set_timer";
  readonly timer: TimerKind;
  /** Only of a named one. */
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

/** Another behaviour takes over, for good or until it is popped. */
export class SwitchModule {
  readonly kind = "switch_module";
  readonly how: "change" | "push" | "pop";
  readonly behaviour: unknown;
  constructor(how: "change" | "push" | "pop", behaviour: unknown) {
    this.how = how;
    this.behaviour = behaviour;
  }
}

export interface Postpone {
  readonly kind: "postpone";
}

/** @internal */
export const POSTPONE: Postpone = Object.freeze({ kind: "postpone" });

/** Postpones the event until the state changes. */
export const postpone: Postpone = POSTPONE;

export type Action<R = unknown> = Reply<R> | NextEvent | SetTimer | SwitchModule | Postpone;

/** Answers the call that is being handled. */
export function reply<const R>(value: R): Reply<R> {
  return new Reply(undefined, value);
}

/** Answers a call that was kept (`self.from`). The caller's types know nothing of this one. */
export function replyTo(from: From, value: unknown): Reply<never> {
  return new Reply(from, value) as Reply<never>;
}

/** An event that is handled before all that wait; several in their order. */
export function nextEvent(event: StatemEvent): NextEvent {
  return new NextEvent(event);
}

/** How long a timer runs: 0 fires once all that waits is handled, `Infinity` cancels it. */
export type After = Duration | typeof Infinity;

const ms = (after: After) => (after === Infinity ? Infinity : toMs(after));

/** An event `timeout`, unless another event is handled before. */
export function eventTimeout(after: After, content?: unknown): SetTimer {
  return new SetTimer("timeout", "", ms(after), content);
}

/** An event `state_timeout`, unless the state changes before. */
export function stateTimeout(after: After, content?: unknown): SetTimer {
  return new SetTimer("state_timeout", "", ms(after), content);
}

/** An event `timer` of this name, whatever happens in between. */
export function timer(name: string, after: After, content?: unknown): SetTimer {
  return new SetTimer("timer", name, ms(after), content);
}

/** Gives a timer another content and lets it run on; one that does not run fires at once. */
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

/** Goes on with another behaviour, from the next handler (`enter` included). It must know the state. */
export function changeCallbackModule(behaviour: object): SwitchModule {
  return new SwitchModule("change", behaviour);
}
/** As `changeCallbackModule`; `popCallbackModule` brings the present one back. */
export function pushCallbackModule(behaviour: object): SwitchModule {
  return new SwitchModule("push", behaviour);
}
export function popCallbackModule(): SwitchModule {
  return new SwitchModule("pop", undefined);
}
