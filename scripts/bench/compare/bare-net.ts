// Baseline: an echo server on bare node:net and node:cluster. No framing, every chunk is written back.
import cluster from "node:cluster";
import { createServer } from "node:net";

/** The argument with which the benchmark script runs as this server. */
export const BARE_NET = "bare-net";

export function serveBareNet(port: number, workers: number): void {
  if (cluster.isPrimary) {
    for (let i = 0; i < workers; i++) cluster.fork();
    return;
  }
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => socket.write(chunk));
  });
  server.listen({ port, host: "127.0.0.1", backlog: 1024 });
}
