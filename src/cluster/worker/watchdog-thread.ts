/**
 * Watchdog thread of a worker (6 MB): watches the heartbeat of the event loop from a thread of its own. When the loop is
 * blocked it logs the stack; when the primary, which would kill the worker, is gone as well, it kills the worker.
 * A worker whose loop is not blocked drains when its primary is gone (`primary-gone.ts`).
 */
import { Worker, workerData } from "node:worker_threads";
import type { MappedModule } from "../../config/modules/positions.js";
import { clock } from "../../otp/time/clock.js";
import type { LogOptions } from "../../telemetry/log/log.js";

/** Data for the thread. */
export interface WatchdogThreadData {
  /** Counter that the event loop increments. */
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

/** Starts the thread. It does not keep the worker alive, and the worker serves without it when it cannot start. */
export function startWatchdogThread(exec: string, data: WatchdogThreadData): void {
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };
  const size = data.modules.reduce((sum, { map }) => sum + map.length, 0);
  const modules =
    size > MAX_SOURCE_MAPS ? [] : data.modules.map(({ path, url, map }) => ({ path, url, map }));
  const thread = new Worker(exec, { workerData: { watchdogThread: { ...data, modules } }, resourceLimits });
  thread.on("error", () => {});
  thread.unref();
}

/** Entry point of the thread. */
export function runWatchdogThread(): void {
  const { watchdogThread } = workerData as { watchdogThread: WatchdogThreadData };
  const { heartbeat, primary, log, modules, killAfter } = watchdogThread;
  // Before the primary kills the worker.
  const stackAfter = killAfter === 0 ? STACK_AFTER : Math.min(STACK_AFTER, killAfter / 2);
  let lastBeat = -1;
  let beatAt = clock.now();
  let checkedAt = clock.now();
  let logged = false;
  const check = (): void => {
    const now = clock.now();
    // This thread's own lag is subtracted: then the whole OS process was stopped, not only the event loop.
    beatAt += Math.max(0, now - checkedAt - CHECK_EVERY);
    checkedAt = now;
    const beat = Atomics.load(heartbeat, 0);
    if (beat !== lastBeat) {
      [lastBeat, beatAt, logged] = [beat, now, false];
    } else if (process.ppid !== primary && now - beatAt >= ORPHAN_KILL_AFTER) {
      process.kill(process.pid, "SIGKILL");
    } else if (!logged && now - beatAt >= stackAfter) {
      logged = true;
      void import("./blocked-stack.js").then(({ logBlockedStack }) =>
        logBlockedStack(log, modules, now - beatAt),
      );
    }
    clock.setTimeout(check, CHECK_EVERY);
  };
  check();
}
