// The same run spread over several OS processes, so that one event loop is not what limits the load. They begin
// together, once all have opened their connections; one that dies is an error in the result, never a hang.
import { type ChildProcess, fork } from "node:child_process";
import { share } from "../both-sides/even-share.js";
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

/** After a stop, a generator needs its grace times and no more. */
const KILL_AFTER_MS = 5_000;
/** Of all processes together, so that the kernel queue of a server that is slow to accept does not overflow. */
const CONNECTING_AT_ONCE = 512;

export class Generators {
  readonly #members: Member[];

  /** `entry` is the module to fork: it must call serveAsGenerator when its first argument is GENERATOR. */
  constructor(entry: string, count: number) {
    this.#members = Array.from({ length: count }, () => new Member(entry));
  }

  /** Can be called again when it has resolved: the processes stay, and stay warm. */
  async run(options: LoadOptions): Promise<LoadResult> {
    const { signal } = options;
    const members = this.#members;
    const changed = () => coordinate(members, options);
    const parts = divide(options, members.length);
    const results = members.map((member, i) => member.run(parts[i]!, changed));
    let killing: NodeJS.Timeout | undefined;
    const stop = () => {
      for (const member of members) member.tell({ type: "stop" });
      killing = setTimeout(
        () => members.forEach((member) => void member.child.kill("SIGKILL")),
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
    await Promise.all(this.#members.map((member) => member.end()));
  }
}

/** What each process gets to do. Functions and signals cannot go there. */
function divide(options: LoadOptions, count: number): LoadOptions[] {
  const {
    signal: _signal,
    onOpening: _opening,
    onOpened: _opened,
    onProgress: _progress,
    onConnectionEnd: _end,
    ...plain
  } = options;
  const total = options.connections ?? DEFAULTS.connections;
  const framesBefore = (id: number) => Math.floor(((options.frames ?? 0) * id) / total);
  const connectingAtOnce = Math.max(8, Math.floor(CONNECTING_AT_ONCE / count));
  let firstId = 0;
  return Array.from({ length: count }, (_, i) => {
    const connections = share(total, count, i);
    const frames = options.frames && framesBefore(firstId + connections) - framesBefore(firstId);
    const rate = options.rate && (options.rate * connections) / total;
    const place = { connections, totalConnections: total, firstId, phase: i / count, connectingAtOnce };
    firstId += connections;
    return { ...plain, ...place, frames, rate };
  });
}

/** Releases the load when all have opened, and reports once all have reported: a part would look like a slump. */
function coordinate(members: Member[], { onOpening, onProgress }: LoadOptions): void {
  const running = members.filter((member) => member.running);
  const opening = running.filter((member) => member.phase === "opening");
  if (opening.length > 0) {
    if (opening.some((member) => !member.fresh)) return;
    for (const member of opening) member.fresh = false;
    return onOpening?.(members.reduce((sum, { opened }) => sum + opened, 0));
  }
  if (running.every((member) => member.phase === "opened")) {
    for (const member of running) {
      member.phase = "loading";
      member.tell({ type: "load" });
    }
  }
  if (running.length === 0 || running.some((member) => !member.fresh)) return;
  onProgress?.(addProgress(members.map((member) => member.takeProgress())));
}

function noProgress(): Progress {
  return { elapsedMs: 0, intervalMs: 0, completed: 0, latency: new Histogram(), tally: emptyTally() };
}

class Member {
  readonly child: ChildProcess;
  phase: "opening" | "opened" | "loading" = "opening";
  running = false;
  fresh = false;
  /** Connections that it has opened, as far as it has told. */
  opened = 0;
  #progress = noProgress();
  #changed = () => {};
  #finish: ((result: LoadResult) => void) | undefined;
  /** Why it is gone, once it is. */
  #gone: string | undefined;
  readonly #exited: Promise<unknown>;

  constructor(entry: string) {
    this.child = fork(entry, [GENERATOR], { serialization: "advanced" });
    this.child.on("message", (message: FromGenerator) => this.#heard(message));
    this.#exited = new Promise((resolve) => this.child.once("exit", resolve));
    const lost = (why: string) => {
      this.#gone = why;
      this.#lose(why);
    };
    this.child.once("error", (error) => lost(error.message));
    // Not "exit": that may come before the last message.
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
    if (this.#gone === undefined) this.tell({ type: "open", options });
    else this.#lose(this.#gone);
    return result;
  }

  tell(message: ToGenerator): void {
    // A process that is gone already is known by its exit: the failed send adds nothing.
    if (this.child.connected) this.child.send(message, () => {});
  }

  async end(): Promise<void> {
    if (!this.child.connected) return;
    this.child.disconnect();
    await this.#exited;
  }

  /** What is new since the last call. */
  takeProgress(): Progress {
    const progress = this.#progress;
    this.#progress = { ...progress, intervalMs: 0, completed: 0, latency: new Histogram() };
    this.fresh = false;
    return progress;
  }

  #heard(message: FromGenerator): void {
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
    // It may be the first to end, because its connections all have; the others report on, and with its errors.
    this.#progress.tally = result.tally;
    this.#finish?.(result);
    this.#finish = undefined;
    this.#changed();
  }

  /** What is known of a process that ended without a result: its last progress. */
  #lose(why: string): void {
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
