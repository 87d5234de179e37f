/** What a protocol author writes: a table of states. `check.ts` checks it, `compile.ts` makes of it what connections run on. */
import type { Framing } from "../framing/framing.js";
import type { Duration } from "../otp/duration.js";
import type { ExitReason } from "../otp/exit.js";
import type { Pid } from "../otp/pid.js";
import type { Step } from "../otp/step.js";
import type { Peer } from "../transport/transport.js";
import { checkProtocol } from "./check.js";
import type { Limits } from "./limits.js";

/** How frames are asked for: one after the other, without regard to the output, or so many and then `passive`. */
export type Active = "once" | true | number;

/** A connection as its protocol sees it. */
export interface Conn<Data, Out> {
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
}

type Returns<S extends string> = Step<S> | void | Promise<Step<S> | void>;
type Cell<S extends string, Data, Out> = Step<S> | ((conn: Conn<Data, Out>) => Returns<S>);
/** Something to do after a time: a step, or a handler. */
export interface After<T> {
  readonly after: Duration;
  readonly do: T;
}

/** One state: what it does with each event. What is not listed has a default. */
export interface State<S extends string, Data, In, Out, Msg> {
  /** The state has been entered. `from` is `undefined` for the first. */
  enter?(conn: Conn<Data, Out>, from: S | undefined): Returns<S>;
  /** A frame has come. Default: the connection ends as `unexpected_frame`. */
  frame?(conn: Conn<Data, Out>, frame: In): Returns<S>;
  /** A message from another process. Default: dropped. */
  message?(conn: Conn<Data, Out>, message: Msg): Returns<S>;
  /** So long after the state was entered, whatever happens in it. */
  readonly timeout?: After<Cell<S, Data, Out>>;
  /** So long without a whole frame from the peer, counted from its last one (not from the state's beginning). Default: `{ after: "2m", do: stop("idle") }`. */
  readonly idle?: After<Cell<S, Data, Out>>;
  /** The frames that were asked for with a number are used up. */
  passive?(conn: Conn<Data, Out>): Returns<S>;
  /** The output has gone down from its high-water mark. */
  drained?(conn: Conn<Data, Out>): Returns<S>;
  /** The peer has finished sending, and its frames are handled. Default: `stop()`. */
  ended?(conn: Conn<Data, Out>): Returns<S>;
  /**
   * The server is going down: say goodbye. Comes before frames that wait. Afterwards the connection stops,
   * unless the handler moves to another state: that one has the rest of the shutdown time.
   */
  shutdown?(conn: Conn<Data, Out>): Returns<S>;
  /** The state is left: by `next`, `stop`, a crash or the peer, but not by kill. Cannot wait; `terminate` can. */
  leave?(conn: Conn<Data, Out>): void;
}

export interface Protocol<S extends string, Data, In, Out, Msg> {
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
  readonly states: Record<S, State<NoInfer<S>, NoInfer<Data>, NoInfer<In>, NoInfer<Out>, Msg>>;
  /** Runs once at the end, after `leave`; not on kill. What it waits for has `limits.terminate`, then it is killed. */
  terminate?(conn: Conn<NoInfer<Data>, NoInfer<Out>>, reason: ExitReason): void | Promise<void>;
  readonly limits?: Partial<Limits>;
}

export type AnyProtocol = Protocol<any, any, any, any, any>;

/**
 * Defines a protocol; nothing needs annotating but the types of messages.
 * @throws TypeError that names the place and what to write instead
 */
export function defineProtocol<const S extends string, In, Out, Data = undefined, Msg = unknown>(
  protocol: Protocol<S, Data, In, Out, Msg>,
): Protocol<S, Data, In, Out, Msg> {
  checkProtocol(protocol as AnyProtocol);
  return protocol;
}

export { checkProtocol };
