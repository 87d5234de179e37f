// Generator process: runs its part of the load on messages from the coordinator, and exits with it.
import { type FromGenerator, pack, type ToGenerator } from "../both-sides/messages.js";
import type { LoadOptions } from "../both-sides/options.js";
import { runLoad } from "./run.js";

export function runGeneratorProcess(): void {
  let stop = new AbortController();
  let load = () => {};
  // Ctrl-C signals the whole process group: only the coordinator acts on it, and asks for the result so far.
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
  const onOpening = (opened: number) => send({ type: "opening", opened });
  const onOpened = (opened: number) => {
    send({ type: "opened", opened });
    return started;
  };
  const onProgress: LoadOptions["onProgress"] = (progress) =>
    send({ type: "progress", progress: pack(progress) });
  const result = await runLoad({ ...options, signal, onOpening, onOpened, onProgress });
  send({ type: "result", result: pack({ ...result, connections: [] }) });
}

function send(message: FromGenerator): void {
  process.send?.(message);
}
