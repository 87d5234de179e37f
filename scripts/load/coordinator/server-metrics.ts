// Metrics of the server, read from its admin address: CPU, memory, restarts, and its counts of connections and frames,
// which are compared with those of the generator.

/** The metrics at one moment. */
export interface ServerSample {
  cpuSeconds: number;
  memoryBytes: number;
  restarts: number;
  active: number;
  accepted: number;
  framesReceived: number;
  framesSent: number;
}

export interface ServerReport {
  /** CPU use during the load, 1 = one core. */
  cpu: number;
  /** CPU time from before the first connection to the end. */
  cpuSeconds: number;
  /** Maximum over time of the sum over all OS processes. */
  memoryBytes: number;
  restarts: number;
  /** Counts from before the first connection to the end. */
  accepted: number;
  framesReceived: number;
  framesSent: number;
}

const TIMEOUT_MS = 2_000;
const SETTLE_MS = 5_000;
const RETRY_MS = 200;

export class ServerMetrics {
  readonly #url: string;
  readonly #path: string;
  readonly #first: ServerSample;
  /** By worker: the CPU time of a replaced worker begins at zero again. */
  #cpuBy: Map<string, number>;
  #cpuSeconds = 0;
  #memoryBytes: number;
  #last: ServerSample;
  /** One request at a time: an older response after a newer one would look like a replaced worker. */
  #asked: Promise<unknown> = Promise.resolve();

  private constructor(url: string, path: string, text: string) {
    this.#url = url;
    this.#path = path;
    this.#first = this.#last = sampleOf(text);
    this.#cpuBy = cpuBy(text);
    this.#memoryBytes = this.#first.memoryBytes;
  }

  /** @throws Error with a message for the user when this is not the admin address of a drover server */
  static async open(url: string): Promise<ServerMetrics> {
    // Numbers of this moment. Where reading needs a token they are those of the last second.
    const fresh = await metrics(url, "/metrics/now").catch(() => undefined);
    const [path, text] = fresh ? ["/metrics/now", fresh] : ["/metrics", await metrics(url, "/metrics")];
    if (!text.includes("drover_frames_received_total")) {
      throw new Error(
        `${url}/metrics has no drover_frames_received_total: is this the admin address of a drover server?`,
      );
    }
    return new ServerMetrics(url, path, text);
  }

  /** The metrics at this moment, with CPU seconds since `open`. Undefined if the server does not answer. */
  sample(): Promise<ServerSample | undefined> {
    const sampled = this.#asked.then(() => this.#sample());
    this.#asked = sampled;
    return sampled;
  }

  async #sample(): Promise<ServerSample | undefined> {
    const text = await metrics(this.#url, this.#path).catch(() => undefined);
    if (text === undefined) return undefined;
    const sample = sampleOf(text);
    const now = cpuBy(text);
    for (const [worker, seconds] of now) {
      const before = this.#cpuBy.get(worker) ?? 0;
      this.#cpuSeconds += seconds < before ? seconds : seconds - before;
    }
    this.#cpuBy = now;
    this.#memoryBytes = Math.max(this.#memoryBytes, sample.memoryBytes);
    this.#last = { ...sample, cpuSeconds: this.#cpuSeconds };
    return this.#last;
  }

  /** Waits up to 5 s until the server's counts equal `wanted`: workers report them once a second. */
  async settle(wanted: { opened: number; sent: number; echoed: number }): Promise<void> {
    const until = performance.now() + SETTLE_MS;
    while (performance.now() < until) {
      await this.sample();
      const { accepted, framesReceived, framesSent } = this.counts;
      if (accepted === wanted.opened && framesReceived === wanted.sent && framesSent === wanted.echoed)
        return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  get counts(): Pick<ServerReport, "accepted" | "framesReceived" | "framesSent" | "restarts"> {
    const [first, last] = [this.#first, this.#last];
    return {
      accepted: last.accepted - first.accepted,
      framesReceived: last.framesReceived - first.framesReceived,
      framesSent: last.framesSent - first.framesSent,
      restarts: last.restarts - first.restarts,
    };
  }

  /** `cpu`: CPU use during the load, if known; else the mean over `elapsedMs`. */
  report(cpu: number | undefined, elapsedMs: number): ServerReport {
    const cpuSeconds = this.#cpuSeconds;
    const mean = (cpuSeconds * 1_000) / Math.max(1, elapsedMs);
    return { cpu: cpu ?? mean, cpuSeconds, memoryBytes: this.#memoryBytes, ...this.counts };
  }
}

async function metrics(url: string, path: string): Promise<string> {
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error) => {
      throw new Error(`${url} does not answer: ${error.cause?.message ?? error.message}`);
    },
  );
  if (!response.ok) throw new Error(`${url}${path} answers ${response.status}`);
  return response.text();
}

function sampleOf(text: string): ServerSample {
  return {
    cpuSeconds: 0,
    memoryBytes: sum(text, "process_resident_memory_bytes"),
    restarts: sum(text, "drover_supervisor_restarts_total"),
    active: sum(text, "drover_connections_active"),
    accepted: sum(text, "drover_connections_accepted_total"),
    framesReceived: sum(text, "drover_frames_received_total"),
    framesSent: sum(text, "drover_frames_sent_total"),
  };
}

function sum(text: string, name: string): number {
  return series(text, name).reduce((all, [, value]) => all + value, 0);
}

function cpuBy(text: string): Map<string, number> {
  const workers = new Map<string, number>();
  for (const name of ["process_cpu_user_seconds_total", "process_cpu_system_seconds_total"]) {
    for (const [labels, value] of series(text, name)) workers.set(labels, (workers.get(labels) ?? 0) + value);
  }
  return workers;
}

function series(text: string, name: string): [labels: string, value: number][] {
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? ([0-9.eE+-]+)$`, "gm"));
  return [...lines].map(([, labels = "", value]) => [labels, Number(value)]);
}
