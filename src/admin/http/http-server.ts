/** HTTP server of the TCP port and of the control socket: limits, headers of every answer, graceful close. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clock } from "../../otp/time/clock.js";
import { adminFailures } from "../events.js";
import { limitConnections } from "./connection-limit.js";
import { RequestOrder } from "./request-order.js";

export interface Limits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
  readonly keepAliveTimeout: number;
  readonly maxHeaderSize: number;
  readonly maxConnections: number;
  /** Idle timeout of a connection. */
  readonly timeout: number;
}

/**
 * With Node's defaults (60 s for headers, 300 s for a request, no limit on connections) a few idle clients could
 * lock the operator out.
 */
export const LIMITS: Limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8 * 1024,
  maxConnections: 64,
  timeout: 30_000,
};

/** Requests on one connection, which is then closed: bounds the work for a client that pipelines thousands. */
const MAX_REQUESTS = 1_000;

/** On every answer, errors included. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** Answers a request. */
export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/**
 * @param load gives the listener, whose code may be loaded by the first request
 * @param isShort whether there are few descriptors for connections
 */
export function httpServer(
  load: () => Promise<Listener>,
  limits: Limits = LIMITS,
  isShort?: () => boolean,
): Server {
  const { maxConnections, timeout, ...options } = limits;
  const requests = new WeakMap<Socket, number>();
  const order = new RequestOrder();
  const server = createServer(options, (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const count = (requests.get(incoming.socket) ?? 0) + 1;
    requests.set(incoming.socket, count);
    for (const [name, value] of Object.entries(HEADERS)) outgoing.setHeader(name, value);
    if (!server.listening || count >= MAX_REQUESTS) outgoing.setHeader("connection", "close");
    order.next(incoming.socket, outgoing, () => {
      void load().then(
        (listener) => listener(incoming, outgoing),
        (error) => notLoaded(outgoing, error),
      );
    });
  });
  limitConnections(server, maxConnections, isShort);
  server.timeout = timeout;
  return server;
}

function notLoaded(outgoing: ServerResponse, error: unknown): void {
  if (adminFailures.hasSubscribers) adminFailures.publish({ method: "", path: "", error });
  outgoing.writeHead(500, { "content-type": "application/json" });
  outgoing.end('{"error":"internal error: see the log of the server"}');
}

/** Resolves once the server listens; rejects with the platform's error. */
export function listen(
  server: Server,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Milliseconds that answers in progress have to finish. */
const GRACE = 500;

/** Closes the server: idle connections at once, the others after their answer or the grace period. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const grace = clock.setTimeout(() => server.closeAllConnections(), GRACE);
    // Its only error is that the server does not listen, which is the goal.
    server.close(() => {
      clock.clearTimeout(grace);
      resolve();
    });
    server.closeIdleConnections();
  });
}
