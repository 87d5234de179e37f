// A generator process: runs its part of the load as the command tells it to, and never outlives the command.
import { type FromGenerator, pack, type ToGenerator } from "./messages.js";
import { runLoad } from "./run.js";

export function serveAsGenerator(): void {
  const stop = new AbortController();
  let load = () => {};
  const started = new Promise<void>((resolve) => {
    load = resolve;
  });
  // Ctrl-C reaches the whole process group: the command decides, and asks for the result so far.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit());
  process.on("message", (message: ToGenerator) => {
    if (message.type === "load") load();
    else if (message.type === "stop") stop.abort();
    else {
      const { options } = message;
      const onOpened = () => {
        tell({ type: "opened" });
        return started;
      };
      void runLoad({
        ...options,
        signal: stop.signal,
        onOpened,
        onProgress: (progress) => tell({ type: "progress", progress: pack(progress) }),
      }).then((result) =>
        tell({ type: "result", result: pack({ ...result, connections: [] }) }, () => process.exit()),
      );
    }
  });
}

function tell(message: FromGenerator, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent);
}
