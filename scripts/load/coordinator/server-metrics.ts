// The server's own account of a run, read from its admin address: CPU, memory, restarts, and its counts of
// connections and frames, to be held against ours.

/** What a server says at one moment. */
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
  /** In parts of one core, while the load was on. */
  cpu: number;
  /** All that it used from before the first connection to the end. */
  cpuSeconds: number;
  /** The most, of all its processes together. */
  memoryBytes: number;
  restarts: number;
  /** What it counted from before the first connection to the end. */
  accepted: number;
  framesReceived: number;
  framesSent: number;
}

const TIMEOUT_MS = 2_000;
const SETTLE_MS = 5_000;
const RETRY_MS = 200;

export class ServerWatch {
  readonly #url: string;
  readonly #first: ServerSample;
  /** By worker, because those of a worker that was replaced begin at zero again. */
  #cpuBy: Map<string, number>;
  #cpuSeconds = 0;
  #memoryBytes: number;
  #last: ServerSample;
  /** One question at a time: an older answer after a newer one would look like a worker that was replaced. */
  #asked: Promise<unknown> = Promise.resolve();

  private constructor(url: string, text: string) {
    this.#url = url;
    this.#first = this.#last = sampleOf(text);
    this.#cpuBy = cpuBy(text);
    this.#memoryBytes = this.#first.memoryBytes;
  }

  /** @throws Error in words if the address does not answer as this server's does. */
  static async open(url: string): Promise<ServerWatch> {
    const text = await metrics(url);
    if (!text.includes("drover_frames_received_total")) {
      throw new Error(`${url}/metrics has no drover_frames_received_total: is that the admin address?`);
    }
    return new ServerWatch(url, text);
  }

  /** The server now. CPU seconds count from `open`. Undefined if it does not answer: it may be what is tested. */
  sample(): Promise<ServerSample | undefined> {
    const sampled = this.#asked.then(() => this.#sample());
    this.#asked = sampled;
    return sampled;
  }

  async #sample(): Promise<ServerSample | undefined> {
    const text = await metrics(this.#url).catch(() => undefined);
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

  /** Workers tell their counts once a second: waits until they are `wanted`, or will not be. */
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

  /** `cpu`: what it used while the load was on, if that is known; else the mean over `elapsedMs` is taken. */
  report(cpu: number | undefined, elapsedMs: number): ServerReport {
    const cpuSeconds = this.#cpuSeconds;
    const mean = (cpuSeconds * 1_000) / Math.max(1, elapsedMs);
    return { cpu: cpu ?? mean, cpuSeconds, memoryBytes: this.#memoryBytes, ...this.counts };
  }
}

async function metrics(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error) => {
      throw new Error(`${url} does not answer: ${error.cause?.message ?? error.message}`);
    },
  );
  if (!response.ok) throw new Error(`${url}/metrics answers ${response.status}`);
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
