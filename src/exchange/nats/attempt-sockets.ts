/**
 * Sockets of one attempt to connect. The client forgets the socket of an attempt that timed out: while a server is paused,
 * each attempt would leave one open.
 */
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const created = channel("net.client.socket");

/**
 * One attempt at a time.
 * @param port of the server; sockets to other ports are not of this attempt
 */
export async function destroyOnFailure<T>(port: number, attempt: () => Promise<T>): Promise<T> {
  const sockets: Socket[] = [];
  const collect = (message: unknown) => void sockets.push((message as { readonly socket: Socket }).socket);
  created.subscribe(collect);
  try {
    return await attempt();
  } catch (error) {
    for (const socket of sockets)
      if (socket.connecting || socket.remotePort === port) {
        // Nothing listens to it any more.
        socket.on("error", () => {});
        socket.destroy();
      }
    throw error;
  } finally {
    created.unsubscribe(collect);
  }
}
