/** The routes whose answers do not end. */
import type { Context } from "hono";
import type { Control } from "../../control/control.js";
import type { TraceLine } from "../../control/trace.js";
import { parsePid } from "../../otp/process/pid.js";
import type { Env } from "../access/guard.js";
import type { Stream } from "../streams/event-streams.js";
import type { Room } from "./context.js";
import { type Body, badPid, noProcess, type Route } from "./route.js";

export const STREAMS: readonly Route[] = [
  {
    method: "GET",
    path: "/events",
    sentence: "Server-sent: the numbers of each second, and what is logged.",
    answer: events,
  },
  {
    method: "GET",
    path: "/trace/:pid",
    sentence: "Server-sent: what one process does, until it ends.",
    answer: trace,
  },
];

function events(c: Context<Env>, control: Control, _body: Body, room: Room): Response {
  return room.streams.answer(c, (stream) => {
    room.stats.add(stream);
    control.follow(stream.signal, (record) => stream.event("record", JSON.stringify(record)));
  });
}

async function trace(c: Context<Env>, control: Control, _body: Body, room: Room): Promise<Response> {
  const pid = parsePid(c.req.param("pid") ?? "");
  if (pid === undefined) return badPid(c);
  const gone = new AbortController();
  const early: TraceLine[] = [];
  let told = (line: TraceLine): void => void early.push(line);
  const found = await control.trace(pid.toString(), gone.signal, (line) => told(line));
  if (!found) return noProcess(c, pid.toString());
  let open: Stream | undefined;
  const answer = room.streams.answer(c, (stream) => {
    open = stream;
    stream.signal.addEventListener("abort", () => gone.abort());
    told = (line) => tell(stream, line);
    for (const line of early) told(line);
  });
  // There was no room for another stream, or the reader had gone by then.
  if (open === undefined) gone.abort();
  return answer;
}

function tell(stream: Stream, line: TraceLine): void {
  stream.event("trace", JSON.stringify(line));
  if (line.what === "end") stream.end();
}
