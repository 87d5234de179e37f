/** The table of routes as a hono app, once for each door. */
import { Hono } from "hono";
import type { Control } from "../cluster/control.js";
import { readBody } from "./body.js";
import { adminFailures } from "./events.js";
import { checkChange, checkHost, type Door, type Env } from "./guard.js";
import { ROUTES, type Route } from "./routes.js";

export function adminApp(control: Control, door: Door): Hono<Env> {
  const app = new Hono<Env>();
  app.use(checkHost(door));
  for (const route of ROUTES) {
    if (route.method === "GET") app.get(route.path, (c) => route.answer(c, control, {}));
    else addChange(app, route, control, door);
  }
  for (const path of new Set(ROUTES.map((route) => route.path))) {
    const allow = allowed(path);
    app.all(path, (c) => c.json({ error: `${path} takes ${allow}` }, 405, { allow }));
  }
  app.notFound((c) => c.json({ error: "no such route: GET / lists them" }, 404));
  app.onError((error, c) => {
    const { method, path } = c.req;
    if (adminFailures.hasSubscribers) adminFailures.publish({ method, path, error });
    return c.json({ error: "this failed inside of the server: see its log" }, 500);
  });
  return app;
}

function addChange(app: Hono<Env>, route: Route, control: Control, door: Door): void {
  app.post(route.path, checkChange(door), async (c) => {
    const body = await readBody(c, route.keys ?? []);
    return body instanceof Response ? body : route.answer(c, control, body);
  });
}

function allowed(path: string): string {
  const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
}
