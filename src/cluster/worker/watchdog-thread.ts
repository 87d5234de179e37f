/**
 * A thread beside the worker's loop, for when that hangs: it writes to the log where, and once the primary is
 * gone as well, which alone could kill the worker from outside, it ends the worker. Whoever still turns its loop
 * when the primary goes says goodbye to its clients in its own time.
 */
import { Worker, workerData } from "node:worker_threads";
import { clock } from "../../otp/time/clock.js";
import type { LogOptions } from "../../telemetry/log/log.js";
import type { ProtocolModule } from "../release/protocol-module.js";

/** What the thread is given. */
export interface WatchdogThreadData {
  /** Moves while the loop turns. */
  readonly pulse: Int32Array;
  /** The OS process of the primary. */
  readonly primary: number;
  readonly log: LogOptions;
  /** By which positions become those of the user's files. */
  readonly bundled: ProtocolModule["bundled"];
  /** How long the pulse may stand still before the primary ends the worker, in milliseconds; 0: for ever. */
  readonly watchdog: number;
}

/** How often it looks, in milliseconds. */
const LOOKS_EVERY = 250;
/** How long the pulse may stand still before the stack is written to the log, in milliseconds. */
const STACK_AFTER = 5_000;
/** A larger source map is not copied into the thread's small heap. */
const MOST_MAP = 1024 * 1024;
/** Without its primary, a worker whose pulse stands still for so long is ended. */
const ORPHAN_AFTER = 1_000;

/** Starts the thread. It keeps nothing alive. */
export function startWatchdogThread(exec: string, guarded: WatchdogThreadData): void {
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };
  const bundled = (guarded.bundled?.map.length ?? 0) <= MOST_MAP ? guarded.bundled : undefined;
  const thread = new Worker(exec, { workerData: { guarded: { ...guarded, bundled } }, resourceLimits });
  // Without it the worker serves as well.
  thread.on("error", () => {});
  thread.unref();
}

/** What the thread runs. */
export function runWatchdogThread(): void {
  const { pulse, primary, log, bundled, watchdog } = (workerData as { guarded: WatchdogThreadData }).guarded;
  // In time before the primary ends it.
  const stackAfter = watchdog === 0 ? STACK_AFTER : Math.min(STACK_AFTER, watchdog / 2);
  let last = -1;
  let movedAt = clock.now();
  let lookedAt = clock.now();
  let told = false;
  const look = (): void => {
    const now = clock.now();
    // The whole OS process was stopped: then it was not the loop that hung.
    movedAt += Math.max(0, now - lookedAt - LOOKS_EVERY);
    lookedAt = now;
    const beats = Atomics.load(pulse, 0);
    if (beats !== last) {
      [last, movedAt, told] = [beats, now, false];
    } else if (process.ppid !== primary && now - movedAt >= ORPHAN_AFTER) {
      process.kill(process.pid, "SIGKILL");
    } else if (!told && now - movedAt >= stackAfter) {
      told = true;
      void import("./blocked-stack.js").then(({ logStack }) => logStack(log, bundled, now - movedAt));
    }
    clock.setTimeout(look, LOOKS_EVERY);
  };
  look();
}
