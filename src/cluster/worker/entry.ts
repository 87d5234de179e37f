/**
 * A worker as an OS process: says hello, is told what to run, and obeys only the primary; signals to the whole
 * process group (Ctrl-C, pm2) are not meant for it.
 */
import cluster from "node:cluster";
import { isToWorker, type ToPrimary } from "../channel/messages.js";
import { Worker } from "./worker.js";

/** Runs until the primary says stop, goes away, or the tree ends. */
export function runWorker(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
  let worker: Worker | undefined;
  process.on("message", (message, handle) => {
    if (!isToWorker(message)) return;
    if (message.t === "boot") {
      worker = new Worker(message.d);
      void worker.start();
    } else if (worker) {
      worker.received(message, handle);
    } else if (message.t === "stop") {
      process.exit(0);
    }
  });
  process.send?.({ t: "hello" } satisfies ToPrimary);
  cluster.worker?.on("disconnect", () => {
    // Without this node:cluster ends the process on the spot, and every client with it.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    if (worker) void worker.stop();
    else process.exit(0);
  });
}
