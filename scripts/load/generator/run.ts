// One run of load inside this process. Each generator process runs it; tests call it directly.
//
//   open all ──▶ onOpened ──▶ warm-up ──▶ load ──▶ drain ──▶ close ──▶ result
//
// Throughput is measured over `load` alone. An abort ends the current phase early; the later phases still run.
import { Histogram } from "../both-sides/histogram.js";
import { type LoadOptions, type Resolved, resolved } from "../both-sides/options.js";
import { emptyTally, type LoadResult } from "../both-sides/result.js";
import type { Client } from "./client/client.js";
import { OpenLoop } from "./client/client-kinds.js";
import { ClientFactory } from "./client-factory.js";
import type { ClientSlot } from "./client-slot.js";
import { FrameSchedule } from "./frame-schedule.js";
import { measureOwnUsage } from "./own-usage.js";
import type { RunContext } from "./run-context.js";

const READ_BUFFER_BYTES = 64 * 1024;
const PROGRESS_MS = 1_000;
/** Extra time after the reply timeout for a slow server; time for any server after an abort and to close. */
const GRACE_MS = 1_000;

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  return new Run(resolved(options)).execute();
}

class Run {
  readonly #options: Resolved;
  readonly #context: RunContext<Client>;
  readonly #clients: ClientFactory;
  readonly #toOpen: Iterator<Client>;
  readonly #held: Client[] = [];
  readonly #live = new Set<Client>();
  /** Latencies since the last progress; `#latency` holds those before. */
  readonly #recent = new Histogram();
  readonly #latency = new Histogram();
  readonly #lateness = new Histogram();
  #slots: ClientSlot[] = [];
  #schedule: FrameSchedule | undefined;
  #connects = 0;
  #recheck = () => {};

  constructor(options: Resolved) {
    const { host, port, targets = [{ host, port }], source, tls, proxy } = options;
    const { framing, reset, firstId, onConnectionEnd } = options;
    this.#options = options;
    this.#context = {
      ...{ framing, reset },
      route: { targets, source, tls, proxy },
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      tally: emptyTally(),
      connectLatency: new Histogram(),
      gauges: { connecting: 0, unsettled: 0, alive: 0 },
      nextIndex: () => firstId + this.#connects++,
      changed: () => {
        this.#openMore();
        this.#recheck();
      },
      received: (now) => this.#schedule?.poll(now),
      began: (client) => void this.#live.add(client),
      ended: (client) => {
        this.#live.delete(client);
        onConnectionEnd?.(client.outcome);
      },
    };
    const recorders = { latency: this.#recent, lateness: this.#lateness, unmeasured: new Histogram() };
    this.#clients = new ClientFactory(options, this.#context, recorders);
    this.#toOpen = this.#clients.hold();
  }

