/**
 * The table of routes: all that can be asked of the running program from outside, the same over HTTP and over
 * the control socket. Everything that changes something is a POST; app.ts and guard.ts rely on that.
 */
import type { Context } from "hono";
import type { Control, Readiness } from "../cluster/control.js";
import { parsePid } from "../otp/pid.js";
import type { Env } from "./guard.js";

/** The members of a JSON body, already held against `keys`. */
export type Body = Readonly<Record<string, unknown>>;

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly sentence: string;
  /** The members that the body of a POST may have. */
  readonly keys?: readonly string[];
  answer(c: Context<Env>, control: Control, body: Body): Response | Promise<Response>;
}

/** Connections listed under each worker unless the caller says otherwise. */
const LISTED = 50;
const MOST_LISTED = 10_000;

export const ROUTES: readonly Route[] = [
  { method: "GET", path: "/", sentence: "This list.", answer: (c) => c.text(listing()) },
  { method: "GET", path: "/metrics", sentence: "Metrics, for Prometheus.", answer: metrics },
  {
    method: "GET",
    path: "/health",
    sentence: "200 while the program is well, else 503.",
    answer: (c, control) => readiness(c, control.health()),
  },
  {
    method: "GET",
    path: "/ready",
    sentence: "200 while clients are served, else 503.",
    answer: (c, control) => readiness(c, control.ready()),
  },
  {
    method: "GET",
    path: "/tree",
    sentence: `The tree of processes; ?connections=N lists N under each worker (${LISTED}).`,
    answer: tree,
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
  { method: "GET", path: "/info/:pid", sentence: "What one process says of itself.", answer: inspect },
  {
    method: "POST",
    path: "/kill",
    keys: ["pid", "reason"],
    sentence: 'Sends an exit signal: {"pid": "<1.17>", "reason": "kill"}.',
    answer: kill,
  },
  { method: "POST", path: "/stop", keys: [], sentence: "Begins the graceful stop.", answer: stop },
];

function listing(): string {
  const rows = ROUTES.map(({ method, path, sentence }) => {
    return `${method.padEnd(5)}${path.padEnd(12)}${sentence}`;
  });
  const post = "A POST takes application/json, and over TCP the header Authorization: Bearer TOKEN.";
  return `${["drover admin", "", ...rows, "", post].join("\n")}\n`;
}

async function metrics(c: Context<Env>, control: Control): Promise<Response> {
  const text = await control.metrics();
  return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
}

function readiness(c: Context<Env>, found: Readiness): Response {
  return c.json(found, found.ok ? 200 : 503);
}

async function tree(c: Context<Env>, control: Control): Promise<Response> {
  const asked = c.req.query("connections") ?? String(LISTED);
  const connections = /^\d{1,5}$/.test(asked) ? Number(asked) : Number.NaN;
  if (!(connections <= MOST_LISTED)) {
    return c.json({ error: `connections must be a whole number from 0 to ${MOST_LISTED}` }, 400);
  }
  return c.json(await control.tree(connections));
}

async function inspect(c: Context<Env>, control: Control): Promise<Response> {
  const pid = parsePid(c.req.param("pid") ?? "");
  if (pid === undefined) return badPid(c);
  const found = await control.inspect(pid.toString());
  return found === undefined ? noProcess(c, pid.toString()) : c.json(found);
}

async function kill(c: Context<Env>, control: Control, body: Body): Promise<Response> {
  const { pid: text, reason = "kill" } = body;
  const pid = typeof text === "string" ? parsePid(text) : undefined;
  if (pid === undefined) return badPid(c);
  // A reason ends up in reports and logs, where a line end would begin a forged line.
  if (typeof reason !== "string" || !/^[^\p{Cc}\u2028\u2029]{1,200}$/u.test(reason)) {
    return c.json({ error: "reason must be a text of 1 to 200 printable characters" }, 400);
  }
  const sent = await control.kill(pid.toString(), reason);
  return sent ? c.json({ pid: pid.toString(), reason }) : noProcess(c, pid.toString());
}

function stop(c: Context<Env>, control: Control): Response {
  control.stop();
  return c.json({ status: "stopping" }, 202);
}

function badPid(c: Context<Env>): Response {
  return c.json({ error: "not a pid: a pid looks like <1.17>" }, 400);
}

function noProcess(c: Context<Env>, pid: string): Response {
  return c.json({ error: `no process ${pid}` }, 404);
}
