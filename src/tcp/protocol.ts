/**
 * What a protocol author writes, and what it becomes. `defineProtocol` only checks and types the table;
 * `compile` makes of it what connections run on: one object of the same shape per state.
 */
import type { Framing } from "../framing/framing.js";
import { type Duration, toMs } from "../otp/duration.js";
import type { ExitReason } from "../otp/exit.js";
import type { Cells, Outcome } from "../otp/gen-statem.js";
import type { Pid } from "../otp/pid.js";
import { Next, type Step, Stop, stop } from "../otp/step.js";
import type { Peer } from "../transport/transport.js";
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
   * Sends a frame. What is sent in one turn leaves in one write; after the end of the connection it is ignored.
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
  /** So long without a whole frame from the peer. Default: `{ after: "2m", do: stop("idle") }`. */
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
  /** The state is left: by `next`, `stop`, a crash or the peer, but not by kill. */
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
  /** The data of a new connection. */
  data?(peer: Peer): Data;
  readonly states: Record<S, State<NoInfer<S>, NoInfer<Data>, NoInfer<In>, NoInfer<Out>, Msg>>;
  /** Runs once at the end, after `leave`; not on kill. */
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

/** A state as connections run on it: every cell is there, so that all states have one shape. */
export interface ProtocolCells extends Cells<any> {
  readonly frame: (conn: any, frame: any) => Outcome;
  readonly message: ((conn: any, message: any) => Outcome) | undefined;
  readonly idleMs: number;
  readonly idle: (conn: any) => Outcome;
  readonly passive: ((conn: any) => Outcome) | undefined;
  readonly drained: ((conn: any) => Outcome) | undefined;
  readonly ended: (conn: any) => Outcome;
  readonly shutdown: ((conn: any) => Outcome) | undefined;
}

const WORD = /^[a-z][a-z0-9_-]{0,63}$/i;
const KEYS = ["name", "framing", "initial", "active", "data", "states", "terminate", "limits"];
const HANDLERS = ["enter", "frame", "message", "passive", "drained", "ended", "shutdown", "leave"];
const TIMERS = ["timeout", "idle"];

/** @throws TypeError unless it is a protocol */
export function checkProtocol(protocol: AnyProtocol): void {
  const wrong = (what: string): never => {
    throw new TypeError(`protocol ${JSON.stringify(protocol?.name ?? "?")}: ${what}`);
  };
  if (typeof protocol !== "object" || protocol === null) {
    throw new TypeError("a protocol is made by defineProtocol({ name, framing, states })");
  }
  const unknown = Object.keys(protocol).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) wrong(`unknown key "${unknown}"; the keys are ${KEYS.join(", ")}`);
  if (typeof protocol.name !== "string" || !WORD.test(protocol.name)) wrong(`"name" must be a word such as "echo"`);
  if (typeof protocol.framing?.decoder !== "function") wrong(`"framing" must be packet(2), lines(), raw() or one of your own`);
  const names = Object.keys(protocol.states ?? {});
  if (names.length === 0) wrong(`"states" must list at least one state`);
  if (protocol.initial !== undefined && !names.includes(protocol.initial)) {
    wrong(`"initial" names no state: "${protocol.initial}"; the states are ${names.join(", ")}`);
  }
  checkActive(protocol.active, wrong);
  for (const name of names) checkState(name, protocol.states[name], names, wrong);
}

export function checkActive(active: unknown, wrong: (what: string) => never): void {
  if (active === undefined || active === "once" || active === true) return;
  if (typeof active === "number" && Number.isInteger(active) && active >= 1 && active <= 32767) return;
  wrong(`"active" must be "once", true, or a whole number from 1 to 32767, got ${JSON.stringify(active)}`);
}

function checkState(name: string, state: any, names: readonly string[], wrong: (what: string) => never): void {
  for (const [key, cell] of Object.entries<any>(state ?? {})) {
    const place = `states.${name}.${key}`;
    if (HANDLERS.includes(key)) {
      if (typeof cell !== "function") wrong(`${place} must be a function (conn, …) => step`);
    } else if (TIMERS.includes(key)) {
      checkTimer(place, cell, names, wrong);
    } else {
      wrong(`unknown key ${place}; a state has ${[...HANDLERS, ...TIMERS].join(", ")}`);
    }
  }
}

function checkTimer(place: string, cell: any, names: readonly string[], wrong: (what: string) => never): void {
  const { after, do: action } = cell ?? {};
  try {
    if (after !== Infinity) toMs(after);
  } catch (error) {
    wrong(`${place}.after: ${(error as Error).message}`);
  }
  if (action instanceof Next && !names.includes(action.state)) {
    wrong(`${place}.do names no state: "${action.state}"; the states are ${names.join(", ")}`);
  }
  if (typeof action === "function" || action instanceof Next || action instanceof Stop) return;
  wrong(`${place}.do must be next("state"), stop("reason") or a function`);
}

/** What the server may decide about a protocol from outside. */
export interface CompileOptions {
  /** Overrules the idle time of every state, in milliseconds. */
  readonly idle?: number | undefined;
}

/** The states by name, and where to begin. */
export interface CompiledStates {
  readonly initial: ProtocolCells;
  readonly states: ReadonlyMap<string, ProtocolCells>;
}

export function compile(protocol: AnyProtocol, limits: Limits, options: CompileOptions = {}): CompiledStates {
  const states = new Map<string, ProtocolCells>();
  for (const [name, state] of Object.entries<any>(protocol.states)) {
    const idle = state.idle ?? { after: limits.idle, do: stop("idle") };
    states.set(name, {
      name,
      enter: state.enter,
      leave: state.leave,
      timeoutMs: state.timeout && state.timeout.after !== Infinity ? toMs(state.timeout.after) : undefined,
      timeout: state.timeout && handler(state.timeout.do),
      frame: state.frame ?? unexpected,
      message: state.message,
      idleMs: options.idle ?? (idle.after === Infinity ? Infinity : toMs(idle.after)),
      idle: handler(idle.do),
      passive: state.passive,
      drained: state.drained,
      ended: state.ended ?? finish,
      shutdown: state.shutdown,
    });
  }
  const initial = protocol.initial ?? (Object.keys(protocol.states)[0] as string);
  return { initial: states.get(initial) as ProtocolCells, states };
}

function handler(action: Step<string> | ((conn: any) => Outcome)): (conn: any) => Outcome {
  return typeof action === "function" ? action : () => action;
}

const unexpected = () => stop("unexpected_frame");
const finish = () => stop();
