#!/usr/bin/env node
/**
 * Entry point of every OS process and thread of the program: command line and primary, workers, the thread that tries
 * a protocol out, and the watchdog thread of a worker. Each loads only its own code, to keep the start of a worker short.
 */
import { isMainThread, workerData } from "node:worker_threads";

// First statement that runs: on SIGUSR1 node would open its inspector.
process.on("SIGUSR1", () => {});

if (workerData?.watchdogThread) {
  (await import("./cluster/worker/watchdog-thread.js")).runWatchdogThread();
} else if (!isMainThread) {
  await (await import("./cluster/release/trial-thread.js")).runTrial();
} else if (process.argv[2] === "worker" && process.send) {
  (await import("./cluster/worker/entry.js")).runWorker();
} else {
  process.exit(await (await import("./program/program.js")).runProgram());
}
