// A generator process: runs its part of the load as the command tells it to, and never outlives the command.
import { type FromGenerator, pack, type ToGenerator } from "../both-sides/messages.js";
import type { LoadOptions } from "../both-sides/options.js";
import { runLoad } from "./run.js";

export function serveAsGenerator(): void {
  let stop = new AbortController();
  let load = () => {};
  // They may be for the whole process group: the command decides, and asks for the result so far.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("disconnect", () => process.exit());
  process.on("message", (message: ToGenerator) => {
    if (message.type === "load") load();
    else if (message.type === "stop") stop.abort();
    else {
      stop = new AbortController();
      const started = new Promise<void>((resolve) => {
        load = resolve;
      });
      void run(message.options, stop.signal, started);
    }
  });
}

async function run(options: LoadOptions, signal: AbortSignal, started: Promise<void>): Promise<void> {
  const onOpening = (opened: number) => tell({ type: "opening", opened });
  const onOpened = (opened: number) => {
    tell({ type: "opened", opened });
    return started;
  };
  const onProgress: LoadOptions["onProgress"] = (progress) =>
    tell({ type: "progress", progress: pack(progress) });
  const result = await runLoad({ ...options, signal, onOpening, onOpened, onProgress });
  tell({ type: "result", result: pack({ ...result, connections: [] }) });
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}
