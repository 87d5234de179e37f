// Pool of generator processes among which a run is divided, so that one event loop does not limit the load. They begin
// together, once all have opened their connections. A process that dies is an error in the result.
import { type ChildProcess, fork } from "node:child_process";
import { evenShare } from "../both-sides/even-share.js";
import { Histogram } from "../both-sides/histogram.js";
import { type FromGenerator, GENERATOR, type ToGenerator, unpack } from "../both-sides/messages.js";
import { DEFAULTS, type LoadOptions } from "../both-sides/options.js";
import {
  addProgress,
  addResults,
  addSample,
  emptyTally,
  type LoadResult,
  type Progress,
} from "../both-sides/result.js";

/** After a stop a generator process ends within its grace times; one that does not is killed. */
const KILL_AFTER_MS = 5_000;
/** Over all processes, so that the backlog of a server that is slow to accept does not overflow. */
const CONNECTING_AT_ONCE = 512;

export class GeneratorPool {
  readonly #processes: GeneratorProcess[];

  /** `entry` is the module to fork; it calls runGeneratorProcess when its first argument is GENERATOR. */
  constructor(entry: string, count: number) {
    this.#processes = Array.from({ length: count }, () => new GeneratorProcess(entry));
  }

  /** Can be called again once resolved: the processes stay, with their code warmed up. */
  async run(options: LoadOptions): Promise<LoadResult> {
    const { signal } = options;
    const processes = this.#processes;
    const changed = () => coordinate(processes, options);
    const parts = divide(options, processes.length);
    const results = processes.map((process, i) => process.run(parts[i]!, changed));
    let killing: NodeJS.Timeout | undefined;
    const stop = () => {
      for (const process of processes) process.send({ type: "stop" });
      killing = setTimeout(
        () => processes.forEach((process) => void process.child.kill("SIGKILL")),
        KILL_AFTER_MS,
      );
    };
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    const sum = addResults(await Promise.all(results));
    signal?.removeEventListener("abort", stop);
    clearTimeout(killing);
    return sum;
  }

  async end(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end()));
  }
}

/** The options of each process. Functions and signals cannot be sent to it. */
function divide(options: LoadOptions, count: number): LoadOptions[] {
  const {
    signal: _signal,
    onOpening: _opening,
    onOpened: _opened,
    onLoad: _load,
    onProgress: _progress,
    onConnectionEnd: _end,
    ...plain
  } = options;
  const total = options.connections ?? DEFAULTS.connections;
  const framesBefore = (id: number) => Math.floor(((options.frames ?? 0) * id) / total);
  const connectingAtOnce = Math.max(8, Math.floor(CONNECTING_AT_ONCE / count));
  let firstId = 0;
  return Array.from({ length: count }, (_, i) => {
    const connections = evenShare(total, count, i);
    const frames = options.frames && framesBefore(firstId + connections) - framesBefore(firstId);
    const rate = options.rate && (options.rate * connections) / total;
    const place = { connections, totalConnections: total, firstId, phase: i / count, connectingAtOnce };
    firstId += connections;
    return { ...plain, ...place, frames, rate };
  });
}

/** Starts the load when all processes are ready. Reports only when all have: a partial sum would look like a drop. */
function coordinate(processes: GeneratorProcess[], { onOpening, onLoad, onProgress }: LoadOptions): void {
  const running = processes.filter((process) => process.running);
  const opening = running.filter((process) => process.phase === "opening");
  if (opening.length > 0) {
    if (opening.some((process) => !process.fresh)) return;
    for (const process of opening) process.fresh = false;
    return onOpening?.(processes.reduce((sum, { opened }) => sum + opened, 0));
  }
  if (running.length > 0 && running.every((process) => process.phase === "opened")) {
    onLoad?.();
    for (const process of running) {
      process.phase = "loading";
      process.send({ type: "load" });
    }
  }
  if (running.length === 0 || running.some((process) => !process.fresh)) return;
  onProgress?.(addProgress(processes.map((process) => process.takeProgress())));
}

function noProgress(): Progress {
  return { elapsedMs: 0, intervalMs: 0, completed: 0, latency: new Histogram(), tally: emptyTally() };
}

class GeneratorProcess {
  readonly child: ChildProcess;
  phase: "opening" | "opened" | "loading" = "opening";
  running = false;
  fresh = false;
  /** Connections opened, as last reported. */
  opened = 0;
  #progress = noProgress();
  #changed = () => {};
  #finish: ((result: LoadResult) => void) | undefined;
  /** Set once the process has exited. */
  #exitReason: string | undefined;
  readonly #exited: Promise<unknown>;

  constructor(entry: string) {
    this.child = fork(entry, [GENERATOR], { serialization: "advanced" });
    this.child.on("message", (message: FromGenerator) => this.#onMessage(message));
    this.#exited = new Promise((resolve) => this.child.once("exit", resolve));
    const lost = (why: string) => {
      this.#exitReason = why;
      this.#fail(why);
    };
    this.child.once("error", (error) => lost(error.message));
    // Not "exit": it may be emitted before the last message.
    this.child.once("close", (code, signal) => lost(signal ?? `itself with code ${code}`));
  }

  run(options: LoadOptions, changed: () => void): Promise<LoadResult> {
    this.#progress = noProgress();
    this.#changed = changed;
    this.phase = "opening";
    this.running = true;
    this.fresh = false;
    this.opened = 0;
    const result = new Promise<LoadResult>((resolve) => {
      this.#finish = resolve;
    });
    if (this.#exitReason === undefined) this.send({ type: "open", options });
    else this.#fail(this.#exitReason);
    return result;
  }

  send(message: ToGenerator): void {
    // A process that has exited is handled by its "close" event: a failed send is ignored.
    if (this.child.connected) this.child.send(message, () => {});
  }

  async end(): Promise<void> {
    if (!this.child.connected) return;
    this.child.disconnect();
    await this.#exited;
  }

  /** Progress since the last call. */
  takeProgress(): Progress {
    const progress = this.#progress;
    this.#progress = { ...progress, intervalMs: 0, completed: 0, latency: new Histogram() };
    this.fresh = false;
    return progress;
  }

  #onMessage(message: FromGenerator): void {
    if (message.type === "opening" || message.type === "opened") {
      this.opened = message.opened;
      this.fresh = message.type === "opening";
      if (!this.fresh) this.phase = "opened";
    } else if (message.type === "result") return this.#done(unpack<LoadResult>(message.result));
    else {
      this.#progress = unpack<Progress>(message.progress);
      this.fresh = true;
    }
    this.#changed();
  }

  #done(result: LoadResult): void {
    this.running = false;
    // This process may end before the others, which continue to report; its errors stay in the sum.
    this.#progress.tally = result.tally;
    this.#finish?.(result);
    this.#finish = undefined;
    this.#changed();
  }

  /** Result of a process that exited without sending one: its last progress. */
  #fail(why: string): void {
    if (!this.#finish) return;
    const { elapsedMs, tally } = this.#progress;
    tally.errors.generator++;
    tally.open = 0;
    addSample(tally, { who: `generator process ${this.child.pid}`, what: `ended by ${why}` });
    const histograms = {
      latency: new Histogram(),
      connectLatency: new Histogram(),
      lateness: new Histogram(),
    };
    const counts = { measured: tally.echoed, due: 0, proven: 0 };
    this.#done({ elapsedMs, ...counts, tally, ...histograms, generators: [], connections: [] });
  }
}
