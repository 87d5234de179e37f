/** Passes requests of Node's HTTP server to a hono app, and its answers back. */
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import type { Env } from "../access/guard.js";
import { adminFailures } from "../events.js";
import type { Listener } from "./http-server.js";

export function requestListener(app: Hono<Env>): Listener {
  // `overrideGlobalObjects: false`: the library would replace the global Request and Response.
  const fetch = async (request: Request, env: unknown): Promise<Response> => {
    return deliver(await app.fetch(request, env as Env["Bindings"]), (env as Env["Bindings"]).outgoing);
  };
  return getRequestListener(fetch, {
    overrideGlobalObjects: false,
    hostname: "localhost",
    errorHandler: refuse,
  });
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
