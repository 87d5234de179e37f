/**
 * Retries of workers that fail to start (database of the protocol down, files moved away by a deploy). While another
 * worker serves, they are tried again with growing pauses, outside of the restart intensity: counted, five failures
 * within half a second would end the program and all its connections.
 */
import type { ExitReason } from "../../../otp/process/exit-reason.js";
import { checkDelay, delayOf } from "../../../otp/supervisor/restart-delay.js";
import type { Log } from "../../../telemetry/log/log.js";
import { plural } from "../../../text/plural.js";
import { startFailure } from "./start-failure.js";
import type { WorkerSlot } from "./worker-slot.js";

const PAUSE = checkDelay({ first: "500ms", max: "15s" });

/**
 * @param serving number of workers that serve
 * @returns milliseconds until the next attempt; `undefined` where no worker serves: the restart intensity decides
 */
export function startRetryDelay(
  slot: WorkerSlot,
  serving: number,
  reason: ExitReason,
  log: Pick<Log, "warn">,
): number | undefined {
  // A want of the machine is no fault of the worker: it is waited for, however long.
  if (serving === 0 && !isNotSpawned(reason)) return undefined;
  slot.retrying = true;
  return retryPause(slot, serving, reason, log);
}

/** Logs why a worker did not start. @returns milliseconds until the next attempt */
export function retryPause(
  slot: WorkerSlot,
  serving: number,
  reason: unknown,
  log: Pick<Log, "warn">,
): number {
  const ms = delayOf(PAUSE, slot.startFailures);
  const seconds = (ms / 1_000).toFixed(1);
  log.warn(
    `worker ${slot.slot} does not start: ${startFailure(reason).message}; next attempt in ${seconds} s, ${plural(serving, "worker")} running`,
    { startFailures: slot.startFailures },
  );
  return ms;
}

/** Whether there was no OS process: out of memory, descriptors or processes. */
function isNotSpawned(reason: ExitReason): boolean {
  return typeof reason === "object" && reason !== null && "not_spawned" in reason;
}
