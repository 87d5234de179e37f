/**
 * Traces single connections. A traced connection runs on copies of its state cells that report each event before
 * handling it; all other connections run on the protocol's own cells, and pay nothing.
 */
import type { ProtocolCells } from "../protocol/compiled/compile.js";
import type { SharedMessage } from "../protocol/compiled/shared-messages.js";

/** Reported synchronously: a frame may lie in memory that the next read overwrites. */
export interface TraceEvent {
  readonly what: "frame_in" | "frame_out" | "state" | "message" | "event";
  readonly state: string;
  /** A frame, a message, or the name of the event. */
  readonly content: unknown;
  /** Of a message of a group. */
  readonly group?: string;
  readonly sender?: SharedMessage["sender"];
}

/** Must not throw. */
export type TraceListener = (event: TraceEvent) => void;

/** The part of a connection that tracing needs. */
interface Traced {
  cells: ProtocolCells;
  readonly protocol: { cellsOf(state: string): ProtocolCells };
  readonly state: string;
}

/** The traced connections of one endpoint. */
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
    conn.cells = conn.protocol.cellsOf(conn.cells.name);
  }

  /** What no cell handles: `become binary`, `startTls`, `TLS is up`. */
  event(conn: Traced, name: string): void {
    this.#report(conn, "event", name);
  }

  /** A message of a group is handled, or forwarded to the client: with `frame_out` following. */
  shared(conn: Traced, message: SharedMessage): void {
    const { value, group, sender } = message;
    this.#report(conn, "message", value, { group, sender });
  }

  /** A frame is about to be sent. */
  sent(conn: Traced, frame: unknown): void {
    this.#report(conn, "frame_out", frame);
  }

  /** The reporting copy of `cells` for a traced connection; `cells` itself for any other. */
  cells(conn: Traced, cells: ProtocolCells): ProtocolCells {
    if (!this.#listeners.has(conn)) return cells;
    const {
      enter,
      frame,
      message,
      request,
      replaced,
      bad,
      presence,
      timeout,
      idle,
      passive,
      drained,
      ended,
      shutdown,
      timers,
    } = cells;
    const reported = <A extends unknown[], R>(name: string, cell: (self: any, ...args: A) => R) => {
      return (self: unknown, ...args: A): R => {
        this.#report(conn, "event", name);
        return cell(self, ...args);
      };
    };
    return {
      ...cells,
      enter: (self, from) => {
        this.#report(conn, "state", from);
        return enter?.(self, from);
      },
      frame: (self, content) => {
        this.#report(conn, "frame_in", content);
        return frame(self, content);
      },
      message: (self, content) => {
        this.#report(conn, "message", content);
        return message?.(self, content);
      },
      request: request && reported("request", request),
      replaced: replaced && reported("replaced", replaced),
      bad: bad && reported("bad", bad),
      presence: presence && reported("presence", presence),
      timeout: timeout && reported("timeout", timeout),
      idle: reported("idle", idle),
      passive: passive && reported("passive", passive),
      drained: drained && reported("drained", drained),
      ended: reported("ended", ended),
      shutdown: reported("shutdown", shutdown),
      timers: timers && new Map([...timers].map(([name, cell]) => [name, reported(`timer ${name}`, cell)])),
    };
  }

  #report(conn: Traced, what: TraceEvent["what"], content: unknown, more: Partial<TraceEvent> = {}): void {
    for (const listener of this.#listeners.get(conn) ?? [])
      listener({ what, state: conn.state, content, ...more });
  }
}
