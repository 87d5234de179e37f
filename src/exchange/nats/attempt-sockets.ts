/**
 * Sockets of one attempt to connect. The client forgets the socket of an attempt that timed out: while a server is paused,
 * each attempt would leave one open.
 */
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const created = channel("net.client.socket");

/** The server has accepted the connection, and has then not said in time what it is. */
export class SlowServerError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * One attempt at a time.
 * @param port of the server; sockets to other ports are not of this attempt
 * @throws SlowServerError instead of the client's own
 */
export async function destroyOnFailure<T>(port: number, attempt: () => Promise<T>): Promise<T> {
  const sockets: Socket[] = [];
  const collect = (message: unknown) => void sockets.push((message as { readonly socket: Socket }).socket);
  created.subscribe(collect);
  try {
    return await attempt();
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
