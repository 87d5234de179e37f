/**
 * A protocol as connections run on it: its framing, limits, states and timers, with the memory and the decoder
 * that its connections share. One per protocol and listener; a connection may be given another one.
 */
import { type Decoder, encode, type Framing } from "../../../framing/framing.js";
import { ReadMemory } from "../../loop/read-memory.js";
import { type Latency, timedStates } from "../../observe/latency.js";
import { isRated, type LimitOverrides, type Limits, limitsOf } from "../limits.js";
import type { AnyProtocol } from "../protocol.js";
import { becomesOf } from "../validate/validate.js";
import { type CompiledStates, type CompileOptions, compile, type ProtocolCells } from "./compile.js";
import { type Instance, type InstanceOf, plainInstance } from "./instances.js";

/** Default of `maxMessages`. */
const MAX_MESSAGES = 10_000;

export interface CompiledProtocolOptions extends CompileOptions {
  /** Records how long handlers take. Default: handlers are not timed. */
  readonly latency?: Latency | undefined;
  /** Limits that an operator has set in place of the protocol's own; changed by `overrideLimits`. */
  readonly overrides?: { readonly now: LimitOverrides } | undefined;
  /** Finds options and worker of a protocol. Default: those without anything given. */
  readonly instanceOf?: InstanceOf;
}

/** Protocols that connections may become, by their source; shared by all of them. */
type Family = Map<AnyProtocol, CompiledProtocol>;

interface From {
  readonly original?: CompiledProtocol;
  readonly framing?: Framing<any, any>;
  readonly family?: Family;
}

export class CompiledProtocol {
  /** What the author wrote. */
  readonly source: AnyProtocol;
  /** Its options, and what `worker.start` has returned. */
  readonly instance: Instance;
  readonly name: string;
  readonly framing: Framing<any, any>;
  /** Changed in place, because connections and reframed copies keep it. */
  readonly limits: Limits;
  readonly maxMessages: number;
  readonly initial: ProtocolCells;
  /** The frame of a refused client, encoded. */
  readonly full: Buffer | undefined;
  readonly readMemory: ReadMemory;
  readonly #options: CompiledProtocolOptions;
  readonly #compiled: CompiledStates;
  /** An empty decoder, kept for the next connection that receives a chunk. */
  #decoder: Decoder<any> | undefined = undefined;
  /** The same with the source's own framing; `undefined` for itself. */
  readonly #original: CompiledProtocol | undefined;
  /** The same with the framing that was last set: most protocols set the same again. */
  #reframed: CompiledProtocol | undefined = undefined;
  readonly #family: Family;

  /** @param from what it shares with another one */
  constructor(protocol: AnyProtocol, options: CompiledProtocolOptions = {}, from: From = {}) {
    const { original, framing = protocol.framing, family = new Map() } = from;
    this.source = protocol;
    this.instance = original?.instance ?? (options.instanceOf ?? plainInstance)(protocol);
    this.name = protocol.name;
    this.framing = framing;
    this.limits = original?.limits ?? limitsOf(protocol.limits, options.overrides?.now);
    this.full = protocol.full === undefined ? undefined : encode(protocol.framing, protocol.full);
    this.maxMessages = protocol.maxMessages ?? MAX_MESSAGES;
    this.readMemory = original?.readMemory ?? new ReadMemory(protocol.frames === "borrowed");
    this.#options = options;
    this.#compiled = original ? original.#compiled : compiledStates(protocol, this.limits, options);
    this.initial = this.#compiled.initial;
    this.#original = original;
    this.#family = family;
    if (original === undefined) family.set(protocol, this);
  }

  /** Whether frames or bytes a second are limited. */
  get rated(): boolean {
    return isRated(this.limits);
  }

  /** Applies the present overrides to this protocol and to those that its connections may become. */
  overrideLimits(): void {
    for (const { source, limits } of this.#family.values())
      Object.assign(limits, limitsOf(source.limits, this.#options.overrides?.now));
  }

  /** @throws Error when there is no such state */
  cellsOf(state: string): ProtocolCells {
    const { states } = this.#compiled;
    const cells = states.get(state);
    if (cells) return cells;
    throw new Error(
      `protocol ${this.name} has no state "${state}"; the states are ${[...states.keys()].join(", ")}`,
    );
  }

  /** Whether a state has the cell `presence`. */
  get hearsPresence(): boolean {
    return [...this.#compiled.states.values()].some(({ presence }) => presence !== undefined);
  }

  /** @throws TypeError when no state lists such a timer */
  checkTimer(name: string): void {
    const { timers } = this.#compiled;
    if (timers.has(name)) return;
    const known = timers.size > 0 ? [...timers].join(", ") : `none: list it in a state's "timers"`;
    throw new TypeError(`protocol ${this.name} has no timer "${name}"; the timers are ${known}`);
  }

  /** The same protocol with another framing. */
  reframed(framing: Framing<any, any>): CompiledProtocol {
    const original = this.#original ?? this;
    if (framing === original.framing) return original;
    if (original.#reframed?.framing === framing) return original.#reframed;
    const from = { original, framing, family: this.#family };
    original.#reframed = new CompiledProtocol(this.source, this.#options, from);
    return original.#reframed;
  }

  /** Another protocol, compiled for the same listener. @throws Error when `becomes` does not list it */
  other(protocol: AnyProtocol): CompiledProtocol {
    if (!becomesOf(this.source).includes(protocol)) {
      const fact = `protocol ${this.name} may not become ${protocol?.name ?? "a value that is not a protocol"}`;
      throw new Error(`${fact}: list it in "becomes", such as becomes: () => [imap]`);
    }
    const family = this.#family;
    return family.get(protocol) ?? new CompiledProtocol(protocol, this.#options, { family });
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

function compiledStates(
  protocol: AnyProtocol,
  limits: Limits,
  { idle, latency }: CompiledProtocolOptions,
): CompiledStates {
  const compiled = compile(protocol, limits, { idle });
  return latency ? timedStates(compiled, latency) : compiled;
}
