/** What connections run on: a protocol's table as one object of the same shape per state, its defaults filled in. */

import type { Cells, Outcome, StatemEvent } from "../../otp/gen-statem/gen-statem.js";
import { type Step, stop } from "../../otp/gen-statem/step.js";
import { toMs } from "../../otp/time/duration.js";
import type { Peer } from "../../transport/transport.js";
import type { Limits } from "./limits.js";
import type { AnyProtocol } from "./protocol.js";

/** A state as connections run on it: every cell is there, so that all states have one shape. */
export interface ProtocolCells extends Cells<any> {
  readonly frame: (conn: any, frame: any) => Outcome;
  readonly message: ((conn: any, message: any) => Outcome) | undefined;
  readonly idleMs: number;
  readonly idle: (conn: any) => Outcome;
  readonly passive: ((conn: any) => Outcome) | undefined;
  readonly drained: ((conn: any) => Outcome) | undefined;
  readonly ended: (conn: any) => Outcome;
  readonly shutdown: (conn: any) => Outcome;
  readonly timers: ReadonlyMap<string, (conn: any) => Outcome> | undefined;
}

/** Hands an event to its cell. (Frames come past here only when they were put off: the loop calls their cell itself.) */
export function handleEvent(cells: ProtocolCells, conn: unknown, kind: string, content: unknown): Outcome {
  switch (kind) {
    case "frame":
      return cells.frame(conn, content);
    case "message":
      return cells.message?.(conn, content);
    case "timeout":
      return cells.timeout?.(conn);
    case "idle":
      return cells.idle(conn);
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

/** What the server may decide about a protocol from outside. */
export interface CompileOptions {
  /** Overrules the idle time of every state, in milliseconds. */
  readonly idle?: number | undefined;
}

/** The states by name, and where to begin. */
export interface CompiledStates {
  readonly initial: ProtocolCells;
  readonly states: ReadonlyMap<string, ProtocolCells>;
  /** The names of all timers, whichever state lists them. */
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
      frame: state.frame ?? unexpected,
      message: state.message,
      idleMs: options.idle ?? (idle.after === Infinity ? Infinity : toMs(idle.after)),
      idle: handler(idle.do),
      passive: state.passive,
      drained: state.drained,
      ended: state.ended ?? finish,
      shutdown: state.shutdown ? farewell(state.shutdown) : goDown,
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

/** `enter`, before which the state's own timers are set. */
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
const finish = () => stop();
const goDown = () => stop("shutdown");

/** After its goodbye a connection stops, unless it has moved to a state of its own. */
function farewell(shutdown: (conn: any) => Outcome): (conn: any) => Outcome {
  return (conn) => {
    const outcome = shutdown(conn);
    return outcome instanceof Promise ? outcome.then((step) => step ?? goDown()) : (outcome ?? goDown());
  };
}

function atOnce(leave: (conn: any) => void): (conn: any) => void {
  return (conn) =>
    noPromise(leave(conn), "leave cannot wait, because the next state begins at once; terminate can");
}

/** Who the peer is costs a call to the system: made when somebody looks. */
class AskedPeer implements Peer {
  readonly #conn: { readonly peer: Peer };
  constructor(conn: { readonly peer: Peer }) {
    this.#conn = conn;
  }
  get address(): string {
    return this.#conn.peer.address;
  }
  get port(): number {
    return this.#conn.peer.port;
  }
}

/** The data of a new connection. */
export function dataFor(protocol: AnyProtocol, conn: { readonly peer: Peer }): unknown {
  const data = protocol.data?.(new AskedPeer(conn));
  noPromise(data, "data cannot wait: fetch what takes time in the first state's enter");
  return data;
}

/** @throws TypeError for what would be waited for: nobody does, and its rejection would end the worker */
function noPromise(value: unknown, what: string): void {
  if (!(value instanceof Promise)) return;
  value.catch(() => {});
  throw new TypeError(what);
}
