#!/usr/bin/env node
/**
 * Entry point of every OS process and thread of the program: command line and primary, workers, the exchange, the thread
 * that tries a protocol out, and the watchdog thread of a worker. Each loads only its own code, to keep the start of a
 * worker short.
 */
import { isMainThread, workerData } from "node:worker_threads";
import { installSignalHandlers } from "./program/signals.js";

const isWorker = process.argv[2] === "worker" && process.send !== undefined;
const isExchange = process.argv[2] === "exchange" && process.send !== undefined;
const isStart = process.argv.includes("start", 2) || process.argv.includes("dev", 2);
// First statement that runs.
if (isMainThread) installSignalHandlers(isWorker || isExchange ? "worker" : isStart ? "start" : "command");

if (workerData?.watchdogThread) {
  (await import("./cluster/worker/watchdog-thread.js")).runWatchdogThread();
} else if (!isMainThread) {
  await (await import("./cluster/release/trial-thread.js")).runTrial();
} else if (isWorker) {
  (await import("./cluster/worker/entry.js")).runWorker();
} else if (isExchange) {
  (await import("./exchange/entry.js")).runExchange();
} else {
  process.exit(await (await import("./program/program.js")).runProgram());
}
