/** What a protocol author writes: a table of states. `check.ts` checks it, `compile.ts` makes of it what connections run on. */
import type { Framing } from "../../framing/framing.js";
import type { Postpone, Step } from "../../otp/gen-statem/step.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import type { Duration } from "../../otp/time/duration.js";
import type { Peer } from "../../transport/transport.js";
import type { Limits } from "./limits.js";

/** How frames are asked for: one after the other, without regard to the output, or so many and then `passive`. */
export type Active = "once" | true | number;

/** A connection as its protocol sees it. */
export interface Conn<Data, Out, Timers extends string = string> {
  readonly pid: Pid;
  readonly peer: Peer;
  /** The state it is in. */
  readonly state: string;
  readonly data: Data;
  /** Bytes that wait to be sent. */
  readonly outbound: number;
  /**
   * Sends a frame. One of 16 KiB or more may be sent from its own memory: leave that unchanged until `outbound`
   * is 0. What is sent in one turn leaves in one write; after the end of the connection it is ignored.
   * While more than `limits.maxOutbound` waits, it ends the connection instead (`slow_consumer`).
   * @throws FramingError `send_too_long` when the framing cannot carry it
   */
  send(frame: Out): void;
  /** Asks for frames in another way; a number is added to those that are still to come. */
  setActive(active: Active): void;
  /**
   * Sets a timer that some state lists under `timers`, or sets it anew: what the state does that the connection
   * is in by then is done. Nothing but itself cancels it, neither frames nor a change of state. 0: after the
   * messages that wait; `Infinity` cancels. After the end of the connection it is ignored.
   * @throws TypeError when no state lists it, or `after` is no duration
   */
  setTimer(name: Timers, after: Duration): void;
  /** Cancels a timer, whether it runs or not. */
  cancelTimer(name: Timers): void;
}

type Returns<S extends string> = Step<S> | void | Promise<Step<S> | void>;
type Cell<S extends string, C> = Exclude<Step<S>, Postpone> | ((conn: C) => Returns<S>);
/** Something to do after a time: a step, or a handler. */
export interface After<T> {
  readonly after: Duration;
  readonly do: T;
}

/** One state: what it does with each event. What is not listed has a default. */
export interface State<
  S extends string,
  Data,
  In,
  Out,
  Msg,
  Timers extends string = string,
  C = Conn<Data, Out, NoInfer<Timers>>,
> {
  /** The state has been entered. `from` is `undefined` for the first. */
  enter?(conn: C, from: S | undefined): Returns<S>;
  /** A frame has come. Default: the connection ends as `unexpected_frame`. */
  frame?(conn: C, frame: In): Returns<S>;
  /** A message from another process. Default: dropped. */
  message?(conn: C, message: Msg): Returns<S>;
  /** So long after the state was entered, whatever happens in it. */
  readonly timeout?: After<Cell<S, C>>;
  /** So long without a whole frame from the peer, counted from its last one (not from the state's beginning). Default: `{ after: "2m", do: stop("idle") }`. */
  readonly idle?: After<Cell<S, C>>;
  /**
   * Named timers: what to do when one runs out in this state. `{ after, do }` also sets it whenever the state is
   * entered, before `enter`; otherwise only `setTimer` does. One that is not listed runs out without effect.
   */
  readonly timers?: { readonly [N in Timers]?: Cell<S, C> | Postpone | After<Cell<S, C> | Postpone> };
  /** The frames that were asked for with a number are used up. */
  passive?(conn: C): Returns<S>;
  /** The output has gone down from its high-water mark. */
  drained?(conn: C): Returns<S>;
  /** The peer has finished sending, and its frames are handled. Default: `stop()`. */
  ended?(conn: C): Returns<S>;
  /**
   * The server is going down: say goodbye. Comes before frames that wait. Afterwards the connection stops,
   * unless the handler moves to another state: that one has the rest of the shutdown time.
   */
  shutdown?(conn: C): Returns<S>;
  /** The state is left: by `next`, `stop`, a crash or the peer, but not by kill. Cannot wait; `terminate` can. */
  leave?(conn: C): void;
}

export interface Protocol<S extends string, Data, In, Out, Msg, Timers extends string = string> {
  /** A word: names the processes, reports and series of its connections. */
  readonly name: string;
  readonly framing: Framing<In, Out>;
  /** Default: the first state that is listed. */
  readonly initial?: NoInfer<S>;
  /** Default `"once"`. */
  readonly active?: Active;
  /**
   * `"kept"` (default): frames are safe to keep. `"borrowed"`: a frame is valid only until its handler returns
   * (or first awaits), which saves a copy for a protocol that is done with it by then.
   */
  readonly frames?: "kept" | "borrowed";
  /** The data of a new connection. */
  data?(peer: Peer): Data;
  readonly states: Record<S, State<NoInfer<S>, NoInfer<Data>, NoInfer<In>, NoInfer<Out>, Msg, Timers>>;
  /** Runs once at the end, after `leave`; not on kill. What it waits for has `limits.terminate`, then it is killed. */
  terminate?(
    conn: Conn<NoInfer<Data>, NoInfer<Out>, NoInfer<Timers>>,
    reason: ExitReason,
  ): void | Promise<void>;
  readonly limits?: Partial<Limits>;
}

export type AnyProtocol = Protocol<any, any, any, any, any, any>;
