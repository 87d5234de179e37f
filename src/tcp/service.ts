/** What all connections of one listener in one worker share. */

import { type CompileOptions, compile, type ProtocolCells } from "./compile.js";
import { Counters } from "./counters.js";
import { LIMITS, type Limits } from "./limits.js";
import type { AnyProtocol } from "./protocol.js";
import { Slab } from "./slab.js";
import { Turn } from "./turn.js";
import { Wheel } from "./wheel.js";

/** Something that has used up its share of a turn. */
export interface Deferred {
  resumeTurn(): void;
}

export class Service {
  readonly protocol: AnyProtocol;
  readonly limits: Limits;
  readonly initial: ProtocolCells;
  readonly counters = new Counters();
  readonly wheel = new Wheel();
  readonly turn = new Turn();
  readonly slab = new Slab();
  /** Whether frames are handed out as views of memory that is used again. */
  readonly borrowed: boolean;
  /** That memory: what lies in it must be copied to be sent later. */
  lent: ArrayBufferLike | undefined = undefined;
  readonly #states: ReadonlyMap<string, ProtocolCells>;
  /** A connection has ended: there may be room for another. */
  onReleased: (() => void) | undefined = undefined;
  /** Where the heads of large frames are written. */
  heads = Buffer.allocUnsafeSlow(16);
  #deferred: Deferred[] = [];

  constructor(protocol: AnyProtocol, options: CompileOptions = {}) {
    this.protocol = protocol;
    this.borrowed = protocol.frames === "borrowed";
    this.limits = { ...LIMITS, ...protocol.limits };
    const { initial, states } = compile(protocol, this.limits, options);
    this.initial = initial;
    this.#states = states;
  }

  /** @throws Error when there is no such state */
  cellsOf(state: string): ProtocolCells {
    const cells = this.#states.get(state);
    if (cells) return cells;
    throw new Error(
      `protocol ${this.protocol.name} has no state "${state}"; the states are ${[...this.#states.keys()].join(", ")}`,
    );
  }

  newHeads(): void {
    this.heads = Buffer.allocUnsafeSlow(16);
  }

  /** Goes on with `one` after the others, and after the event loop has looked at the sockets. */
  defer(one: Deferred): void {
    if (this.#deferred.push(one) === 1) setImmediate(this.#resume);
  }

  readonly #resume = (): void => {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const one of deferred) one.resumeTurn();
  };
}
