/**
 * Sockets of one attempt to connect, which the client keeps to itself. It forgets the socket of an attempt that timed out:
 * while a server is paused, each attempt would leave one open. And it closes a connection behind what was written: the
 * kernel would send that when the cable is back, minutes old, and other servers would take it for a sign of life.
 */
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const created = channel("net.client.socket");

/** The server has accepted the connection, and has then not said in time what it is. */
export class SlowServerError extends Error {
  override readonly name = "TimeoutError";
}

export interface Connected<T> {
  readonly connection: T;
  /** Closes its socket at once: what was written and has not left is discarded. */
  reset(): void;
}

/**
 * One attempt at a time.
 * @param port of the server; sockets to other ports are not of this attempt
 * @throws SlowServerError instead of the client's own
 */
export async function connectAlone<T>(port: number, attempt: () => Promise<T>): Promise<Connected<T>> {
  const sockets: Socket[] = [];
  const collect = (message: unknown) => void sockets.push((message as { readonly socket: Socket }).socket);
  created.subscribe(collect);
  try {
    const connection = await attempt();
    const used = sockets.filter(({ remotePort }) => remotePort === port);
    return { connection, reset: () => used.forEach(reset) };
  } catch (error) {
    const accepted = sockets.some(({ remotePort }) => remotePort === port);
    for (const socket of sockets)
      if (socket.connecting || socket.remotePort === port) {
        // Nothing listens to it any more.
        socket.on("error", () => {});
        socket.destroy();
      }
    if (accepted && (error as Error).name === "TimeoutError") throw new SlowServerError("timeout");
    throw error;
  } finally {
    created.unsubscribe(collect);
  }
}

function reset(socket: Socket): void {
  // Of a socket under TLS as well; one that has closed does nothing.
  socket.on("error", () => {});
  socket.resetAndDestroy();
}
