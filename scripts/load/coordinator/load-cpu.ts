// CPU use of the server during the load: two samples, at the beginning and at the end of each measured time, taken when
// they are needed. The samples once a second would miss up to all of a run of one or two seconds.
import type { ServerSample } from "./server-metrics.js";

interface Edge {
  at: number;
  cpuSeconds: number;
}

export class LoadCpu {
  readonly #sample: () => Promise<ServerSample | undefined>;
  readonly #now: () => number;
  #cpuSeconds = 0;
  #ms = 0;
  #began: Promise<Edge | undefined> | undefined;
  #ended: Promise<Edge | undefined> | undefined;
  #timers: NodeJS.Timeout[] = [];

  constructor(sample: () => Promise<ServerSample | undefined>, now = () => performance.now()) {
    this.#sample = sample;
    this.#now = now;
  }

  /** The load begins, with its warm-up. Without `durationMs` its end is when `end` is called. */
  begin(warmupMs: number, durationMs: number | undefined): void {
    const begin = () => {
      this.#began = this.#edge();
    };
    if (warmupMs === 0) begin();
    else this.#timers.push(setTimeout(begin, warmupMs));
    if (durationMs === undefined) return;
    // Not when the result is there: then the last replies have been waited for and the connections closed.
    this.#timers.push(
      setTimeout(() => {
        this.#ended = this.#edge();
      }, warmupMs + durationMs),
    );
  }

  /** The run is over. Several runs add up. */
  async end(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    const [began, ended] = await Promise.all([this.#began, this.#ended ?? this.#edge()]);
    this.#began = this.#ended = undefined;
    if (!began || !ended) return;
    this.#cpuSeconds += ended.cpuSeconds - began.cpuSeconds;
    this.#ms += ended.at - began.at;
  }

  /** 1 = one core; undefined when the server did not answer. */
  get mean(): number | undefined {
    return this.#ms > 0 ? (this.#cpuSeconds * 1_000) / this.#ms : undefined;
  }

  /** The time is the middle of the request: a busy server takes a while to answer. */
  async #edge(): Promise<Edge | undefined> {
    const asked = this.#now();
    const sample = await this.#sample();
    return sample && { at: (asked + this.#now()) / 2, cpuSeconds: sample.cpuSeconds };
  }
}
