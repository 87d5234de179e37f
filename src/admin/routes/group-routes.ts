/** Routes of groups and names: lists, messages to a group, and asks to the holder of a name. */
import type { Context } from "hono";
import { durationOf } from "../../config/config.js";
import type { Control } from "../../control/control.js";
import { MAX_ASK_MS } from "../../control/groups.js";
import type { Env } from "../access/guard.js";
import { integerOf, readQuery } from "../http/query.js";
import type { Body, Route } from "./route.js";

const MAX_ROWS = 10_000;
const DEFAULT_ROWS = 100;
const DEFAULT_WITHIN = 5_000;

export const GROUP_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/groups",
    query: ["limit"],
    sentence: `Groups with most members, and their number: ?limit=N (${DEFAULT_ROWS}).`,
    answer: async (c, control) => {
      const query = readQuery(c.req.url, ["limit"]);
      return c.json(await control.groups(integerOf(query, "limit", 1, MAX_ROWS, DEFAULT_ROWS)));
    },
  },
  {
    method: "GET",
    path: "/group/:name",
    sentence: "Pids of the members of a group, and with presence their key and info: /group/room%2Fgeneral.",
    answer: async (c, control) => c.json(await control.group(c.req.param("name") ?? "")),
  },
  {
    method: "GET",
    path: "/names",
    query: ["prefix", "limit"],
    sentence: "Names and their holders: ?prefix=device/, limit.",
    answer: async (c, control) => {
      const query = readQuery(c.req.url, ["prefix", "limit"]);
      const limit = integerOf(query, "limit", 1, MAX_ROWS, DEFAULT_ROWS);
      return c.json(await control.names(query.get("prefix") ?? "", limit));
    },
  },
  {
    method: "GET",
    path: "/nodes",
    sentence: "The servers that share groups and names with this one, and the carrier between them.",
    answer: (c, control) => c.json(control.nodes()),
  },
  {
    method: "POST",
    path: "/ask",
    keys: ["name", "body", "within"],
    message: true,
    sentence:
      'Ask the holder of a name: {"name": "device/42", "body": {"op": "read"}, "within": "5s"}. Answers {"answer": …}.',
    answer: ask,
  },
  {
    method: "POST",
    path: "/publish",
    keys: ["group", "body"],
    message: true,
    sentence:
      'Send a message to a group: {"group": "room/general", "body": "hello"}. Answers {"group", "members"}, the number of its members.',
    answer: publish,
  },
];

const NO_NAME = { error: "name must be a text that is not empty" };
const NO_BODY = { error: "body is missing: any JSON value" };

async function ask(
  c: Context<Env>,
  control: Control,
  { name, body, within = DEFAULT_WITHIN }: Body,
): Promise<Response> {
  if (typeof name !== "string" || name === "") return c.json(NO_NAME, 400);
  if (body === undefined) return c.json(NO_BODY, 400);
  const ms = typeof within === "number" ? within : durationOf(String(within));
  if (ms === undefined || !(ms >= 1 && ms <= MAX_ASK_MS))
    return c.json({ error: `within must be a duration from 1ms to ${MAX_ASK_MS / 1_000}s` }, 400);
  // The connection is idle until the answer comes.
  c.env.incoming.socket.setTimeout(0);
  return c.json({ answer: shown(await control.ask(name, body, Math.round(ms))) });
}

async function publish(c: Context<Env>, control: Control, { group, body }: Body): Promise<Response> {
  if (typeof group !== "string" || group === "")
    return c.json({ error: "group must be a text that is not empty" }, 400);
  if (body === undefined) return c.json(NO_BODY, 400);
  return c.json({ group, members: await control.publish(group, body) });
}

/** Bytes are no JSON value. */
function shown(answer: unknown): unknown {
  return answer instanceof Uint8Array ? { base64: Buffer.from(answer).toString("base64") } : answer;
}
