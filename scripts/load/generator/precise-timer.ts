// Timer with 0.1 ms precision: a helper thread sleeps on a futex and wakes the event loop. Node's timers fire at
// whole milliseconds, which would add half a millisecond to every latency.
import { Worker } from "node:worker_threads";

// As text, because the script is bundled into one file and a thread needs one of its own.
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const turn = new Int32Array(workerData, 0, 1);
const at = new Float64Array(workerData, 8, 1);
const now = () => { const [s, ns] = process.hrtime(); return s * 1e3 + ns / 1e6; };
for (let served = 0; ; ) {
  const wish = Atomics.load(turn, 0);
  const ms = at[0] - now();
  if (wish === served) Atomics.wait(turn, 0, wish);
  else if (ms > 0) Atomics.wait(turn, 0, wish, ms);
  else {
    served = wish;
    parentPort.postMessage(0);
  }
}`;

/** A clock that all threads share, in ms. */
function sharedNow(): number {
  const [seconds, ns] = process.hrtime();
  return seconds * 1e3 + ns / 1e6;
}

export class PreciseTimer {
  readonly #memory = new SharedArrayBuffer(16);
  readonly #turn = new Int32Array(this.#memory, 0, 1);
  readonly #at = new Float64Array(this.#memory, 8, 1);
  readonly #offset = sharedNow() - performance.now();
  readonly #thread: Worker;
  readonly #running: Promise<void>;

  constructor(onTick: () => void) {
    this.#thread = new Worker(THREAD, { eval: true, workerData: this.#memory });
    this.#thread.on("message", onTick);
    this.#running = new Promise((resolve) => this.#thread.once("online", resolve));
  }

  /** Resolves when the thread runs, which takes some 30 ms. */
  ready(): Promise<void> {
    return this.#running;
  }

  /** Requests one tick at `time` of performance.now(). Replaces an earlier request. */
  wakeAt(time: number): void {
    this.#at[0] = time + this.#offset;
    Atomics.add(this.#turn, 0, 1);
    Atomics.notify(this.#turn, 0);
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}
