// Creates the clients of a run by kind: those whose connections are opened before the load begins, and those that
// connect again and again while it runs.
import { assignKinds, DEFAULT_MIX, type Kind } from "../both-sides/client-mix.js";
import { evenShare } from "../both-sides/even-share.js";
import type { Histogram } from "../both-sides/histogram.js";
import type { Resolved } from "../both-sides/options.js";
import type { Client } from "./client/client.js";
import { ClosedLoop, HalfSender, OpenLoop, Silent, SlowReader, Visitor } from "./client/client-kinds.js";
import { ClientSlot } from "./client-slot.js";
import type { ClientOptions, RunContext } from "./run-context.js";

/** Where latencies are recorded. Those of ill-behaved clients say nothing about the server: `unmeasured`. */
export interface Histograms {
  latency: Histogram;
  lateness: Histogram;
  unmeasured: Histogram;
}

const NO_END = Number.MAX_SAFE_INTEGER;
const BULK_WINDOW = 4;
const SLOW_WINDOW = 64;
/** Mixed load: pause before a client reconnects. */
const RETURN_MS = 50;
const SLOT_ID_STEP = 1_000_003;

export class ClientFactory {
  /** How many connections are opened before the load begins. */
  readonly held: number;
  /** By connection number, in this process. */
  readonly #kinds: Kind[];
  /** Indexes of the clients that connect again and again. */
  readonly #visiting: number[];
  readonly #options: Resolved;
  readonly #context: RunContext<Client>;
  readonly #recorders: Histograms;
  /** Visits (connect, echo, close) begun so far, and when the first was due. */
  #visits = 0;
  #visitsBeganAt = 0;

  constructor(options: Resolved, context: RunContext<Client>, recorders: Histograms) {
    const { connections, firstId, totalConnections = connections } = options;
    this.#options = options;
    this.#context = context;
    this.#recorders = recorders;
    this.#kinds = kinds(options, totalConnections).slice(firstId, firstId + connections);
    this.#visiting = this.#kinds.flatMap((kind, i) =>
      kind === "reconnecting" || kind === "half" || kind === "slow" ? [i] : [],
    );
    this.held = this.#kinds.length - this.#visiting.length;
  }

  /** Opens the connections that stay open, one by one. */
  *hold(): Generator<Client> {
    for (const [i, kind] of this.#kinds.entries()) {
      const client = this.#client(kind, this.#options.firstId + i, i);
      if (client) yield client();
    }
  }

  slots(done: () => void): ClientSlot[] {
    this.#visitsBeganAt = performance.now();
    return this.#visiting.map((i) => {
      let turn = 0;
      const kind = this.#kinds[i]!;
      const make = (dueAt: number) =>
        this.#visitor(kind, (this.#options.firstId + i + SLOT_ID_STEP * turn++) >>> 0, dueAt);
      const next = (now: number) => this.#nextVisit(kind, now);
      return new ClientSlot({ next, make, late: (ms) => this.#recorders.lateness.record(ms), done });
    });
  }

  #client(kind: Kind, id: number, index: number): (() => Client) | undefined {
    const { mode, frames, connections } = this.#options;
    const quota = frames === undefined ? NO_END : evenShare(frames, connections, index);
    if (kind === "bulk")
      return () => new ClosedLoop(id, NO_END, this.#bulk(kind, BULK_WINDOW), this.#context);
    if (kind === "idle" && mode === "mixed") return () => new Silent(id, 0, this.#small(kind), this.#context);
    if (kind === "pingers" && mode === "echo")
      return () => new ClosedLoop(id, quota, this.#small(kind), this.#context);
    if (kind !== "pingers" && kind !== "idle") return undefined;
    return () => new OpenLoop(id, 0, this.#small(kind), this.#context, this.#recorders.lateness);
  }

  #visitor(kind: Kind, id: number, dueAt: number): Client {
    if (kind === "half")
      return new HalfSender(id, NO_END, { ...this.#small(kind), window: 1 }, this.#context);
    if (kind === "slow") return new SlowReader(id, NO_END, this.#bulk(kind, SLOW_WINDOW), this.#context);
    const { mode, echo } = this.#options;
    const { latency, unmeasured } = this.#recorders;
    const options = { ...this.#small(kind), window: 1, latency: unmeasured };
    return new Visitor(id, echo, options, this.#context, dueAt, mode === "connect" ? latency : unmeasured);
  }

  #small(kind: Kind): ClientOptions {
    const { latency, unmeasured } = this.#recorders;
    const { size, window } = this.#options;
    return { kind, size, window, latency: kind === "half" ? unmeasured : latency };
  }

  #bulk(kind: Kind, window: number): ClientOptions {
    return { kind, size: this.#options.bulkSize, window, latency: this.#recorders.unmeasured };
  }

  #nextVisit(kind: Kind, now: number): number | undefined {
    const { mode, frames, rate } = this.#options;
    if (kind !== "reconnecting" || mode !== "connect") return kind === "reconnecting" ? now + RETURN_MS : now;
    const index = this.#visits++;
    if (frames !== undefined && index >= frames) return undefined;
    return rate === undefined ? now : this.#visitsBeganAt + (index * 1_000) / rate;
  }
}

function kinds({ mode, mix = DEFAULT_MIX }: Resolved, total: number): Kind[] {
  if (mode === "mixed") return assignKinds(mix, total);
  const kind: Kind = mode === "connect" ? "reconnecting" : mode === "idle" ? "idle" : "pingers";
  return Array.from({ length: total }, () => kind);
}