  get #aborted(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** Connections in mode connect, else frames. */
  get #completed(): number {
    const { visits, echoed } = this.#context.tally;
    return this.#options.mode === "connect" ? visits : echoed;
  }

  async execute(): Promise<LoadResult> {
    const stopWatching = this.#watchDeadlines();
    try {
      await this.#open();
      const measured = await this.#load();
      await this.#drain();
      const proven = this.#held.filter((client) => client.isOpen && client.outcome.echoed > 0).length;
      const due = this.#schedule?.due ?? 0;
      await this.#close();
      const { tally, connectLatency } = this.#context;
      this.#latency.merge(this.#recent);
      const connections = this.#held.map((client) => client.outcome);
      const histograms = { latency: this.#latency, connectLatency, lateness: this.#lateness };
      return { ...measured, ...histograms, tally, due, proven, connections };
    } finally {
      stopWatching();
      await this.#schedule?.stop();
      for (const client of this.#live) client.destroy();
    }
  }

  async #open(): Promise<void> {
    const { onOpened, rate = 1, frames, durationMs, warmupMs, phase } = this.#options;
    const { gauges, tally } = this.#context;
    this.#openMore();
    const telling = setInterval(() => this.#options.onOpening?.(tally.opened), PROGRESS_MS);
    await this.#until(() => this.#held.length === this.#clients.held && gauges.connecting === 0);
    clearInterval(telling);
    const scheduled = this.#held.filter((client) => client instanceof OpenLoop);
    if (scheduled.length > 0) {
      const all = frames ?? (durationMs && Math.ceil((rate * (warmupMs + durationMs)) / 1_000));
      this.#schedule = new FrameSchedule(scheduled, rate, all ?? Number.MAX_SAFE_INTEGER, phase);
      await this.#schedule.ready();
    }
    if (this.#aborted || !onOpened) return;
    let ready = false;
    const opened = Promise.resolve(onOpened(tally.opened)).then(() => {
      ready = true;
      this.#recheck();
    });
    await Promise.race([opened, this.#until(() => ready)]);
  }

  #openMore(): void {
    const { gauges } = this.#context;
    while (!this.#aborted && gauges.connecting < this.#options.connectingAtOnce) {
      const next = this.#toOpen.next();
      if (next.done) return;
      this.#held.push(next.value);
    }
  }

  async #load(): Promise<Pick<LoadResult, "elapsedMs" | "measured" | "generators">> {
    const { gauges } = this.#context;
    const { warmupMs, durationMs } = this.#options;
    // A schedule runs to its end, even if every frame that was due is echoed before.
    const scheduled = this.#schedule !== undefined && durationMs !== undefined;
    const over = () => (scheduled ? gauges.alive : gauges.unsettled) === 0;
    if (!this.#aborted) this.#begin();
    if (warmupMs > 0) await this.#until(over, warmupMs);
    for (const histogram of [this.#recent, this.#latency, this.#lateness]) histogram.clear();
    const before = this.#completed;
    const startedAt = performance.now();
    const report = measureOwnUsage(startedAt);
    const ticking = setInterval(this.#reporter(startedAt), PROGRESS_MS);
    try {
      if (!this.#aborted) await this.#until(over, durationMs);
    } finally {
      clearInterval(ticking);
    }
    const elapsedMs = performance.now() - startedAt;
    return { elapsedMs, measured: this.#completed - before, generators: [report()] };
  }

  #begin(): void {
    const { gauges } = this.#context;
    // A slot counts as unsettled between two clients as well.
    const done = () => {
      gauges.unsettled--;
      this.#context.changed();
    };
    this.#slots = this.#clients.slots(done);
    gauges.unsettled += this.#slots.length;
    for (const slot of this.#slots) slot.start();
    for (const client of this.#held) if (!(client instanceof OpenLoop)) client.start();
    this.#schedule?.begin(performance.now());
  }

  /** Returns the function to call once a second. */
  #reporter(startedAt: number): () => void {
    const { tally } = this.#context;
    let last = { at: startedAt, completed: this.#completed };
    return () => {
      const at = performance.now();
      const latency = this.#recent.take();
      this.#latency.merge(latency);
      const completed = this.#completed;
      const interval = { intervalMs: at - last.at, completed: completed - last.completed, latency };
      last = { at, completed };
      this.#options.onProgress?.({ elapsedMs: at - startedAt, ...interval, tally: structuredClone(tally) });
    };
  }

  async #drain(): Promise<void> {
    const { gauges } = this.#context;
    const { mode, replyTimeoutMs } = this.#options;
    // Frames that were due but could not be sent yet are still sent: leaving them out would hide a stall at the end.
    for (const client of this.#held) if (this.#aborted || !(client instanceof OpenLoop)) client.stopSending();
    for (const slot of this.#slots) slot.stop();
    const limit = this.#aborted ? GRACE_MS : replyTimeoutMs + GRACE_MS;
    await this.#until(() => gauges.unsettled === 0, limit);
    if (this.#aborted) return;
    if (mode === "idle") await this.#proveAll(limit);
    for (const client of this.#live) {
      if (!client.settled) client.fail("hung", `${client.inFlight} in flight long after the end`);
    }
  }

  /** One echo on each connection that has had none. All at once, so their latencies are discarded. */
  async #proveAll(limitMs: number): Promise<void> {
    this.#latency.merge(this.#recent);
    for (const client of this.#held) {
      if (client instanceof OpenLoop && client.outcome.echoed === 0) client.prove(performance.now());
    }
    await this.#until(() => this.#context.gauges.unsettled === 0, limitMs);
    this.#recent.clear();
  }

  async #close(): Promise<void> {
    const { gauges } = this.#context;
    for (const client of this.#live) client.finish();
    await this.#until(() => gauges.alive === 0, GRACE_MS);
    for (const client of this.#live) client.destroy();
  }

  /** Waits until `done` holds (checked after every change of a connection), the time is up or the run is aborted. */
  #until(done: () => boolean, limitMs?: number): Promise<void> {
    const { signal } = this.#options;
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        this.#recheck = () => {};
        resolve();
      };
      const timer = limitMs === undefined ? undefined : setTimeout(finish, limitMs);
      signal?.addEventListener("abort", finish);
      this.#recheck = () => void (done() && finish());
      this.#recheck();
    });
  }

  #watchDeadlines(): () => void {
    const { connectTimeoutMs, replyTimeoutMs } = this.#options;
    const interval = Math.min(250, Math.max(10, Math.min(connectTimeoutMs, replyTimeoutMs) / 4));
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      // Timers run before reads: after a pause of this process, replies that have arrived already would look late.
      const paused = now - last > 4 * interval;
      last = now;
      if (paused) return;
      for (const client of this.#live) client.checkDeadlines(now, connectTimeoutMs, replyTimeoutMs);
    }, interval);
    return () => clearInterval(timer);
  }
}
