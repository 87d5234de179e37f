/** The table of routes as a hono app, once for each door. */
import { type Context, Hono } from "hono";
import type { Control } from "../../control/control.js";
import { Refusal, WorkerSilent } from "../../control/errors.js";
import { checkChange, checkHost, checkReading, type Env } from "../access/guard.js";
import { adminFailures } from "../events.js";
import type { Room } from "../routes/context.js";
import type { Route } from "../routes/route.js";
import { ROUTES } from "../routes/routes.js";
import { readBody } from "./body.js";
import { QueryError, readQuery } from "./query.js";

export function adminApp(control: Control, room: Room): Hono<Env> {
  const { door } = room;
  const app = new Hono<Env>();
  const routes = ROUTES.filter(({ local = false }) => !local || door.kind === "control");
  app.use(checkHost(door));
  for (const route of routes) {
    if (route.method === "GET") addReading(app, route, control, room);
    else addChange(app, route, control, room);
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = allowed(path);
    app.all(path, (c) => c.json({ error: `${path} takes ${allow}` }, 405, { allow }));
  }
  app.notFound((c) => c.json({ error: "no such route: GET / lists them" }, 404));
  app.onError(failed);
  return app;
}

function addReading(app: Hono<Env>, route: Route, control: Control, room: Room): void {
  const { open = false, query = [] } = route;
  app.get(route.path, checkReading(room.door, open), (c) => {
    // Whoever scrapes may send a query of its own to a route that is open to all.
    if (!open) readQuery(c.req.url, query);
    return route.answer(c, control, {}, room);
  });
}

function addChange(app: Hono<Env>, route: Route, control: Control, room: Room): void {
  app.post(route.path, checkChange(room.door), async (c) => {
    const body = await readBody(c, route.keys ?? []);
    return body instanceof Response ? body : route.answer(c, control, body, room);
  });
}

function allowed(path: string): string {
  const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
}

const REFUSALS = { invalid: 400, unknown: 404, conflict: 409 } as const;

function failed(error: Error, c: Context<Env>): Response {
  if (error instanceof QueryError) return c.json({ error: error.message }, 400);
  if (error instanceof WorkerSilent) return c.json({ error: error.message, worker: error.worker }, 503);
  if (error instanceof Refusal) return c.json({ error: error.message }, REFUSALS[error.kind]);
  const { method, path } = c.req;
  if (adminFailures.hasSubscribers) adminFailures.publish({ method, path, error });
  return c.json({ error: "this failed inside of the server: see its log" }, 500);
}
