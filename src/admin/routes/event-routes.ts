/** Routes of log records: what is kept, and what comes. */
import type { Context } from "hono";
import { MAX_WORKERS } from "../../config/limits.js";
import type { Control } from "../../control/control.js";
import { EVENT_LEVELS, type EventFilter } from "../../control/program.js";
import type { Env } from "../access/guard.js";
import { integerOf, readQuery, textOf, wordOf } from "../http/query.js";
import { RecordStream } from "../streams/record-stream.js";
import type { Body, Route } from "./route.js";
import type { RouteContext } from "./route-context.js";

const FILTER = ["level", "worker", "protocol", "text"];

export const EVENT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/records",
    query: FILTER,
    sentence: `Last warnings, reports, changes from outside and states of workers: ?${FILTER.join(", ")}.`,
    answer: (c, control) => c.json(control.events(filterOf(c))),
  },
  {
    method: "GET",
    path: "/records/follow",
    query: FILTER,
    sentence:
      "Server-sent events: these records, then each new one of the log, and how many a slow reader has lost.",
    answer: follow,
  },
];

function filterOf(c: Context<Env>): EventFilter {
  const query = readQuery(c.req.url, FILTER);
  return {
    level: wordOf(query, "level", EVENT_LEVELS, "info"),
    worker: integerOf(query, "worker", 0, MAX_WORKERS, undefined),
    protocol: textOf(query, "protocol"),
    text: textOf(query, "text"),
  };
}

function follow(c: Context<Env>, control: Control, _body: Body, context: RouteContext): Response {
  const filter = filterOf(c);
  return context.streams.answer(c, (stream) => {
    const records = new RecordStream(stream);
    control.followEvents(filter, stream.signal, (record) => records.send(record));
  });
}
