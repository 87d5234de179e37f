/** Types of the server behaviour: its specification, the `self` of its handlers, typed references to servers. */

import type { ExitReason } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import type { Duration } from "../time/duration.js";
import type { CallMessage } from "./call-message.js";

/** The server, as its handlers see it. */
export interface Self<S> {
  readonly pid: Pid;
  state: S;
  /**
   * The caller of the call that is being handled, to reply to later: `self.state.waiting.push(self.from); return noreply();`
   * @throws TypeError outside of a call
   */
  readonly from: CallMessage;
  /** Replies to a kept `from`; a second reply, or one after the caller's timeout, is dropped. */
  replyTo(from: CallMessage, value: unknown): void;
  /** Stops the server after this handler. */
  stop(reason?: ExitReason): void;
  /** Calls `continue` after this handler and its reply, before any message, as `{continue, Content}`. */
  continueWith(content: unknown): void;
  /** Calls `timeout` unless a message arrives within this time. */
  timeoutAfter(after: Duration): void;
}

export type Handlers<S> = Record<string, (self: Self<S>, ...args: never[]) => unknown>;

export interface GenServerSpec<A, S, C, K> {
  /** The name in reports and trees. */
  readonly name: string;
  /** Exit signals become messages for `info`. Default false. */
  readonly trapExit?: boolean;
  /** Mailbox bound: one more call is refused (`mailbox_full`), any other message is dropped. Default `Infinity`. */
  readonly maxMessages?: number;
  /** Returns the first state. An exception, a rejection or `self.stop` is a failed start; `"ignore"` is no failure. */
  init(args: A, self: Self<undefined>): S | "ignore" | Promise<S | "ignore">;
  /** The returned or resolved value is the reply; with `noreply()` it comes later. */
  readonly calls?: C;
  readonly casts?: K;
  /** Any other message. Default: dropped. */
  info?(self: Self<S>, message: unknown): unknown;
  /** Called for `self.continueWith`. */
  continue?(self: Self<S>, content: any): unknown;
  /** Called for `self.timeoutAfter`. */
  timeout?(self: Self<S>): unknown;
  /** Runs before every exit but `kill`; on exit signals only with `trapExit`. */
  terminate?(self: Self<S>, reason: ExitReason): void | Promise<void>;
  /** Converts the state of the old code (`sys.changeCode`). */
  codeChange?(state: any, extra: unknown): NoInfer<S>;
  /** Formats the state for `sys.getStatus`. */
  formatStatus?(state: NoInfer<S>): unknown;
}

export interface GenServer<A, S, C, K> extends GenServerSpec<A, S, C, K> {
  readonly calls: C;
  readonly casts: K;
}

/** A pid with the types of its calls and casts. */
export type Ref<C, K> = Pid & { readonly __calls?: C; readonly __casts?: K };
export type RefOf<G> = G extends Behaviour<any, infer C, infer K> ? Ref<C, K> : never;

/** What `start` and `child` take: a server or a state machine. */
export interface Behaviour<A, C, K> {
  readonly name: string;
  init(args: A, self: any): unknown;
  readonly calls: C;
  readonly casts: K;
}

/** An omitted table has no entries: without this type every name would compile. */
export type DeclaredHandlers<T> = string extends keyof T ? Record<never, never> : T;
