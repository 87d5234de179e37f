/** Compiles a protocol's table of states: one object of the same shape per state, with the defaults filled in. */

import type { FramingError } from "../../../framing/framing.js";
import type { Cells, Outcome, StatemEvent } from "../../../otp/gen-statem/gen-statem.js";
import { type Step, Stop, stop } from "../../../otp/gen-statem/step.js";
import type { ExitReason } from "../../../otp/process/exit-reason.js";
import { toMs } from "../../../otp/time/duration.js";
import type { Arrival } from "../arrival.js";
import type { Limits } from "../limits.js";
import type { OwnParts } from "../parts.js";
import type { Presence } from "../presence.js";
import type { AnyProtocol } from "../protocol.js";
import { forward } from "../sources.js";

/** A compiled state. Every cell is present, so that all states have one shape for V8. */
export interface ProtocolCells extends Cells<any> {
  /** Of a `timeout` that is a plain `stop(...)`: ends the connection while a handler runs, too. */
  readonly timeoutStop: Stop | undefined;
  /** A boolean, as `conn.send` returns it, means nothing. */
  readonly frame: (conn: any, frame: any) => Outcome | boolean;
  readonly message: ((conn: any, message: any) => Outcome) | undefined;
  /** Whether `message` sends every message to the client (`forward`). */
  readonly forwards: boolean;
  readonly request: ((conn: any, request: any) => Outcome) | undefined;
  readonly replaced: ((conn: any, name: string) => Outcome) | undefined;
  readonly bad: ((conn: any, error: FramingError) => Outcome) | undefined;
  readonly presence: ((conn: any, change: Presence) => Outcome) | undefined;
  readonly idleMs: number;
  readonly idle: (conn: any) => Outcome;
  readonly passive: ((conn: any) => Outcome) | undefined;
  readonly drained: ((conn: any) => Outcome) | undefined;
  readonly ended: (conn: any) => Outcome;
  readonly shutdown: (conn: any) => Outcome;
  readonly timers: ReadonlyMap<string, (conn: any) => Outcome> | undefined;
}

/** Calls the cell of an event. Only postponed frames pass here: the frame loop calls their cell itself. */
export function handleEvent(
  cells: ProtocolCells,
  conn: unknown,
  kind: string,
  content: unknown,
): Outcome | boolean {
  switch (kind) {
    case "frame":
      return cells.frame(conn, content);
    case "message":
      return cells.message?.(conn, content);
    case "timeout":
      return cells.timeout?.(conn);
    case "idle":
      return cells.idle(conn);
    case "bad":
      return lastStep(cells.bad?.(conn, (content as BadFrame).error), (content as BadFrame).reason);
    case "passive":
      return cells.passive?.(conn);
    case "drained":
      return cells.drained?.(conn);
    case "ended":
      return cells.ended(conn);
    case "shutdown":
      return cells.shutdown(conn);
    case "timer":
      return cells.timers?.get((content as Extract<StatemEvent, { type: "timer" }>).name)?.(conn);
    default:
      throw new Error(`connections have no event "${kind}"`);
  }
}

/** Content of the event `bad`. */
export interface BadFrame {
  readonly error: FramingError;
  /** For which the connection ends. */
  readonly reason: ExitReason;
}

/** After a bad frame the decoder cannot go on: whatever the handler returns but its own `stop`, the connection ends. */
function lastStep(outcome: Outcome, reason: ExitReason): Outcome {
  if (outcome instanceof Promise)
    return outcome.then((step) => (step instanceof Stop ? step : new Stop(reason)));
  return outcome instanceof Stop ? outcome : new Stop(reason);
}

/** What the server's configuration overrides in a protocol. */
export interface CompileOptions {
  /** Overrides the idle time of every state, in milliseconds. */
  readonly idle?: number | undefined;
}

/** The compiled states by name, and the initial one. */
export interface CompiledStates {
  readonly initial: ProtocolCells;
  readonly states: ReadonlyMap<string, ProtocolCells>;
  /** The names of all timers of all states. */
  readonly timers: ReadonlySet<string>;
}

