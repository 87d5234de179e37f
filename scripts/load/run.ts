// One closed-loop run inside this process. The command runs it once per generator process, tests call it directly.
//
//   open all ──▶ onOpened ──▶ load ──▶ drain ──▶ close ──▶ result
//
// Throughput is measured over `load` alone. An abort cuts short the phase it meets; the later ones still come.
import { Connection, type Shared } from "./connection.js";
import { Histogram } from "./histogram.js";
import { DEFAULTS, type LoadOptions } from "./options.js";
import { emptyTally, type LoadResult } from "./result.js";

// Enough to be quick, few enough not to overflow the kernel queue of a server that is slow to accept.
const CONNECTING_AT_ONCE = 256;
const READ_BUFFER_BYTES = 64 * 1024;
const PROGRESS_MS = 1_000;
/** What a trickling server gets beyond the reply timeout, and any server after an abort or to close. */
const GRACE_MS = 1_000;

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  return new Run({ ...DEFAULTS, ...options }).execute();
}

class Run {
  readonly #options: LoadOptions & typeof DEFAULTS;
  readonly #connections: Connection[] = [];
  readonly #shared: Shared;
  readonly #latency = new Histogram();
  #recheck = () => {};

  constructor(options: LoadOptions & typeof DEFAULTS) {
    const { host, port, framing, size, window, onConnectionEnd } = options;
    this.#options = options;
    this.#shared = {
      ...{ host, port, framing, size, window },
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      tally: emptyTally(),
      latency: new Histogram(),
      gauges: { connecting: 0, unsettled: 0, alive: 0 },
      changed: () => {
        this.#openMore();
        this.#recheck();
      },
      ended: (connection) => onConnectionEnd?.(connection.outcome),
    };
  }

  get #aborted(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  async execute(): Promise<LoadResult> {
    const stopWatching = this.#watchDeadlines();
    try {
      await this.#open();
      const measured = await this.#load();
      await this.#drain();
      await this.#close();
      const { tally } = this.#shared;
      this.#latency.merge(this.#shared.latency);
      const connections = this.#connections.map((connection) => connection.outcome);
      return { ...measured, tally, latency: this.#latency, connections };
    } finally {
      stopWatching();
      for (const connection of this.#connections) connection.destroy();
    }
  }

  async #open(): Promise<void> {
    const { connections: wanted, onOpened } = this.#options;
    const { gauges, tally } = this.#shared;
    this.#openMore();
    await this.#until(() => this.#connections.length === wanted && gauges.connecting === 0);
    if (this.#aborted || !onOpened) return;
    let ready = false;
    const opened = Promise.resolve(onOpened(tally.opened)).then(() => {
      ready = true;
      this.#recheck();
    });
    await Promise.race([opened, this.#until(() => ready)]);
  }

  #openMore(): void {
    const { connections: wanted, frames, firstId } = this.#options;
    const { gauges } = this.#shared;
    while (!this.#aborted && this.#connections.length < wanted && gauges.connecting < CONNECTING_AT_ONCE) {
      const index = this.#connections.length;
      const quota = frames === undefined ? Number.MAX_SAFE_INTEGER : share(frames, wanted, index);
      this.#connections.push(new Connection(firstId + index, quota, this.#shared));
    }
  }

  async #load(): Promise<Pick<LoadResult, "elapsedMs" | "measured" | "busy">> {
    const { gauges, tally } = this.#shared;
    const startedAt = performance.now();
    const idleBefore = performance.eventLoopUtilization();
    const ticking = setInterval(this.#reporter(startedAt), PROGRESS_MS);
    try {
      if (!this.#aborted) for (const connection of this.#connections) connection.start();
      if (!this.#aborted) await this.#until(() => gauges.unsettled === 0, this.#options.durationMs);
    } finally {
      clearInterval(ticking);
    }
    const busy = performance.eventLoopUtilization(idleBefore).utilization;
    return { elapsedMs: performance.now() - startedAt, measured: tally.echoed, busy };
  }

  /** Returns what to call once a second. */
  #reporter(startedAt: number): () => void {
    const { tally } = this.#shared;
    let last = { at: startedAt, echoed: 0 };
    return () => {
      const at = performance.now();
      const latency = Histogram.from(this.#shared.latency.data);
      this.#latency.merge(latency);
      this.#shared.latency.clear();
      const interval = { intervalMs: at - last.at, frames: tally.echoed - last.echoed, latency };
      last = { at, echoed: tally.echoed };
      this.#options.onProgress?.({ elapsedMs: at - startedAt, ...interval, tally: structuredClone(tally) });
    };
  }

  async #drain(): Promise<void> {
    const { gauges } = this.#shared;
    for (const connection of this.#connections) connection.stopSending();
    const limit = this.#aborted ? GRACE_MS : this.#options.replyTimeoutMs + GRACE_MS;
    await this.#until(() => gauges.unsettled === 0, limit);
    if (this.#aborted) return;
    for (const connection of this.#connections) {
      if (!connection.settled) connection.fail("hung", `${connection.inFlight} in flight long after the end`);
    }
  }

  async #close(): Promise<void> {
    const { gauges } = this.#shared;
    for (const connection of this.#connections) connection.finish();
    await this.#until(() => gauges.alive === 0, GRACE_MS);
    for (const connection of this.#connections) connection.destroy();
  }

  /** Waits until `done` holds, which is looked at after every change of a connection, or the time is up, or an abort comes. */
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
      // Timers come before reads: after a pause of this process, replies that are here already would look late.
      const paused = now - last > 4 * interval;
      last = now;
      if (paused) return;
      for (const connection of this.#connections) {
        connection.checkDeadlines(now, connectTimeoutMs, replyTimeoutMs);
      }
    }, interval);
    return () => clearInterval(timer);
  }
}

/** The `index`th of `parts` shares of `total`, which differ by at most one. */
export function share(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}
