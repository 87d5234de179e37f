/** Routes that read. */
import type { Context } from "hono";
import { MAX_WORKERS } from "../../config/limits.js";
import { ADDRESS_COLUMNS, CONNECTION_COLUMNS } from "../../control/connections.js";
import type { Control } from "../../control/control.js";
import type { Readiness } from "../../control/program.js";
import { parsePid } from "../../otp/process/pid.js";
import type { Env } from "../access/guard.js";
import { integerOf, readQuery, textOf, wordOf } from "../http/query.js";
import { type Body, badPid, noProcess, type Route } from "./route.js";
import type { RouteContext } from "./route-context.js";

/** Default number of connections listed under each worker. */
const DEFAULT_LISTED = 50;
/** Default number of rows of a list. */
const DEFAULT_ROWS = 100;
const MAX_LISTED = 10_000;

const CONNECTION_NAMES = ["worker", "listener", "state", "peer", "by", "sort", "order", "limit"];

export const READ_ROUTES: readonly Route[] = [
  { method: "GET", path: "/metrics", open: true, sentence: "Metrics for Prometheus.", answer: metrics },
  {
    method: "GET",
    path: "/metrics/now",
    sentence: "The same with numbers that the workers report for this request, to measure by.",
    answer: freshMetrics,
  },
  {
    method: "GET",
    path: "/health",
    open: true,
    sentence: "Liveness: 200 while the primary and a worker run, even a blocked one; else 503.",
    answer: (c, control) => readiness(c, control.health()),
  },
  {
    method: "GET",
    path: "/ready",
    open: true,
    sentence: "Readiness: 200 while a responding worker accepts connections, else 503.",
    answer: (c, control) => readiness(c, control.ready()),
  },
  {
    method: "GET",
    path: "/tree",
    query: ["connections"],
    sentence: `Process tree; ?connections=N lists up to N connections under each worker (${DEFAULT_LISTED}).`,
    answer: tree,
  },
  {
    method: "GET",
    path: "/connections",
    query: CONNECTION_NAMES,
    sentence: `Connections as rows (up to ${DEFAULT_ROWS}), or addresses with ?by=address: ?${CONNECTION_NAMES.join(", ")}.`,
    answer: connections,
  },
  {
    method: "GET",
    path: "/stats",
    sentence: "Numbers of each worker, and totals.",
    answer: (c, control) => c.json(control.stats()),
  },
  {
    method: "GET",
    path: "/history",
    sentence: "Totals of the last 15 minutes, one row per second.",
    answer: (c, control) => c.json(control.history()),
  },
  {
    method: "GET",
    path: "/config",
    sentence: "Value and origin of every option.",
    answer: (c, control) => c.json(control.config()),
  },
  {
    method: "GET",
    path: "/info",
    sentence: "Information about the program.",
    answer: async (c, control) => c.json(await control.info()),
  },
  {
    method: "GET",
    path: "/info/:pid",
    sentence: "Information about one process.",
    answer: (c, control) => ofProcess(c, (pid) => control.inspect(pid)),
  },
  {
    method: "GET",
    path: "/state/:pid",
    sentence: "State and data of one process.",
    answer: (c, control) => ofProcess(c, (pid) => control.state(pid)),
  },
  {
    method: "GET",
    path: "/token",
    local: true,
    sentence: "The token; on the control socket only.",
    answer: (c, _control, _body, { token }) =>
      token === undefined ? c.json({ error: "there is no token" }, 404) : c.json({ token }),
  },
];

async function metrics(
  c: Context<Env>,
  _control: Control,
  _body: Body,
  context: RouteContext,
): Promise<Response> {
  return exposition(c, await context.metrics.get());
}

async function freshMetrics(
  c: Context<Env>,
  _control: Control,
  _body: Body,
  context: RouteContext,
): Promise<Response> {
  return exposition(c, await context.freshMetrics.get());
}

function exposition(c: Context<Env>, text: string): Response {
  return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
}

function readiness(c: Context<Env>, found: Readiness): Response {
  return c.json(found, found.ok ? 200 : 503);
}

async function tree(c: Context<Env>, control: Control): Promise<Response> {
  const query = readQuery(c.req.url, ["connections"]);
  return c.json(await control.tree(integerOf(query, "connections", 0, MAX_LISTED, DEFAULT_LISTED)));
}

async function connections(c: Context<Env>, control: Control): Promise<Response> {
  const query = readQuery(c.req.url, CONNECTION_NAMES);
  const worker = integerOf(query, "worker", 1, MAX_WORKERS, undefined);
  const listener = textOf(query, "listener");
  const state = textOf(query, "state");
  const peer = textOf(query, "peer");
  const filter = {
    ...(worker !== undefined && { worker }),
    ...(listener !== undefined && { listener }),
    ...(state !== undefined && { state }),
    ...(peer !== undefined && { peer }),
    limit: integerOf(query, "limit", 0, MAX_LISTED, DEFAULT_ROWS),
  };
  if (wordOf(query, "by", ["pid", "address"], "pid") === "address") {
    const sort = wordOf(query, "sort", ADDRESS_COLUMNS, "connections");
    const order = wordOf(query, "order", ["asc", "desc"], sort === "address" ? "asc" : "desc");
    return c.json(await control.addresses({ ...filter, sort, order }));
  }
  const sort = wordOf(query, "sort", CONNECTION_COLUMNS, "pid");
  const order = wordOf(query, "order", ["asc", "desc"], "asc");
  return c.json(await control.connections({ ...filter, sort, order }));
}

async function ofProcess(c: Context<Env>, ask: (pid: string) => Promise<unknown>): Promise<Response> {
  const pid = parsePid(c.req.param("pid") ?? "");
  if (pid === undefined) return badPid(c);
  const found = await ask(pid.toString());
  return found === undefined ? noProcess(c, pid.toString()) : c.json(found);
}