export function compile(protocol: AnyProtocol, limits: Limits, options: CompileOptions = {}): CompiledStates {
  const states = new Map<string, ProtocolCells>();
  for (const [name, state] of Object.entries<any>(protocol.states)) {
    const idle = state.idle ?? { after: limits.idle, do: stop("idle") };
    states.set(name, {
      name,
      enter: entering(state),
      leave: state.leave && atOnce(state.leave),
      timeoutMs: state.timeout && state.timeout.after !== Infinity ? toMs(state.timeout.after) : undefined,
      timeout: state.timeout && handler(state.timeout.do),
      timeoutStop: state.timeout?.do instanceof Stop ? state.timeout.do : undefined,
      frame: state.frame ?? unexpected,
      message: state.message === forward ? sendMessage : state.message,
      forwards: state.message === forward,
      request: state.request,
      replaced: state.replaced,
      bad: state.bad,
      presence: state.presence,
      idleMs: options.idle ?? (idle.after === Infinity ? Infinity : toMs(idle.after)),
      idle: handler(idle.do),
      passive: state.passive,
      drained: state.drained,
      ended: state.ended ?? finish,
      shutdown: state.shutdown ? shutdownCell(state.shutdown) : goDown,
      timers:
        state.timers && new Map(timersOf(state).map(([name, cell]) => [name, handler(cell.do ?? cell)])),
    });
  }
  const initial = protocol.initial ?? (Object.keys(protocol.states)[0] as string);
  const timers = new Set(
    Object.values<any>(protocol.states).flatMap((state) => timersOf(state).map(([name]) => name)),
  );
  return { initial: states.get(initial) as ProtocolCells, states, timers };
}

const timersOf = (state: any) =>
  Object.entries<any>(state.timers ?? {}).filter(([, cell]) => cell !== undefined);

/** Wraps `enter` so that the state's own timers are set first. */
function entering(state: any): ProtocolCells["enter"] {
  const own = timersOf(state).filter(([, { after }]) => after !== undefined && after !== Infinity);
  if (own.length === 0) return state.enter;
  return (conn, from) => {
    for (const [name, { after }] of own) conn.setTimer(name, after);
    return state.enter?.(conn, from);
  };
}

function handler(action: Step<string> | ((conn: any) => Outcome)): (conn: any) => Outcome {
  return typeof action === "function" ? action : () => action;
}

const unexpected = () => stop("unexpected_frame");
/** `forward` of a message that has waited in the mailbox. */
const sendMessage = (conn: any, message: any) => void conn.send(message);
const finish = () => stop();
const goDown = () => stop("shutdown");
/** `undefined` and the result of `conn.send` are not steps. */
const orGoDown = <T>(step: T) => (typeof step === "object" ? step : goDown());

/** After a `shutdown` handler the connection stops, unless the handler moved to another state. */
function shutdownCell(shutdown: (conn: any) => Outcome): (conn: any) => Outcome {
  return (conn) => {
    const outcome = shutdown(conn);
    return outcome instanceof Promise ? outcome.then(orGoDown) : orGoDown(outcome);
  };
}

function atOnce(leave: (conn: any) => void): (conn: any) => void {
  return (conn) =>
    noPromise(leave(conn), "leave cannot wait, because the next state begins at once; terminate can");
}

/** The data of a new connection. */
export function dataFor(protocol: Pick<AnyProtocol, "data">, conn: Arrival & OwnParts): unknown {
  const data = protocol.data?.(conn.peer, conn);
  noPromise(data, "data cannot wait: fetch what takes time in the first state's enter");
  return data;
}

/** @throws TypeError for a promise: it would not be awaited, and its rejection would end the worker */
function noPromise(value: unknown, what: string): void {
  if (!(value instanceof Promise)) return;
  value.catch(() => {});
  throw new TypeError(what);
}
