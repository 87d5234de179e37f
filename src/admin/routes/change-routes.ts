/** Routes that change the running program. Every change is a POST; app.ts and guard.ts rely on that. */
import type { Context } from "hono";
import { didYouMean, OPTIONS } from "../../config/config.js";
import { MAX_TIMER_MS, MAX_WORKERS } from "../../config/limits.js";
import type { AskedOver, Control, LogLevel } from "../../control/control.js";
import { parsePid } from "../../otp/process/pid.js";
import type { Env } from "../access/guard.js";
import { readQuery, textOf } from "../http/query.js";
import { type Body, badPid, noProcess, type Route } from "./route.js";

export const CHANGE_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/kill",
    keys: ["pid", "reason"],
    sentence: 'Send an exit signal: {"pid": "<1.17>", "reason": "kill"}.',
    answer: kill,
  },
  { method: "POST", path: "/stop", keys: [], sentence: "Start the graceful stop.", answer: stop },
  {
    method: "POST",
    path: "/suspend",
    keys: ["listener"],
    sentence: 'Stop accepting; new connections queue in the backlog: {"listener": "main"}, or {} for all.',
    answer: (c, control, body) => setAccepting(c, body, (listener) => control.suspend(listener)),
  },
  {
    method: "POST",
    path: "/resume",
    keys: ["listener"],
    sentence: "Accept again; also cancels a drain.",
    answer: (c, control, body) => setAccepting(c, body, (listener) => control.resume(listener)),
  },
  {
    method: "GET",
    path: "/drain",
    query: ["listener"],
    sentence: "Progress of the drain, of all listeners or of ?listener=NAME.",
    answer: (c, control) => c.json(control.draining(textOf(readQuery(c.req.url, ["listener"]), "listener"))),
  },
  {
    method: "POST",
    path: "/drain",
    keys: ["deadlineMs", "listener"],
    sentence:
      'Stop accepting and wait until all connections have ended: {"deadlineMs": 25000}; with "listener" those of one.',
    answer: drain,
  },
  {
    method: "POST",
    path: "/scale",
    keys: ["workers"],
    sentence:
      'Set the number of workers: {"workers": 4}. Answers once new ones accept and removed ones have ended.',
    answer: scale,
  },
  {
    method: "POST",
    path: "/restart",
    keys: ["worker", "deadlineMs"],
    sentence:
      'Restart one worker: {"worker": 2, "deadlineMs": 25000}. Answers once its connections have ended and the next one accepts.',
    answer: restart,
  },
  {
    method: "POST",
    path: "/reload-tls",
    keys: [],
    sentence: "Read certificates and keys again; new handshakes use them. What is refused changes nothing.",
    answer: reloadTls,
  },
  {
    method: "GET",
    path: "/log",
    sentence: "Minimum log level.",
    answer: (c, control) => c.json({ level: control.loggedLevel() }),
  },
  {
    method: "POST",
    path: "/log",
    keys: ["level"],
    sentence: 'Set the minimum log level: {"level": "debug"}.',
    answer: log,
  },
];

/** Default deadline of a drain, in milliseconds. */
const DEADLINE = 25_000;

async function kill(c: Context<Env>, control: Control, body: Body): Promise<Response> {
  const { pid: text, reason = "kill" } = body;
  const pid = typeof text === "string" ? parsePid(text) : undefined;
  if (pid === undefined) return badPid(c);
  // The reason is written to reports and logs, where a line end could forge a line.
  if (typeof reason !== "string" || !/^[^\p{Cc}\u2028\u2029]{1,200}$/u.test(reason)) {
    return c.json({ error: "reason must be a text of 1 to 200 printable characters" }, 400);
  }
  const sent = await control.kill(pid.toString(), reason);
  return sent ? c.json({ pid: pid.toString(), reason }) : noProcess(c, pid.toString());
}

/** The audit has set it. */
const overOf = (c: Context<Env>) => c.get("over") as AskedOver;

function stop(c: Context<Env>, control: Control): Response {
  control.stop(overOf(c));
  return c.json({ status: "stopping" }, 202);
}

const BAD_LISTENER = { error: "listener must be the name of a listener" };

function isListenerName(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

const BAD_DEADLINE = { error: `deadlineMs must be whole milliseconds from 0 to ${MAX_TIMER_MS}` };

function isDeadline(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TIMER_MS;
}

async function setAccepting(
  c: Context<Env>,
  { listener }: Body,
  change: (listener: string | undefined) => Promise<unknown>,
): Promise<Response> {
  if (!isListenerName(listener)) return c.json(BAD_LISTENER, 400);
  return c.json(await change(listener));
}

function drain(c: Context<Env>, control: Control, { deadlineMs = DEADLINE, listener }: Body): Response {
  if (!isListenerName(listener)) return c.json(BAD_LISTENER, 400);
  if (!isDeadline(deadlineMs)) return c.json(BAD_DEADLINE, 400);
  return c.json(control.drain(deadlineMs, listener), 202);
}

async function scale(c: Context<Env>, control: Control, { workers }: Body): Promise<Response> {
  if (!Number.isInteger(workers) || (workers as number) < 1 || (workers as number) > MAX_WORKERS)
    return c.json({ error: `workers must be a whole number from 1 to ${MAX_WORKERS}` }, 400);
  // A worker that is removed drains first, and the connection is idle meanwhile.
  c.env.incoming.socket.setTimeout(0);
  return c.json(await control.scale(workers as number));
}

async function restart(
  c: Context<Env>,
  control: Control,
  { worker, deadlineMs = DEADLINE }: Body,
): Promise<Response> {
  if (!Number.isInteger(worker) || (worker as number) < 1)
    return c.json({ error: "worker must be the number of a worker" }, 400);
  if (!isDeadline(deadlineMs)) return c.json(BAD_DEADLINE, 400);
  // Its connections end first, and this one is idle meanwhile.
  c.env.incoming.socket.setTimeout(0);
  return c.json(await control.restart(worker as number, deadlineMs));
}

async function reloadTls(c: Context<Env>, control: Control): Promise<Response> {
  // A certificate and a key that do not fit are tried again for 10 s, and the connection is idle meanwhile.
  c.env.incoming.socket.setTimeout(0);
  return c.json(await control.reloadCertificates(overOf(c)));
}

const LEVELS = OPTIONS.find(({ key }) => key === "logLevel")!.kind.words;

async function log(c: Context<Env>, control: Control, { level }: Body): Promise<Response> {
  if (typeof level !== "string" || !LEVELS.includes(level)) {
    const hint = typeof level === "string" ? didYouMean(level, LEVELS) : "";
    return c.json({ error: `level must be one of ${LEVELS.join(", ")}${hint}` }, 400);
  }
  // Before the change: `silent` would suppress the line that says who asked for it.
  await c.get("tell")?.();
  control.logLevel(level as LogLevel);
  return c.json({ level });
}
