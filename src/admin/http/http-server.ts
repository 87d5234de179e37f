/** HTTP server of the TCP port and of the control socket: limits, headers of every answer, graceful close. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import { clock } from "../../otp/time/clock.js";
import type { Env } from "../access/guard.js";
import { adminFailures } from "../events.js";
import { limitConnections } from "./connection-limit.js";

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

export function httpServer(app: Hono<Env>, limits: Limits = LIMITS): Server {
  // `overrideGlobalObjects: false`: the library would replace the global Request and Response.
  const fetch = async (request: Request, env: unknown): Promise<Response> => {
    return deliver(await app.fetch(request, env as Env["Bindings"]), (env as Env["Bindings"]).outgoing);
  };
  const listener = getRequestListener(fetch, {
    overrideGlobalObjects: false,
    hostname: "localhost",
    errorHandler: refuse,
  });
  const { maxConnections, timeout, ...options } = limits;
  const requests = new WeakMap<Socket, number>();
  const server = createServer(options, (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const count = (requests.get(incoming.socket) ?? 0) + 1;
    requests.set(incoming.socket, count);
    for (const [name, value] of Object.entries(HEADERS)) outgoing.setHeader(name, value);
    if (!server.listening || count >= MAX_REQUESTS) outgoing.setHeader("connection", "close");
    void listener(incoming, outgoing);
  });
  limitConnections(server, maxConnections);
  server.timeout = timeout;
  return server;
}

/** Sends the answer. The library could, but prints to standard output, which is the log, when a client disconnects early. */
async function deliver(response: Response, outgoing: Env["Bindings"]["outgoing"]): Promise<Response> {
  if (outgoing.headersSent) return RESPONSE_ALREADY_SENT;
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  outgoing.end(body);
  return RESPONSE_ALREADY_SENT;
}

/** Answer to a request that fails before hono is called. */
function refuse(error: unknown): Response {
  const bad = error instanceof RequestError;
  if (!bad && adminFailures.hasSubscribers) adminFailures.publish({ method: "", path: "", error });
  return Response.json({ error: bad ? "bad request" : "internal error" }, { status: bad ? 400 : 500 });
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
