#!/usr/bin/env node
/**
 * Entry point of every OS process and thread of the program: command line and primary, workers, the exchange, the thread
 * that tries a protocol out, the one that runs a configuration module, and the watchdog thread of a worker. Each loads
 * only its own code, to keep the start of a worker short.
 */
import { isMainThread, workerData } from "node:worker_threads";

const isWorker = process.argv[2] === "worker" && process.send !== undefined;
const isExchange = process.argv[2] === "exchange" && process.send !== undefined;
const isStart = process.argv.includes("start", 2) || process.argv.includes("dev", 2);
/** By error code. */
const UNLOADABLE: Readonly<Record<string, string>> = {
  EMFILE: "too many open files: raise the limit (ulimit -n)",
  ENFILE: "the machine has too many open files",
  EACCES: "a file of the program cannot be read: give this user the right to, or install drover again",
  ENOENT: "a file of the program is missing: install drover again",
  ERR_MODULE_NOT_FOUND: "a file of the program is missing: install drover again",
};

try {
  // Before any other module is loaded.
  if (isMainThread)
    (await import("./program/signals.js")).installSignalHandlers(
      isWorker || isExchange ? "worker" : isStart ? "start" : "command",
    );
  await run();
} catch (error) {
  fail(error);
}

async function run(): Promise<void> {
  if (workerData?.watchdogThread) {
    (await import("./cluster/worker/watch/watchdog-thread.js")).runWatchdogThread();
  } else if (workerData?.configModule) {
    await (await import("./config/modules/module-thread.js")).runModuleThread();
  } else if (!isMainThread) {
    await (await import("./cluster/release/trial-thread.js")).runTrial();
  } else if (isWorker) {
    (await import("./cluster/worker/entry.js")).runWorker();
  } else if (isExchange) {
    (await import("./exchange/entry.js")).runExchange();
  } else {
    await (await import("./program/program.js")).runProgram();
  }
}

/** A part of the program that cannot be loaded: one line and exit code 69, without help of any other module. */
function fail(error: unknown): void {
  const { code = "", message, path = ".js" } = error as NodeJS.ErrnoException;
  const why = UNLOADABLE[code];
  if (why === undefined || !isMainThread || !/\.js(on)?$/.test(path)) throw error;
  const [what] = String(message).split("\n");
  const text = `${why} (${what})`;
  process.stderr.write(`drover: ${text}\n`);
  const exit = (): never => process.exit(69);
  if (isWorker && process.connected) process.send?.({ t: "failed", d: { code: 69, message: text } }, exit);
  else exit();
}
