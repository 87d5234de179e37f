/**
 * What a worker does when its primary is gone: it drains and exits. A worker whose event loop is blocked at that
 * moment cannot; its watchdog thread kills it (`watchdog-thread.ts`).
 */
import cluster from "node:cluster";

/** Calls `drain` when the channel to the primary closes: the primary has exited or was killed. */
export function onPrimaryGone(drain: () => void): void {
  cluster.worker?.on("disconnect", () => {
    // Without this node:cluster exits the process at once, and all its connections with it.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    drain();
  });
}
