/** Routes of limits that can be changed while the server runs. */
import type { Context } from "hono";
import type { Control } from "../../control/control.js";
import type { LimitRequest } from "../../control/limits.js";
import type { Env } from "../access/guard.js";
import { askedBy } from "../http/audit.js";
import { readQuery, textOf } from "../http/query.js";
import type { Body, Route } from "./route.js";
import type { RouteContext } from "./route-context.js";

export const LIMIT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/limits",
    query: ["listener"],
    sentence: "Limits in force and where each came from; of all, or of ?listener=NAME.",
    answer: (c, control) => c.json(control.limits(textOf(readQuery(c.req.url, ["listener"]), "listener"))),
  },
  {
    method: "POST",
    path: "/limit",
    keys: ["limit", "listener", "value", "add", "remove", "reset"],
    sentence:
      'Change a limit until the server ends: {"limit": "max-per-address", "value": 10, "listener": "main"}; lists take "add" and "remove", {"reset": true} is as configured.',
    answer: change,
  },
];

const ONE_OF = {
  error:
    'one of value, add, remove or "reset": true is expected, such as {"limit": "max-per-address", "value": 10}',
};

async function change(
  c: Context<Env>,
  control: Control,
  body: Body,
  { access }: RouteContext,
): Promise<Response> {
  const { limit, listener } = body;
  for (const [name, value] of Object.entries({ limit, listener }))
    if (value !== undefined && typeof value !== "string")
      return c.json({ error: `${name} must be a text` }, 400);
  const asked = changeOf(body);
  if (asked === undefined) return c.json(ONE_OF, 400);
  const request = { limit, listener, change: asked } as LimitRequest;
  return c.json(await control.limit(request, askedBy(c, access)));
}

function changeOf({ value, add, remove, reset }: Body): LimitRequest["change"] | undefined {
  const given = [value, add, remove, reset].filter((one) => one !== undefined);
  if (given.length !== 1) return undefined;
  if (value !== undefined) return { set: value };
  if (add !== undefined) return { add };
  if (remove !== undefined) return { remove };
  return reset === true ? "reset" : undefined;
}
