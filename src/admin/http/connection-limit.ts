/**
 * Limit of the connections of one HTTP server. At the limit a new connection takes the place of the one that has been
 * idle longest: with node's own limit, 64 clients that send slowly would keep health checks and scrapes out.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The last request of a connection. */
interface Exchange {
  /** Sent before the answer to another one. */
  readonly early: boolean;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** New connections of one server while there are few descriptors. */
const PLACES = 6;

/**
 * Closes idle connections of `server` so that at most `most` are open; with none idle, the new one is closed.
 * @param isShort whether there are few descriptors: `PLACES` connections then, besides those that are open already
 */
export function limitConnections(server: Server, most: number, isShort = () => false): void {
  // In order of the last request, so the first idle one has been idle longest.
  const connections = new Map<Socket, Exchange | undefined>();
  let before: number | undefined;
  const limit = () => {
    before = isShort() ? (before ?? connections.size) : undefined;
    return Math.min(most, (before ?? most) + PLACES);
  };
  server.on("connection", (socket: Socket) => {
    if (connections.size >= limit()) {
      const idle = [...connections].find(([, exchange]) => isIdle(exchange))?.[0];
      if (!idle) return void socket.destroy();
      connections.delete(idle);
      idle.destroy();
    }
    connections.set(socket, undefined);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { socket } = incoming;
    const early = connections.get(socket)?.outgoing.writableEnded === false;
    if (connections.delete(socket)) connections.set(socket, { early, incoming, outgoing });
  });
}

/** Waits for a request, for the rest of one, or for the client to read the answer; or sends requests without waiting. */
function isIdle(exchange: Exchange | undefined): boolean {
  if (exchange === undefined || exchange.early) return true;
  return !exchange.incoming.complete || exchange.outgoing.writableEnded;
}
