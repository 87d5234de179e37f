/** Routes that answer with server-sent events. */
import type { Context } from "hono";
import type { Control } from "../../control/control.js";
import type { TraceLine } from "../../control/trace.js";
import { parsePid } from "../../otp/process/pid.js";
import type { Env } from "../access/guard.js";
import type { EventStream } from "../streams/event-streams.js";
import { type Body, badPid, noProcess, type Route } from "./route.js";
import type { RouteContext } from "./route-context.js";

export const STREAM_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/events",
    sentence: "Server-sent events: stats each second, and log records.",
    answer: events,
  },
  {
    method: "GET",
    path: "/trace/:pid",
    audited: true,
    sentence: "Server-sent events: trace of one process until it ends.",
    answer: trace,
  },
];

function events(c: Context<Env>, control: Control, _body: Body, context: RouteContext): Response {
  return context.streams.answer(c, (stream) => {
    context.stats.add(stream);
    control.follow(stream.signal, (record) => stream.event("record", JSON.stringify(record)));
  });
}

async function trace(
  c: Context<Env>,
  control: Control,
  _body: Body,
  context: RouteContext,
): Promise<Response> {
  const pid = parsePid(c.req.param("pid") ?? "");
  if (pid === undefined) return badPid(c);
  const closed = new AbortController();
  const early: TraceLine[] = [];
  let onLine = (line: TraceLine): void => void early.push(line);
  const found = await control.trace(pid.toString(), closed.signal, (line) => onLine(line));
  if (!found) return noProcess(c, pid.toString());
  let opened: EventStream | undefined;
  const answer = context.streams.answer(c, (stream) => {
    opened = stream;
    stream.signal.addEventListener("abort", () => closed.abort());
    onLine = (line) => send(stream, line);
    for (const line of early) onLine(line);
  });
  // Too many streams, or the client has disconnected meanwhile.
  if (opened === undefined) closed.abort();
  return answer;
}

function send(stream: EventStream, line: TraceLine): void {
  stream.event("trace", JSON.stringify(line));
  if (line.what === "end") stream.end();
}
