/**
 * One listener's share of an OS process: its name, its counters, and what observes its connections. A
 * connection keeps its endpoint for life, whichever protocol it speaks.
 */
import type { Gate } from "./admission/gate.js";
import { type Loop, processLoop } from "./loop/loop.js";
import type { BadFrameNote } from "./observe/bad-frame.js";
import { Counters } from "./observe/counters.js";
import { Latency } from "./observe/latency.js";
import { type TraceListener, Traces } from "./observe/trace.js";
import type { AlpnProtocols } from "./opening/alpn.js";
import type { OpeningTerms, StartTls } from "./opening/terms.js";

export interface EndpointOptions {
  /** What logs, metrics and the observer page call the listener. Default `main`. */
  readonly name?: string;
  /** Whether handlers are timed, for the histogram `drover_handler_seconds`. Default false. */
  readonly timed?: boolean | undefined;
  /** What its connections go through before their first frame: PROXY header, TLS. Default: nothing. */
  readonly opening?: OpeningTerms | undefined;
  /** Begins TLS where a protocol says so (`startTls()`). Default: none, as where TLS is a part of the opening. */
  readonly startTls?: StartTls | undefined;
  /** Whom it admits, by address. Default: everybody. */
  readonly gate?: Gate | undefined;
  /** Default: the loop of this OS process. */
  readonly loop?: Loop;
}

export class Endpoint {
  readonly name: string;
  readonly loop: Loop;
  readonly counters = new Counters();
  /** `undefined` for a plain listener. */
  readonly opening: OpeningTerms | undefined;
  readonly startTls: StartTls | undefined;
  /** `undefined`: everybody is admitted. */
  readonly gate: Gate | undefined;
  /** How long handlers took; `undefined` unless they are timed. */
  readonly latency: Latency | undefined;
  /** Protocols that the TLS handshake chooses from; `undefined`: all connections have the listener's. */
  alpn: AlpnProtocols | undefined = undefined;
  /** `undefined` while no connection is traced. */
  traces: Traces | undefined = undefined;
  /** The last frame that was none. */
  badFrame: BadFrameNote | undefined = undefined;
  /** Time a connection has to finish at shutdown, in milliseconds; set by the server. */
  shutdownMs = 2_000;
  /** Called when a connection has ended: there may be room for another. */
  onReleased: (() => void) | undefined = undefined;

  constructor({
    name = "main",
    timed = false,
    opening,
    startTls,
    gate,
    loop = processLoop,
  }: EndpointOptions = {}) {
    this.name = name;
    this.opening = opening;
    this.startTls = startTls;
    this.gate = gate;
    this.loop = loop;
    this.latency = timed ? new Latency() : undefined;
  }

  /** Its connections, and accepted clients that the gate has not decided on: each of them has a place. */
  get taken(): number {
    return this.counters.active + (this.gate?.pending ?? 0);
  }

  /** Traces one connection. @returns what ends the trace */
  trace(conn: Parameters<Traces["add"]>[0], listener: TraceListener): () => void {
    this.traces ??= new Traces();
    this.traces.add(conn, listener);
    return () => {
      this.traces?.remove(conn, listener);
      if (this.traces?.size === 0) this.traces = undefined;
    };
  }
}
