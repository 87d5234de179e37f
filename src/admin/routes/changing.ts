/** The routes that change something: every one a POST; app.ts and guard.ts rely on that. */
import type { Context } from "hono";
import type { Control } from "../../control/control.js";
import { parsePid } from "../../otp/process/pid.js";
import type { Env } from "../access/guard.js";
import { type Body, badPid, noProcess, type Route } from "./route.js";

export const CHANGING: readonly Route[] = [
  {
    method: "POST",
    path: "/kill",
    keys: ["pid", "reason"],
    sentence: 'Sends an exit signal: {"pid": "<1.17>", "reason": "kill"}.',
    answer: kill,
  },
  { method: "POST", path: "/stop", keys: [], sentence: "Begins the graceful stop.", answer: stop },
];

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
