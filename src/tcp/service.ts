/** What all connections of one listener in one worker share. */

import type { Decoder } from "../framing/framing.js";
import { OutputBuffer } from "./loop/output-buffer.js";
import { ReadMemory } from "./loop/read-memory.js";
import { RunQueue } from "./loop/run-queue.js";
import { TimerWheel } from "./loop/timer-wheel.js";
import { Counters } from "./observe/counters.js";
import { Latency, timedStates } from "./observe/latency.js";
import { type TraceListener, Traces } from "./observe/trace.js";
import { type CompileOptions, compile, type ProtocolCells } from "./protocol/compile.js";
import { LIMITS, type Limits } from "./protocol/limits.js";
import type { AnyProtocol } from "./protocol/protocol.js";

export class Service {
  readonly protocol: AnyProtocol;
  readonly limits: Limits;
  readonly initial: ProtocolCells;
  readonly counters = new Counters();
  readonly wheel = new TimerWheel();
  readonly turn = new OutputBuffer();
  readonly runQueue = new RunQueue(this.counters);
  readonly slab: ReadMemory;
  readonly #states: ReadonlyMap<string, ProtocolCells>;
  readonly #timers: ReadonlySet<string>;
  /** One that nobody needs at the moment. */
  #decoder: Decoder<any> | undefined = undefined;
  /** How long handlers took, if that is measured. */
  readonly latency: Latency | undefined;
  /** Only while somebody watches a connection. */
  taps: Traces | undefined = undefined;
  /** A connection has ended: there may be room for another. */
  onReleased: (() => void) | undefined = undefined;
  /** Where the heads of large frames are written. */
  heads = Buffer.allocUnsafeSlow(16);

  constructor(protocol: AnyProtocol, options: CompileOptions = {}) {
    this.protocol = protocol;
    this.slab = new ReadMemory(protocol.frames === "borrowed");
    this.limits = { ...LIMITS, ...protocol.limits };
    const compiled = compile(protocol, this.limits, options);
    this.latency = options.timed ? new Latency() : undefined;
    const { initial, states, timers } = this.latency ? timedStates(compiled, this.latency) : compiled;
    this.initial = initial;
    this.#states = states;
    this.#timers = timers;
  }

  /** @throws Error when there is no such state */
  cellsOf(state: string): ProtocolCells {
    const cells = this.#states.get(state);
    if (cells) return cells;
    throw new Error(
      `protocol ${this.protocol.name} has no state "${state}"; the states are ${[...this.#states.keys()].join(", ")}`,
    );
  }

  /** @throws TypeError when no state lists such a timer */
  checkTimer(name: string): void {
    if (this.#timers.has(name)) return;
    const known =
      this.#timers.size > 0 ? [...this.#timers].join(", ") : `none: list it in a state's "timers"`;
    throw new TypeError(`protocol ${this.protocol.name} has no timer "${name}"; the timers are ${known}`);
  }

  /** A decoder with nothing in it. */
  takeDecoder(): Decoder<any> {
    const decoder = this.#decoder ?? this.protocol.framing.decoder();
    this.#decoder = undefined;
    return decoder;
  }

  /** Gives it back, when nothing is in it. @returns whether it was taken */
  returnDecoder(decoder: Decoder<any>): boolean {
    if (this.protocol.framing.reusable !== true || decoder.buffered > 0) return false;
    this.#decoder = decoder;
    return true;
  }

  /** Watches one connection. @returns what ends that */
  tap(conn: Parameters<Traces["add"]>[0], listener: TraceListener): () => void {
    this.taps ??= new Traces();
    this.taps.add(conn, listener);
    return () => {
      if (this.taps?.remove(conn, listener)) conn.cells = this.cellsOf(conn.state);
      if (this.taps?.size === 0) this.taps = undefined;
    };
  }

  newHeads(): void {
    this.heads = Buffer.allocUnsafeSlow(16);
  }
}
