// The load under chaos: clients of the load generator, which verify every byte, each replaced when its connection ends.
import { Histogram } from "../../load/both-sides/histogram.js";
import type { Route } from "../../load/both-sides/options.js";
import { type ErrorKind, emptyTally, type Tally } from "../../load/both-sides/result.js";
import type { Client } from "../../load/generator/client/client.js";
import { ClosedLoop, HalfSender, SlowReader, Visitor } from "../../load/generator/client/client-kinds.js";
import { ClientSlot } from "../../load/generator/client-slot.js";
import type { RunContext } from "../../load/generator/run-context.js";
import { LISTENERS, type ListenerName } from "./server.js";

export const PATIENCE_MS = 5_000;
const CHECK_MS = 100;
export interface CrowdOptions {
  /** Pause of a client after a reply. Default 20 ms: without it the clients alone would take both cores. */
  readonly replyMs?: number;
  /** Pause of a slot before its next client connects. Default 0. */
  readonly visitMs?: number;
  /** Time in which a client must get its reply, a FIN or a RST. Default 5 s. */
  readonly patienceMs?: number;
}
const SIZES = [16, 64, 1_000, 16_000];
const NO_END = Number.MAX_SAFE_INTEGER;
/** Errors that no fault excuses. The others are connections lost with their worker. */
const UNEXCUSED: readonly ErrorKind[] = ["mismatch", "hung", "connectTimedOut", "connectRefused"];

/** Sends up to four frames, and the next ones a pause after their replies; without a pause as ClosedLoop. */
class Paced extends ClosedLoop {
  pauseMs = 0;
  #timer: NodeJS.Timeout | undefined;

  protected override opened(): void {
    this.start();
  }

  protected override advance(now: number): void {
    if (this.frames.sent === 0 || this.pauseMs === 0) return super.advance(now);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.isOpen) super.advance(performance.now());
    }, this.pauseMs);
  }
}

export function routes(ports: Record<ListenerName, number>): Route[] {
  const route = (name: ListenerName, more: Partial<Route> = {}): Route => ({
    targets: [{ host: "127.0.0.1", port: ports[name] }],
    ...more,
  });
  const all = { main: {}, proxied: { proxy: 2 }, secure: { tls: { verify: false } } } as const;
  return LISTENERS.map((name) => route(name, all[name]));
}

export class Crowd {
  readonly tally: Tally = emptyTally();
  readonly latency = new Histogram();
  readonly #contexts: RunContext<Client>[];
  readonly #live = new Set<Client>();
  readonly #readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
  readonly #gauges = { connecting: 0, unsettled: 0, alive: 0 };
  readonly #watch: NodeJS.Timeout;
  readonly #pace: { readonly replyMs: number; readonly visitMs: number };
  readonly #patienceMs: number;
  #excused = 0;
  #refusedBefore: number | undefined;
  #slots: ClientSlot[] = [];
  #ids = 0;
  #running = 0;

  constructor(all: readonly Route[], options: CrowdOptions = {}) {
    const { replyMs = 20, visitMs = 0, patienceMs = PATIENCE_MS } = options;
    this.#pace = { replyMs, visitMs };
    this.#patienceMs = patienceMs;
    this.#contexts = all.map((route) => ({
      ...{ route, framing: "packet4", reset: false, readBuffer: this.#readBuffer },
      ...{ tally: this.tally, connectLatency: new Histogram(), gauges: this.#gauges },
      nextIndex: () => 0,
      changed: () => {},
      received: () => {},
      began: (client) => void this.#live.add(client),
      ended: (client) => void this.#live.delete(client),
    }));
    let last = performance.now();
    this.#watch = setInterval(() => {
      const now = performance.now();
      // After a pause of this process, replies that have arrived already would look late.
      const paused = now - last > 4 * CHECK_MS;
      last = now;
      if (paused) return;
      for (const client of this.#live) client.checkDeadlines(now, patienceMs, patienceMs);
    }, CHECK_MS);
  }

  get open(): number {
    return this.tally.open;
  }

  /** Connections that were lost: closed or reset by the server. */
  get lost(): number {
    const { reset, closedEarly, shortReply, connectFailed } = this.tally.errors;
    return reset + closedEarly + shortReply + connectFailed;
  }

  /** Whether the connects that are refused from now on are no violation. */
  set refusalsExcused(excused: boolean) {
    const refused = this.tally.errors.connectRefused;
    if (this.#refusedBefore !== undefined) this.#excused += refused - this.#refusedBefore;
    this.#refusedBefore = excused ? refused : undefined;
  }

  get #refused(): number {
    const { connectRefused } = this.tally.errors;
    return (this.#refusedBefore ?? connectRefused) - this.#excused;
  }

  /** What no fault excuses, as text. */
  get violations(): string[] {
    const count = (kind: ErrorKind) => (kind === "connectRefused" ? this.#refused : this.tally.errors[kind]);
    const kinds = UNEXCUSED.filter((kind) => count(kind) > 0);
    if (kinds.length === 0) return [];
    const samples = this.tally.samples.map(({ who, what }) => `${who}: ${what}`);
    return [...kinds.map((kind) => `${count(kind)} × ${kind}`), ...samples];
  }

  start(count: number): void {
    const next = (now: number) => now + this.#pace.visitMs;
    const shared = { next, late: () => {}, done: () => void this.#running-- };
    this.#slots = Array.from({ length: count }, (_, i) => {
      this.#running++;
      return new ClientSlot({ ...shared, make: (dueAt) => this.#client(i, dueAt) });
    });
    for (const slot of this.#slots) slot.start();
  }

  #client(slot: number, dueAt: number): Client {
    const id = ++this.#ids;
    const context = this.#contexts[slot % this.#contexts.length]!;
    const size = SIZES[(slot >> 1) % SIZES.length]!;
    const options = { kind: "pingers" as const, size, window: 4, latency: this.latency };
    const unmeasured = { ...options, latency: new Histogram() };
    if (slot % 10 === 7) return new HalfSender(id, NO_END, { ...unmeasured, window: 1 }, context);
    if (slot % 10 === 8) return new SlowReader(id, NO_END, unmeasured, context);
    if (slot % 10 === 9)
      return new Visitor(id, true, { ...unmeasured, window: 1 }, context, dueAt, this.latency);
    const client = new Paced(id, NO_END, options, context);
    client.pauseMs = this.#pace.replyMs;
    return client;
  }

  /** One echo over each route; resolves to whether all were answered. */
  async probe(): Promise<boolean> {
    const visits = this.#contexts.map(
      (context) =>
        new Promise<boolean>((resolve) => {
          const options = { kind: "reconnecting" as const, size: 64, window: 1, latency: new Histogram() };
          const now = performance.now();
          const client = new Visitor(++this.#ids, true, options, context, now, new Histogram());
          client.onEnd = ({ outcome }) => resolve(outcome.echoed === 1);
        }),
    );
    return (await Promise.all(visits)).every(Boolean);
  }

  /** Every client gets the replies that it waits for, and closes. */
  async stop(): Promise<void> {
    for (const slot of this.#slots) slot.stop();
    const end = performance.now() + 2 * this.#patienceMs;
    while (this.#running > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(this.#watch);
    for (const client of this.#live) client.destroy();
  }
}
