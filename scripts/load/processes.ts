// The same run spread over several OS processes, so that one event loop is not what limits the load. They begin
// together, once all have opened their connections; one that dies is an error in the result, never a hang.
import { type ChildProcess, fork } from "node:child_process";
import { Histogram } from "./histogram.js";
import { type FromGenerator, GENERATOR, type ToGenerator, unpack } from "./messages.js";
import { DEFAULTS, type LoadOptions } from "./options.js";
import { addProgress, addResults, addSample, emptyTally, type LoadResult, type Progress } from "./result.js";
import { share } from "./run.js";

/** After a stop, a generator needs its grace times and no more. */
const KILL_AFTER_MS = 5_000;

/** `entry` is the module to fork: it must call serveAsGenerator when its first argument is GENERATOR. */
export async function runProcesses(entry: string, count: number, options: LoadOptions): Promise<LoadResult> {
  const { signal, onProgress } = options;
  const members: Member[] = [];
  const changed = () => coordinate(members, onProgress);
  for (const part of divide(options, count)) members.push(new Member(entry, part, changed));
  let killing: NodeJS.Timeout | undefined;
  const stop = () => {
    for (const member of members) member.tell({ type: "stop" });
    killing = setTimeout(() => members.forEach((member) => void member.child.kill("SIGKILL")), KILL_AFTER_MS);
  };
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  const results = await Promise.all(members.map((member) => member.ended));
  signal?.removeEventListener("abort", stop);
  clearTimeout(killing);
  return addResults(results);
}

/** What each process gets to do. Functions and signals cannot go there. */
function divide(options: LoadOptions, count: number): LoadOptions[] {
  const {
    signal: _signal,
    onOpened: _opened,
    onProgress: _progress,
    onConnectionEnd: _end,
    ...plain
  } = options;
  const total = options.connections ?? DEFAULTS.connections;
  const framesBefore = (id: number) => Math.floor(((options.frames ?? 0) * id) / total);
  let firstId = 0;
  return Array.from({ length: count }, (_, i) => {
    const connections = share(total, count, i);
    const frames = options.frames && framesBefore(firstId + connections) - framesBefore(firstId);
    const part = { ...plain, connections, firstId, frames };
    firstId += connections;
    return part;
  });
}

/** Releases the load when all have opened, and reports once all have reported: a part would look like a slump. */
function coordinate(members: Member[], onProgress: LoadOptions["onProgress"]): void {
  const running = members.filter((member) => member.running);
  if (running.every((member) => member.phase === "opened")) {
    for (const member of running) {
      member.phase = "loading";
      member.tell({ type: "load" });
    }
  }
  if (running.length === 0 || running.some((member) => !member.fresh)) return;
  onProgress?.(addProgress(members.map((member) => member.takeProgress())));
}

class Member {
  readonly child: ChildProcess;
  readonly ended: Promise<LoadResult>;
  phase: "opening" | "opened" | "loading" = "opening";
  running = true;
  fresh = false;
  #progress: Progress = {
    elapsedMs: 0,
    intervalMs: 0,
    frames: 0,
    latency: new Histogram(),
    tally: emptyTally(),
  };
  #result: LoadResult | undefined;
  readonly #changed: () => void;

  constructor(entry: string, options: LoadOptions, changed: () => void) {
    this.#changed = changed;
    this.child = fork(entry, [GENERATOR], { serialization: "advanced" });
    this.child.on("message", (message: FromGenerator) => this.#heard(message));
    this.ended = new Promise((resolve) => {
      const end = (why: string) => {
        this.running = false;
        resolve(this.#result ?? this.#lost(why));
        this.#changed();
      };
      this.child.once("error", (error) => end(error.message));
      // Not "exit": that may come before the last message.
      this.child.once("close", (code, signal) => end(signal ?? `itself with code ${code}`));
    });
    this.tell({ type: "open", options });
  }

  tell(message: ToGenerator): void {
    // A process that is gone already is known by its exit: the failed send adds nothing.
    if (this.child.connected) this.child.send(message, () => {});
  }

  /** What is new since the last call. */
  takeProgress(): Progress {
    const progress = this.#progress;
    this.#progress = { ...progress, intervalMs: 0, frames: 0, latency: new Histogram() };
    this.fresh = false;
    return progress;
  }

  #heard(message: FromGenerator): void {
    if (message.type === "opened") this.phase = "opened";
    else if (message.type === "result") {
      this.#result = unpack(message.result);
      this.running = false;
    } else {
      this.#progress = unpack(message.progress);
      this.fresh = true;
    }
    this.#changed();
  }

  /** What is known of a process that ended without a result: its last progress. */
  #lost(why: string): LoadResult {
    const { elapsedMs, tally } = this.#progress;
    tally.errors.generator++;
    tally.open = 0;
    addSample(tally, { who: `generator process ${this.child.pid}`, what: `ended by ${why}` });
    return { elapsedMs, measured: tally.echoed, tally, latency: new Histogram(), busy: 0, connections: [] };
  }
}
