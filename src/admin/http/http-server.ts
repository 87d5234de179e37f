/** The HTTP server below both doors: its limits, the headers of every answer, and its end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import { clock } from "../../otp/time/clock.js";
import type { Env } from "../access/guard.js";
import { adminFailures } from "../events.js";

export interface Limits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
  readonly keepAliveTimeout: number;
  readonly maxHeaderSize: number;
  readonly maxConnections: number;
  /** Until a connection that neither sends nor takes anything is closed. */
  readonly timeout: number;
}

/**
 * Node's own (60 s for headers, 300 s for a request, connections without end) let one idle client hold what
 * an operator needs in a bad hour.
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

/** Requests on one connection; then it is closed: nobody who sends thousands at once is worked for without end. */
const MOST_REQUESTS = 1_000;

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
  // The library would otherwise put its own Request and Response in the place of the global ones.
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
    if (!server.listening || count >= MOST_REQUESTS) outgoing.setHeader("connection", "close");
    void listener(incoming, outgoing);
  });
  server.maxConnections = maxConnections;
  server.timeout = timeout;
  return server;
}

/**
 * Sends an answer. The library would do it, but says on standard output, which is the log, that somebody has
 * gone before he had heard it all.
 */
async function deliver(response: Response, outgoing: Env["Bindings"]["outgoing"]): Promise<Response> {
  if (outgoing.headersSent) return RESPONSE_ALREADY_SENT;
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  outgoing.end(body);
  return RESPONSE_ALREADY_SENT;
}

/** What is wrong before there is a request that hono could be asked. */
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

/** Answers that are under way may be finished for this long. */
const GRACE = 500;

/** Ends the server: who is idle at once, who is being answered within the grace. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const grace = clock.setTimeout(() => server.closeAllConnections(), GRACE);
    // The error it may give is that it does not listen, which is what is wanted.
    server.close(() => {
      clock.clearTimeout(grace);
      resolve();
    });
    server.closeIdleConnections();
  });
}
