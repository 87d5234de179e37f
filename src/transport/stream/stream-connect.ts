/** Outgoing connections of the portable transport. */
import { Socket as NetSocket } from "node:net";
import { outsideContexts } from "../async-context.js";
import { type ConnectTarget, KEEP_ALIVE_MS, type Socket } from "../transport.js";
import { kernelPath, shownPath } from "../unix/socket-path.js";
import { StreamSocket } from "./stream-socket.js";

const SETTINGS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_MS,
};

export function connect(target: ConnectTarget, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    // What its events call must not run in the caller's async context.
    const socket = outsideContexts(() => new NetSocket(SETTINGS));
    // Nothing is read before there is an owner.
    socket.pause();
    const abort = () => {
      socket.destroy();
      reject(signal?.reason);
    };
    const connected = () => {
      signal?.removeEventListener("abort", abort);
      socket.off("error", failed);
      resolve(new StreamSocket(socket, peer));
    };
    const failed = (error: Error) => {
      signal?.removeEventListener("abort", abort);
      reject(error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    socket.on("error", failed).once("connect", connected);
    const peer = "path" in target ? { address: shownPath(target.path), port: 0 } : target;
    const where =
      "path" in target ? { path: kernelPath(target.path) } : { host: target.address, port: target.port };
    outsideContexts(() => socket.connect(where));
  });
}
