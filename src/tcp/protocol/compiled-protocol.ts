/**
 * A protocol as connections run on it: its framing, limits, states and timers, with the memory and the decoder
 * that its connections share. One per protocol and listener; a connection may be given another one.
 */
import type { Decoder, Framing } from "../../framing/framing.js";
import { ReadMemory } from "../loop/read-memory.js";
import { type Latency, timedStates } from "../observe/latency.js";
import { type CompileOptions, compile, type ProtocolCells } from "./compile.js";
import { LIMITS, type Limits } from "./limits.js";
import type { AnyProtocol } from "./protocol.js";

/** Default of `maxMessages`. */
const MAX_MESSAGES = 10_000;

export interface CompiledProtocolOptions extends CompileOptions {
  /** Records how long handlers take. Default: handlers are not timed. */
  readonly latency?: Latency | undefined;
}

export class CompiledProtocol {
  /** What the author wrote. */
  readonly source: AnyProtocol;
  readonly name: string;
  readonly framing: Framing<any, any>;
  readonly limits: Limits;
  readonly maxMessages: number;
  readonly initial: ProtocolCells;
  readonly readMemory: ReadMemory;
  readonly #states: ReadonlyMap<string, ProtocolCells>;
  readonly #timers: ReadonlySet<string>;
  /** An empty decoder, kept for the next connection that receives a chunk. */
  #decoder: Decoder<any> | undefined = undefined;

  constructor(protocol: AnyProtocol, { idle, latency }: CompiledProtocolOptions = {}) {
    this.source = protocol;
    this.name = protocol.name;
    this.framing = protocol.framing;
    this.limits = { ...LIMITS, ...protocol.limits };
    this.maxMessages = protocol.maxMessages ?? MAX_MESSAGES;
    this.readMemory = new ReadMemory(protocol.frames === "borrowed");
    const compiled = compile(protocol, this.limits, { idle });
    const { initial, states, timers } = latency ? timedStates(compiled, latency) : compiled;
    this.initial = initial;
    this.#states = states;
    this.#timers = timers;
  }

  /** @throws Error when there is no such state */
  cellsOf(state: string): ProtocolCells {
    const cells = this.#states.get(state);
    if (cells) return cells;
    throw new Error(
      `protocol ${this.name} has no state "${state}"; the states are ${[...this.#states.keys()].join(", ")}`,
    );
  }

  /** @throws TypeError when no state lists such a timer */
  checkTimer(name: string): void {
    if (this.#timers.has(name)) return;
    const known =
      this.#timers.size > 0 ? [...this.#timers].join(", ") : `none: list it in a state's "timers"`;
    throw new TypeError(`protocol ${this.name} has no timer "${name}"; the timers are ${known}`);
  }

  /** A decoder with nothing in it. */
  takeDecoder(): Decoder<any> {
    const decoder = this.#decoder ?? this.framing.decoder();
    this.#decoder = undefined;
    return decoder;
  }

  /** Keeps a decoder for the next connection, if it is empty and its framing allows that. @returns whether it was kept */
  returnDecoder(decoder: Decoder<any>): boolean {
    if (this.framing.reusable !== true || decoder.buffered > 0) return false;
    this.#decoder = decoder;
    return true;
  }
}
