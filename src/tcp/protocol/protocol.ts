/** Types of what a protocol author writes: a table of states. Checked by `validate.ts`, compiled by `compile.ts`. */
import type { Framing, FramingError } from "../../framing/framing.js";
import type { NextWith, Postpone, Step } from "../../otp/gen-statem/step.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import type { Duration } from "../../otp/time/duration.js";
import type { Peer } from "../../transport/transport.js";
import type { Logger } from "../observe/protocol-log.js";
import type { Arrival } from "./arrival.js";
import type { Become } from "./become-step.js";
import type { LimitOptions } from "./limits.js";
import type { Children, OwnParts, Parts, PartsOf, ReasonsOf, Started, WorkerHooks } from "./parts.js";
import type { Presence } from "./presence.js";

export type { Peer } from "../../transport/transport.js";

import type { Accepts, Forward, MessageOf, RequestOf } from "./sources.js";
import type { StartTls } from "./start-tls.js";

/**
 * Flow control mode, as `{active, _}` of Erlang's sockets. `"once"`: the next frame only when the last is handled and the
 * output has room; `true`: regardless of the output; a number from 1 to 32767: that many frames, then `passive`.
 */
export type Active = "once" | true | number;

/** A connection as a protocol's handlers see it. */
export interface Conn<
  Data,
  Out,
  Timers extends string = string,
  Msg = never,
  Req = never,
  In = any,
  P extends Parts = any,
> extends Arrival,
    OwnParts<P>,
    Accepts<Msg, Req> {
  /** Name of the present state. */
  readonly state: string;
  readonly data: Data;
  /** Bytes sent that the kernel has not taken yet. */
  readonly outbound: number;
  /** Messages of groups that it lost since `missed` was last read, because its client reads too slowly. */
  readonly missed: number;
  /**
   * Sends a frame; the frames of one turn leave in one write. A frame above 16 KiB may be sent from its own memory: do
   * not change it until `outbound` is 0. After the end of the connection it is ignored.
   * While more than `limits.maxOutbound` bytes wait, it ends the connection instead, with RST (`slow_consumer`).
   * @returns whether the output has room for more; if not, stop sending until `drained`, or await `room()`
   * @throws FramingError `send_too_long` when the framing cannot carry it
   */
  send(frame: Out): boolean;
  /**
   * Resolves when the output has room for another frame: at once, or when it has gone down to `limits.lowWater`.
   * For async senders: `conn.send(chunk) || await conn.room()`. Rejects when the connection ends.
   */
  room(): Promise<void>;
  /**
   * Handles no frame of this connection while the output of `other` is at its high-water mark, so that TCP pushes back on
   * this peer: for gateways, one call for each direction. Lasts until one of the two ends.
   * @param other a connection of the same worker, such as `connect` returns
   * @throws TypeError when it is none
   */
  throttleBy(other: Pid | { readonly pid: Pid }): void;
  /**
   * Aborted when the connection ends: the peer has gone, the protocol or the server stops it, or a limit such as
   * `limits.handler` is reached. Hand it to `fetch`, database calls and timers.
   */
  readonly signal: AbortSignal;
  /**
   * Log with pino's signature, `conn.log.warn({ imei }, "no answer")`: each line has the worker, and the pid, protocol,
   * state and peer of the connection. Follows `--log-level`. Without a log, as in `serve()`, it goes to `console`.
   */
  readonly log: Logger;
  /**
   * Runs work beside the frames of this connection. Its failure is a crash of this connection alone; `signal` is
   * aborted when the connection ends, and what fails after that is ignored.
   */
  spawn(work: (signal: AbortSignal) => unknown): void;
  /**
   * Changes the flow control mode; a number is added to the frames still asked for.
   * @throws TypeError for anything but `"once"`, `true` or a whole number from 1 to 32767
   */
  setActive(active: Active): void;
  /**
   * Sets or restarts a timer that some state lists under `timers`. When it expires, the cell of the then present state
   * runs. Neither frames nor a change of state cancel it (generic time-out of gen_statem). 0: after the messages that
   * wait; `Infinity` cancels. After the end of the connection it is ignored.
   * @throws TypeError when no state lists it, or `after` is not a duration
   */
  setTimer(name: Timers, after: Duration): void;
  /** Cancels a timer; does nothing when it is not running. @throws TypeError when no state lists it */
  cancelTimer(name: Timers): void;
  /**
   * Changes the framing, from the next frame on, received and sent: a line, then `fixed(n)` bytes, then lines again.
   * Bytes received and not handled are read again. Both framings have the same types of frames; otherwise `become`
   * another protocol. After the end of the connection it is ignored.
   * @throws TypeError for a value that is not a framing; Error when postponed frames wait, or when bytes wait in a decoder without
   * `rest`
   */
  setFraming(framing: Framing<In, Out> & { readonly encodedLength: (frame: Out) => number }): void;
}

