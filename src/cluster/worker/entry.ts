/** Entry point of a worker process: says `hello`, receives `boot`, and runs the worker. `main.ts` ignores its signals. */
import { captureConsole } from "../../telemetry/log/console.js";
import { guardStandardStreams } from "../../telemetry/log/standard-streams.js";
import type { ToPrimary } from "../channel/messages.js";
import { isToWorker } from "../channel/validate.js";
import { onPrimaryGone } from "./watch/primary-gone.js";
import { Worker } from "./worker.js";

/** Runs until the primary sends `stop`, the primary is gone, or the supervision tree ends. */
export function runWorker(): void {
  guardStandardStreams();
  captureConsole();
  let worker: Worker | undefined;
  const stop = (): void => {
    if (worker) void worker.stop();
    else process.exit(0);
  };
  process.on("message", (message, handle) => {
    if (!isToWorker(message)) return;
    if (message.t === "boot") {
      worker = new Worker(message.d);
      void worker.start();
    } else if (worker) {
      worker.received(message, handle);
    } else if (message.t === "stop") {
      stop();
    }
  });
  process.send?.({ t: "hello" } satisfies ToPrimary);
  onPrimaryGone(stop);
}
