#!/usr/bin/env node
/**
 * The back door: the program. One file is the command line, every worker, and the threads that try a protocol
 * out and guard a worker; each loads only what it needs, because a worker's start is the time in which its place is empty.
 */
import { isMainThread, workerData } from "node:worker_threads";

// The first statement that runs: node opens its inspector on SIGUSR1 for whoever may signal us.
process.on("SIGUSR1", () => {});

if (workerData?.guarded) {
  (await import("./cluster/worker/watchdog-thread.js")).runWatchdogThread();
} else if (!isMainThread) {
  await (await import("./cluster/release/trial-thread.js")).runTrial();
} else if (process.argv[2] === "worker" && process.send) {
  (await import("./cluster/worker/entry.js")).runWorker();
} else {
  process.exit(await (await import("./program/program.js")).runProgram());
}