/** What a handler returns: a step, or nothing to stay. The boolean that `conn.send` returns means nothing here. */
type Result<S extends string, R = any> = Step<S, R> | NextWith<S, StartTls> | Become | void | boolean;
type Returns<S extends string, R = any> = Result<S, R> | Promise<Result<S, R>>;
type Cell<S extends string, C, R = any> = Exclude<Step<S, R>, Postpone> | ((conn: C) => Returns<S, R>);
/** A step or handler that runs after a time. */
export interface After<T> {
  readonly after: Duration;
  readonly do: T;
}

/** Without `takes` messages are `unknown`, and a handler may state their type itself (which a method type allows). */
type MessageCell<S extends string, C, Out, T, R = any> = T extends readonly []
  ? { message(conn: C, message: unknown): Returns<S, R> }["message"]
  : ((conn: C, message: MessageOf<T>) => Returns<S, R>) | ([MessageOf<T>] extends [Out] ? Forward : never);

/** One state: a cell per event. An event without a cell has the default given here. */
export interface State<
  S extends string,
  Data,
  In,
  Out,
  T = any,
  N = any,
  Timers extends string = string,
  P extends Parts = any,
  R = any,
  C = Conn<Data, Out, NoInfer<Timers>, MessageOf<T>, RequestOf<N>, In, P>,
> {
  /** The state has been entered. `from` is `undefined` for the first. */
  enter?(conn: C, from: S | undefined): Returns<S, R>;
  /** A frame has come. Default: the connection ends as `unexpected_frame`. */
  frame?(conn: C, frame: In): Returns<S, R>;
  /** A message from another process, or of a group; `forward` sends it to the client. Default: dropped. */
  readonly message?: MessageCell<S, C, Out, T, R>;
  /** A request to a name that the connection holds. Default: refused. */
  request?(conn: C, request: RequestOf<N>): Returns<S, R>;
  /** A newer claim waits for a name; it is let go when this has run. Default: the connection ends as `replaced`. */
  replaced?(conn: C, name: string): Returns<S, R>;
  /** Members of a group with `presence` have come or gone; the first event after joining has all of them. Default: nothing. */
  presence?(conn: C, change: Presence): Returns<S, R>;
  /**
   * The framing has thrown a `FramingError`: the bytes are no frame. May answer; then the connection ends, as the error's
   * code says, or with a `stop("bad_crc")` of its own. Default: it ends at once.
   */
  bad?(conn: C, error: FramingError): Returns<S, R>;
  /** Runs this long after the state was entered, whatever happens in it (state time-out of gen_statem). Default: none. */
  readonly timeout?: After<Cell<S, C, R>>;
  /** Runs after this long without a whole frame from the peer, counted from its last one, not from the entry of the state. Default: `{ after: "2m", do: stop("idle") }`. */
  readonly idle?: After<Cell<S, C, R>>;
  /**
   * Named timers: what to do when one expires in this state. `{ after, do }` also sets it when the state is entered,
   * before `enter`; otherwise only `setTimer` does. A timer that this state does not list expires without effect.
   */
  readonly timers?: { readonly [N in Timers]?: Cell<S, C, R> | Postpone | After<Cell<S, C, R> | Postpone> };
  /** The number of frames asked for is used up. Default: no frame until `setActive`. */
  passive?(conn: C): Returns<S, R>;
  /** The output has gone down from its high-water mark (64 KiB) to the low one (16 KiB). Default: nothing. */
  drained?(conn: C): Returns<S, R>;
  /** The peer has finished sending, and its frames are handled. Default: `stop()`. */
  ended?(conn: C): Returns<S, R>;
  /**
   * The server is shutting down: say goodbye. Runs before frames that wait. Afterwards the connection stops, unless the
   * handler moves to another state, which has the rest of the shutdown time.
   */
  shutdown?(conn: C): Returns<S, R>;
  /** The state is left: by `next`, `stop`, a crash or the peer, but not by kill. Must be synchronous; `terminate` may be async. */
  leave?(conn: C): void;
}

