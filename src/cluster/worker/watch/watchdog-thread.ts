/**
 * Watchdog thread of a worker (6 MB): watches the heartbeat of the event loop from a thread of its own. When the loop is
 * blocked it logs the stack, and it kills the worker where the primary does not: because the primary is stopped, or gone.
 * A worker whose loop is not blocked drains when its primary is gone (`primary-gone.ts`), for a limited time.
 */
import { Worker, workerData } from "node:worker_threads";
import type { MappedModule } from "../../../config/modules/positions.js";
import { leaveRemovedDirectory } from "../../../config/modules/working-directory.js";
import { clock } from "../../../otp/time/clock.js";
import type { LogOptions } from "../../../telemetry/log/log.js";

/** Data for the thread. */
export interface WatchdogThreadData {
  /** Counter that the event loop increments, whether the worker serves, and whether a debugger is attached. */
  readonly heartbeat: Int32Array;
  /** OS pid of the primary. */
  readonly primary: number;
  readonly log: LogOptions;
  /** Source maps by which the stack shows positions in the user's files. */
  readonly modules: readonly MappedModule[];
  /** Milliseconds without a snapshot after which the primary kills the worker; 0 when it never does. */
  readonly killAfter: number;
}

/** Interval of the checks, in milliseconds. */
const CHECK_EVERY = 250;
/** Milliseconds without a heartbeat after which the stack is logged. */
const STACK_AFTER = 5_000;
/** Largest size of the source maps that are passed to the thread, whose heap is small. */
const MAX_SOURCE_MAPS = 1024 * 1024;
/** Milliseconds without a heartbeat and without a primary after which the worker is killed. */
const ORPHAN_KILL_AFTER = 1_000;
/**
 * Milliseconds after the end of the primary in which a worker must have drained: longer than the default shutdown time,
 * and short enough that a primary that is started again can bind within 15 s.
 */
const ORPHAN_DEADLINE = 12_000;
/** Milliseconds between two searches for stopped workers of a primary that is gone. */
const CONTINUE_EVERY = 1_000;
/** Milliseconds after `killAfter` in which the primary must have killed the worker; then it is stopped or blocked itself. */
const PRIMARY_LATE = 3_000;
/** Milliseconds that writing the last line may take. */
const LAST_LINE = 500;

/**
 * Starts the thread. It does not keep the worker alive, and the worker serves without it when it cannot start.
 * @returns once it runs, or cannot be started
 */
export async function startWatchdogThread(exec: string, data: WatchdogThreadData): Promise<void> {
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };
  const size = data.modules.reduce((sum, { map }) => sum + map.length, 0);
  const modules =
    size > MAX_SOURCE_MAPS ? [] : data.modules.map(({ path, url, map }) => ({ path, url, map }));
  const options = { workerData: { watchdogThread: { ...data, modules } }, resourceLimits };
  // Twice: the working directory may be removed while the thread starts.
  for (let attempt = 1; attempt <= 2; attempt++) {
    leaveRemovedDirectory();
    if (await runs(new Worker(exec, options))) return;
  }
}

/** Whether it has begun to run. */
function runs(thread: Worker): Promise<boolean> {
  thread.unref();
  return new Promise((resolve) => {
    thread.once("online", () => resolve(true)).on("error", () => resolve(false));
  });
}

/** Entry point of the thread. */
export function runWatchdogThread(): void {
  new WatchdogThread((workerData as { watchdogThread: WatchdogThreadData }).watchdogThread).check();
}

class WatchdogThread {
  readonly #data: WatchdogThreadData;
  readonly #stackAfter: number;
  readonly #killAfter: number;
  #lastBeat = -1;
  #beatAt = clock.now();
  #checkedAt = clock.now();
  #logged = false;
  /** When the primary was found to be gone. */
  #orphanedAt: number | undefined = undefined;
  #continuedAt = Number.NEGATIVE_INFINITY;
  #ending = false;

  constructor(data: WatchdogThreadData) {
    const { killAfter } = data;
    this.#data = data;
    // Before the primary kills the worker.
    this.#stackAfter = killAfter === 0 ? STACK_AFTER : Math.min(STACK_AFTER, killAfter / 2);
    this.#killAfter = killAfter === 0 ? Infinity : killAfter + PRIMARY_LATE;
  }

  check(): void {
    const now = clock.now();
    // This thread's own lag is subtracted: then the whole OS process was stopped, not only the event loop.
    this.#beatAt += Math.max(0, now - this.#checkedAt - CHECK_EVERY);
    this.#checkedAt = now;
    const beat = Atomics.load(this.#data.heartbeat, 0);
    if (beat !== this.#lastBeat) {
      this.#lastBeat = beat;
      this.#beatAt = now;
      this.#logged = false;
    }
    if (process.ppid !== this.#data.primary) this.#orphaned(now);
    else if (Atomics.load(this.#data.heartbeat, 2) === 1) this.#beatAt = now;
    else this.#watch(now - this.#beatAt);
    clock.setTimeout(() => this.check(), CHECK_EVERY);
  }

  #orphaned(now: number): void {
    this.#orphanedAt ??= now;
    if (now - this.#continuedAt >= CONTINUE_EVERY) {
      this.#continuedAt = now;
      void this.#continueStopped();
    }
    if (now - this.#beatAt >= ORPHAN_KILL_AFTER)
      this.#end("the primary is gone and the event loop is blocked");
    else if (now - this.#orphanedAt >= ORPHAN_DEADLINE)
      this.#end(`the primary is gone and connections did not finish within ${ORPHAN_DEADLINE / 1000} s`);
  }

  /** While the primary lives it kills the worker itself; a worker that still starts has a deadline of the primary. */
  #watch(blockedMs: number): void {
    const serves = Atomics.load(this.#data.heartbeat, 1) !== 0;
    if (serves && blockedMs >= this.#killAfter)
      this.#end(`event loop blocked for ${Math.round(blockedMs)} ms, and the primary does not respond`);
    if (this.#logged || blockedMs < this.#stackAfter) return;
    this.#logged = true;
    const { log, modules } = this.#data;
    void import("./blocked-stack.js").then(({ logBlockedStack }) => logBlockedStack(log, modules, blockedMs));
  }

  async #continueStopped(): Promise<void> {
    const { continueStopped } = await import("./orphaned-siblings.js");
    continueStopped(this.#data.primary, process.ppid);
  }

  /** Kills the worker, after one line in the log. */
  #end(why: string): void {
    if (this.#ending) return;
    this.#ending = true;
    const kill = (): void => void process.kill(process.pid, "SIGKILL");
    clock.setTimeout(kill, LAST_LINE);
    void this.#log(`The worker kills itself: ${why}`).finally(kill);
  }

  async #log(message: string): Promise<void> {
    const log = (await import("../../../telemetry/log/log.js")).openLog(this.#data.log);
    log.error(message);
    log.close();
  }
}
