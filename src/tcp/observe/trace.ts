/**
 * Watching single connections. A connection that is watched runs on copies of its cells that tell of every event
 * before they handle it; all others run on what they always run on, and pay nothing for it.
 */
import type { ProtocolCells } from "../protocol/compile.js";

/** What happened, told at once: frames may lie in memory that is used again. */
export interface TraceEvent {
  readonly what: "frame_in" | "frame_out" | "state" | "message" | "event";
  readonly state: string;
  /** A frame, a message, or the name of the event. */
  readonly content: unknown;
}

/** Must not throw. */
export type TraceListener = (event: TraceEvent) => void;

/** A connection, as far as it is of interest here. */
interface Traced {
  cells: ProtocolCells;
  readonly protocol: { cellsOf(state: string): ProtocolCells };
  readonly state: string;
}

/** The connections of one service that are watched. */
export class Traces {
  readonly #listeners = new Map<Traced, Set<TraceListener>>();

  get size(): number {
    return this.#listeners.size;
  }

  add(conn: Traced, listener: TraceListener): void {
    const listeners = this.#listeners.get(conn) ?? new Set();
    this.#listeners.set(conn, listeners);
    listeners.add(listener);
    if (listeners.size === 1) conn.cells = this.cells(conn, conn.cells);
  }

  /** After its last trace a connection runs on its protocol's own cells again. */
  remove(conn: Traced, listener: TraceListener): void {
    const listeners = this.#listeners.get(conn);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(conn);
    conn.cells = conn.protocol.cellsOf(conn.state);
  }

  /** A frame is about to be sent. */
  sent(conn: Traced, frame: unknown): void {
    this.#tell(conn, "frame_out", frame);
  }

  /** What this connection is to run on in place of `cells`. */
  cells(conn: Traced, cells: ProtocolCells): ProtocolCells {
    if (!this.#listeners.has(conn)) return cells;
    const { enter, frame, message, timeout, idle, passive, drained, ended, shutdown, timers } = cells;
    const told = <A extends unknown[], R>(name: string, cell: (self: any, ...args: A) => R) => {
      return (self: unknown, ...args: A): R => {
        this.#tell(conn, "event", name);
        return cell(self, ...args);
      };
    };
    return {
      ...cells,
      enter: (self, from) => {
        this.#tell(conn, "state", from);
        return enter?.(self, from);
      },
      frame: (self, content) => {
        this.#tell(conn, "frame_in", content);
        return frame(self, content);
      },
      message: (self, content) => {
        this.#tell(conn, "message", content);
        return message?.(self, content);
      },
      timeout: timeout && told("timeout", timeout),
      idle: told("idle", idle),
      passive: passive && told("passive", passive),
      drained: drained && told("drained", drained),
      ended: told("ended", ended),
      shutdown: told("shutdown", shutdown),
      timers: timers && new Map([...timers].map(([name, cell]) => [name, told(`timer ${name}`, cell)])),
    };
  }

  #tell(conn: Traced, what: TraceEvent["what"], content: unknown): void {
    for (const listener of this.#listeners.get(conn) ?? []) listener({ what, state: conn.state, content });
  }
}
