/** The routes that read. */
import type { Context } from "hono";
import { MAX_WORKERS } from "../../config/limits.js";
import { CONNECTION_COLUMNS, type ConnectionQuery } from "../../control/connections.js";
import type { Control } from "../../control/control.js";
import type { Readiness } from "../../control/program.js";
import { parsePid } from "../../otp/process/pid.js";
import type { Env } from "../access/guard.js";
import { integerOf, readQuery, textOf, wordOf } from "../http/query.js";
import type { Room } from "./context.js";
import { type Body, badPid, noProcess, type Route } from "./route.js";

/** Connections listed under each worker unless the caller says otherwise. */
const LISTED = 50;
/** Rows of a list unless the caller says otherwise. */
const ROWS = 100;
const MOST_LISTED = 10_000;

const CONNECTION_NAMES = ["worker", "state", "peer", "sort", "order", "limit"];

export const READING: readonly Route[] = [
  { method: "GET", path: "/metrics", open: true, sentence: "Metrics, for Prometheus.", answer: metrics },
  {
    method: "GET",
    path: "/health",
    open: true,
    sentence: "200 while the program is well, else 503.",
    answer: (c, control) => readiness(c, control.health()),
  },
  {
    method: "GET",
    path: "/ready",
    open: true,
    sentence: "200 while clients are served, else 503.",
    answer: (c, control) => readiness(c, control.ready()),
  },
  {
    method: "GET",
    path: "/tree",
    query: ["connections"],
    sentence: `The tree of processes; ?connections=N lists N under each worker (${LISTED}).`,
    answer: tree,
  },
  {
    method: "GET",
    path: "/connections",
    query: CONNECTION_NAMES,
    sentence: `Connections as rows (${ROWS}): ?${CONNECTION_NAMES.join(", ")}.`,
    answer: connections,
  },
  {
    method: "GET",
    path: "/stats",
    sentence: "The numbers of every worker, and what they come to.",
    answer: (c, control) => c.json(control.stats()),
  },
  {
    method: "GET",
    path: "/history",
    sentence: "The sums of the last quarter of an hour, a row for each second.",
    answer: (c, control) => c.json(control.history()),
  },
  {
    method: "GET",
    path: "/config",
    sentence: "Every option, its value and where it came from.",
    answer: (c, control) => c.json(control.config()),
  },
  {
    method: "GET",
    path: "/info",
    sentence: "What the program says of itself.",
    answer: async (c, control) => c.json(await control.info()),
  },
  {
    method: "GET",
    path: "/info/:pid",
    sentence: "What one process says of itself.",
    answer: (c, control) => ofProcess(c, (pid) => control.inspect(pid)),
  },
  {
    method: "GET",
    path: "/state/:pid",
    sentence: "What one process holds.",
    answer: (c, control) => ofProcess(c, (pid) => control.state(pid)),
  },
  {
    method: "GET",
    path: "/token",
    local: true,
    sentence: "The token; over the control socket only.",
    answer: (c, _control, _body, { token }) =>
      token === undefined ? c.json({ error: "there is no token" }, 404) : c.json({ token }),
  },
];

async function metrics(c: Context<Env>, _control: Control, _body: Body, room: Room): Promise<Response> {
  const text = await room.metrics.get();
  return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
}

function readiness(c: Context<Env>, found: Readiness): Response {
  return c.json(found, found.ok ? 200 : 503);
}

async function tree(c: Context<Env>, control: Control): Promise<Response> {
  const query = readQuery(c.req.url, ["connections"]);
  return c.json(await control.tree(integerOf(query, "connections", 0, MOST_LISTED, LISTED)));
}

async function connections(c: Context<Env>, control: Control): Promise<Response> {
  const query = readQuery(c.req.url, CONNECTION_NAMES);
  const worker = integerOf(query, "worker", 1, MAX_WORKERS, undefined);
  const state = textOf(query, "state");
  const peer = textOf(query, "peer");
  const asked: ConnectionQuery = {
    ...(worker !== undefined && { worker }),
    ...(state !== undefined && { state }),
    ...(peer !== undefined && { peer }),
    sort: wordOf(query, "sort", CONNECTION_COLUMNS, "pid"),
    order: wordOf(query, "order", ["asc", "desc"], "asc"),
    limit: integerOf(query, "limit", 0, MOST_LISTED, ROWS),
  };
  return c.json(await control.connections(asked));
}

async function ofProcess(c: Context<Env>, ask: (pid: string) => Promise<unknown>): Promise<Response> {
  const pid = parsePid(c.req.param("pid") ?? "");
  if (pid === undefined) return badPid(c);
  const found = await ask(pid.toString());
  return found === undefined ? noProcess(c, pid.toString()) : c.json(found);
}