export interface Protocol<
  S extends string,
  Data,
  In,
  Out,
  T = any,
  N = any,
  Timers extends string = string,
  O = any,
  W = any,
  M = any,
  R extends string = any,
> {
  /** A word (letters, digits, `-`, `_`; at most 64): names the processes, reports and metrics of its connections. */
  readonly name: string;
  readonly framing: Framing<In, Out>;
  /** Groups, and families of groups, whose messages its connections handle. Default: none. */
  readonly takes?: T;
  /** The family of names whose requests its connections answer. Default: none. */
  readonly answers?: N;
  /** Name of the initial state. Default: the first state listed. */
  readonly initial?: NoInfer<S>;
  /** Default `"once"`. */
  readonly active?: Active;
  /**
   * `"kept"` (default): a frame may be kept. `"borrowed"`: a frame is valid only until its handler returns or first
   * awaits, which saves copying it.
   */
  readonly frames?: "kept" | "borrowed";
  /**
   * A schema of what can be set without changing the code: `--set key=value`, `options` in the configuration file,
   * `serve(protocol, { options })`. Its result is `conn.options`. Default: no options.
   */
  readonly options?: O;
  /**
   * Metrics of its own: `{ logins: counter("Logins by result", { result: ["ok", "bad"] }) }` is `conn.metrics.logins`, and
   * `tracker_logins_total` of a protocol called `tracker`. Default: none.
   */
  readonly metrics?: M;
  /**
   * Words for `stop("no_login")` that are counted under themselves, as the label `reason` of
   * `drover_connections_closed_total`; others count as `stopped`. At most 32. Default: none.
   */
  readonly reasons?: readonly R[];
  /** What each worker opens before its first connection, and closes after its last one. Default: nothing. */
  readonly worker?: WorkerHooks<NoInfer<O>, W, NoInfer<M>>;
  /** Processes that run in each worker beside the listeners, under its supervisor. Default: none. */
  readonly children?: Children<NoInfer<O>, NoInfer<W>, NoInfer<M>>;
  /**
   * Makes the data of a new connection, `conn.data`. Must be synchronous. `arrival` has what else is known of it:
   * `data: (peer, { proxy }) => ({ host: proxy?.authority })`. Default: `undefined`.
   */
  data?(peer: Peer, arrival: Arrival & OwnParts<PartsOf<NoInfer<O>, Started<NoInfer<W>>, NoInfer<M>>>): Data;
  readonly states: Record<
    S,
    State<
      NoInfer<S>,
      NoInfer<Data>,
      NoInfer<In>,
      NoInfer<Out>,
      NoInfer<T>,
      NoInfer<N>,
      Timers,
      PartsOf<NoInfer<O>, Started<NoInfer<W>>, NoInfer<M>>,
      ReasonsOf<NoInfer<R>>
    >
  >;
  /** Runs once at the end, after `leave`; not on kill. A promise has `limits.terminate` (5 s) to settle, then the connection is killed. */
  terminate?(
    conn: Conn<
      NoInfer<Data>,
      NoInfer<Out>,
      NoInfer<Timers>,
      MessageOf<NoInfer<T>>,
      RequestOf<NoInfer<N>>,
      NoInfer<In>,
      PartsOf<NoInfer<O>, Started<NoInfer<W>>, NoInfer<M>>
    >,
    reason: ExitReason,
  ): void | Promise<void>;
  readonly limits?: LimitOptions;
  /**
   * The frame that a client gets which is refused because the limit of connections is reached (`--when-full refuse`), such
   * as `"421 too many connections"`; then it is closed. Not behind TLS or a PROXY header. Default: closed without a word.
   */
  readonly full?: NoInfer<Out>;
  /** The protocols that its connections may `become`, as a function because two may list each other. Default: none. */
  becomes?(): readonly AnyProtocol[];
  /**
   * Messages from other processes that may wait in the mailbox of a connection; as many again may be postponed. More are
   * dropped and counted (`drover_messages_dropped_total`). Exit signals are never dropped. Default 10,000.
   */
  readonly maxMessages?: number;
  /**
   * Maximum number of workers: 1 for a protocol whose state is in the memory of one worker. A start with more is refused;
   * `--workers auto` stays within it. Default: no maximum.
   */
  readonly workers?: number;
}

export type AnyProtocol = Protocol<any, any, any, any, any, any, any, any, any, any, any>;
