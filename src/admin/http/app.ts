/** Table of routes as a hono app: one for the TCP port, one for the control socket. */
import { type Context, Hono } from "hono";
import type { Control } from "../../control/control.js";
import { AskFailed, Refusal, WorkerSilent } from "../../control/errors.js";
import { checkChange, checkHost, checkReading, type Env } from "../access/guard.js";
import { adminFailures } from "../events.js";
import type { Route } from "../routes/route.js";
import type { RouteContext } from "../routes/route-context.js";
import { ROUTES } from "../routes/routes.js";
import { audit } from "./audit.js";
import { readBody } from "./body.js";
import { QueryError, readQuery } from "./query.js";

export function adminApp(control: Control, context: RouteContext): Hono<Env> {
  const { access } = context;
  const app = new Hono<Env>();
  const routes = ROUTES.filter(({ local = false }) => !local || access.kind === "control");
  app.use(checkHost(access));
  for (const route of routes) {
    if (route.method === "GET") addReading(app, route, control, context);
    else addChange(app, route, control, context);
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = allowed(path);
    app.all(path, (c) => c.json({ error: `${path} takes ${allow}` }, 405, { allow }));
  }
  app.notFound((c) => c.json({ error: "no such route: GET / lists them" }, 404));
  app.onError(failed);
  return app;
}

function addReading(app: Hono<Env>, route: Route, control: Control, context: RouteContext): void {
  const { open = false, query = [], audited = false } = route;
  if (audited) app.get(route.path, audit(route, context));
  app.get(route.path, checkReading(context.access, open), (c) => {
    c.set("permitted", true);
    // A scraper or health check may add a query of its own to an open route.
    if (!open) readQuery(c.req.url, query);
    return route.answer(c, control, {}, context);
  });
}

function addChange(app: Hono<Env>, route: Route, control: Control, context: RouteContext): void {
  app.post(route.path, audit(route, context), checkChange(context.access), async (c) => {
    c.set("permitted", true);
    const body = await readBody(c, route.keys ?? [], route.message ? context.maxMessage : 0);
    if (!(body instanceof Response)) c.set("body", body);
    return body instanceof Response ? body : route.answer(c, control, body, context);
  });
}

function allowed(path: string): string {
  const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
}

const REFUSALS = { invalid: 400, too_large: 413, unknown: 404, conflict: 409 } as const;

/** Why an ask has no answer, as a status. */
const ASK_FAILURES = {
  nobody: 404,
  ended: 409,
  refused: 422,
  busy: 429,
  unreachable: 503,
  timeout: 504,
} as const;

function failed(error: Error, c: Context<Env>): Response {
  if (error instanceof QueryError) return c.json({ error: error.message }, 400);
  if (error instanceof WorkerSilent) return c.json({ error: error.message, worker: error.worker }, 503);
  if (error instanceof Refusal) return c.json({ error: error.message }, REFUSALS[error.kind]);
  if (error instanceof AskFailed)
    return c.json({ error: error.message, code: error.code }, ASK_FAILURES[error.code]);
  const { method, path } = c.req;
  if (adminFailures.hasSubscribers) adminFailures.publish({ method, path, error });
  return c.json({ error: "internal error: see the log of the server" }, 500);
}
