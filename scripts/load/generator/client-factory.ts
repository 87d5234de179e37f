// Who takes part in a run: the connections that are opened before the load begins, those among them that have a
// schedule, and the places for clients that come and go.
import { DEFAULT_MIX, deal, type Kind } from "../both-sides/client-mix.js";
import { share } from "../both-sides/even-share.js";
import type { Histogram } from "../both-sides/histogram.js";
import type { Resolved } from "../both-sides/options.js";
import type { Client } from "./client/client.js";
import { ClosedLoop, HalfSender, Paced, Silent, SlowReader, Visitor } from "./client/client-kinds.js";
import { Slot } from "./client-slot.js";
import type { Shape, Shared } from "./run-context.js";

/** Where the latencies of whom go. Those of ill-behaved clients are no measure of the server. */
export interface Recorders {
  latency: Histogram;
  lateness: Histogram;
  aside: Histogram;
}

const NO_END = Number.MAX_SAFE_INTEGER;
const BULK_WINDOW = 4;
const SLOW_WINDOW = 64;
/** In a mixed load, a client that reconnects stays away for so long. */
const RETURN_MS = 50;
const SLOT_ID_STEP = 1_000_003;

export class Cast {
  /** How many connections are opened before the load begins. */
  readonly held: number;
  /** By connection number, in this process. */
  readonly #kinds: Kind[];
  /** The numbers of those that come and go. */
  readonly #visiting: number[];
  readonly #options: Resolved;
  readonly #shared: Shared;
  readonly #recorders: Recorders;
  /** Visits begun so far, and when the first was due. */
  #visits = 0;
  #visitsBeganAt = 0;

  constructor(options: Resolved, shared: Shared, recorders: Recorders) {
    const { connections, firstId, totalConnections = connections } = options;
    this.#options = options;
    this.#shared = shared;
    this.#recorders = recorders;
    this.#kinds = kinds(options, totalConnections).slice(firstId, firstId + connections);
    this.#visiting = this.#kinds.flatMap((kind, i) =>
      kind === "reconnecting" || kind === "half" || kind === "slow" ? [i] : [],
    );
    this.held = this.#kinds.length - this.#visiting.length;
  }

  /** The connections to hold, one by one. */
  *hold(): Generator<Client> {
    for (const [i, kind] of this.#kinds.entries()) {
      const client = this.#client(kind, this.#options.firstId + i, i);
      if (client) yield client();
    }
  }

  slots(done: () => void): Slot[] {
    this.#visitsBeganAt = performance.now();
    return this.#visiting.map((i) => {
      let turn = 0;
      const kind = this.#kinds[i]!;
      const make = (dueAt: number) =>
        this.#visitor(kind, (this.#options.firstId + i + SLOT_ID_STEP * turn++) >>> 0, dueAt);
      const next = (now: number) => this.#nextVisit(kind, now);
      return new Slot({ next, make, late: (ms) => this.#recorders.lateness.record(ms), done });
    });
  }

  #client(kind: Kind, id: number, index: number): (() => Client) | undefined {
    const { mode, frames, connections } = this.#options;
    const quota = frames === undefined ? NO_END : share(frames, connections, index);
    if (kind === "bulk") return () => new ClosedLoop(id, NO_END, this.#bulk(kind, BULK_WINDOW), this.#shared);
    if (kind === "idle" && mode === "mixed") return () => new Silent(id, 0, this.#small(kind), this.#shared);
    if (kind === "pingers" && mode === "echo")
      return () => new ClosedLoop(id, quota, this.#small(kind), this.#shared);
    if (kind !== "pingers" && kind !== "idle") return undefined;
    return () => new Paced(id, 0, this.#small(kind), this.#shared, this.#recorders.lateness);
  }

  #visitor(kind: Kind, id: number, dueAt: number): Client {
    if (kind === "half") return new HalfSender(id, NO_END, { ...this.#small(kind), window: 1 }, this.#shared);
    if (kind === "slow") return new SlowReader(id, NO_END, this.#bulk(kind, SLOW_WINDOW), this.#shared);
    const { mode, echo } = this.#options;
    const { latency, aside } = this.#recorders;
    const shape = { ...this.#small(kind), window: 1, latency: aside };
    return new Visitor(id, echo, shape, this.#shared, dueAt, mode === "connect" ? latency : aside);
  }

  #small(kind: Kind): Shape {
    const { latency, aside } = this.#recorders;
    const { size, window } = this.#options;
    return { kind, size, window, latency: kind === "half" ? aside : latency };
  }

  #bulk(kind: Kind, window: number): Shape {
    return { kind, size: this.#options.bulkSize, window, latency: this.#recorders.aside };
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
  if (mode === "mixed") return deal(mix, total);
  const kind: Kind = mode === "connect" ? "reconnecting" : mode === "idle" ? "idle" : "pingers";
  return Array.from({ length: total }, () => kind);
}
