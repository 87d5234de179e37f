/** The routes by which the running program is steered: whether it accepts, with how many workers, what it logs. */
import type { Context } from "hono";
import { didYouMean, OPTIONS } from "../../config/config.js";
import { MAX_WORKERS } from "../../config/limits.js";
import type { Control, LogLevel } from "../../control/control.js";
import type { Env } from "../access/guard.js";
import type { Body, Route } from "./route.js";

export const STEERING: readonly Route[] = [
  {
    method: "POST",
    path: "/suspend",
    keys: ["listener"],
    sentence: 'Accepts nobody any more; clients wait in the kernel: {"listener": "main"}, or {} for all.',
    answer: (c, control, body) => accepting(c, body, (listener) => control.suspend(listener)),
  },
  {
    method: "POST",
    path: "/resume",
    keys: ["listener"],
    sentence: "Accepts again, also after a drain.",
    answer: (c, control, body) => accepting(c, body, (listener) => control.resume(listener)),
  },
  {
    method: "GET",
    path: "/drain",
    sentence: "How far the drain is.",
    answer: (c, control) => c.json(control.draining()),
  },
  {
    method: "POST",
    path: "/drain",
    keys: ["deadlineMs"],
    sentence: 'Accepts nobody any more and waits until nobody is connected: {"deadlineMs": 25000}.',
    answer: drain,
  },
  {
    method: "POST",
    path: "/scale",
    keys: ["workers"],
    sentence: 'Runs so many workers: {"workers": 4}. Answers when they serve, or the others are gone.',
    answer: scale,
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
    sentence: 'Logs more or less from now on: {"level": "debug"}.',
    answer: log,
  },
];

/** How long connections may go on unless the caller says otherwise, in milliseconds. */
const DEADLINE = 25_000;
/** Beyond this the platform's timers fire at once. */
const LONGEST = 2 ** 31 - 1;

async function accepting(
  c: Context<Env>,
  { listener }: Body,
  change: (listener: string | undefined) => Promise<unknown>,
): Promise<Response> {
  if (listener !== undefined && typeof listener !== "string")
    return c.json({ error: "listener must be the name of a listener" }, 400);
  return c.json(await change(listener));
}

function drain(c: Context<Env>, control: Control, { deadlineMs = DEADLINE }: Body): Response {
  if (!Number.isInteger(deadlineMs) || (deadlineMs as number) < 0 || (deadlineMs as number) > LONGEST)
    return c.json({ error: `deadlineMs must be whole milliseconds from 0 to ${LONGEST}` }, 400);
  return c.json(control.drain(deadlineMs as number), 202);
}

async function scale(c: Context<Env>, control: Control, { workers }: Body): Promise<Response> {
  if (!Number.isInteger(workers) || (workers as number) < 1 || (workers as number) > MAX_WORKERS)
    return c.json({ error: `workers must be a whole number from 1 to ${MAX_WORKERS}` }, 400);
  // Connections of a worker that goes may take their time, and nothing is sent meanwhile.
  c.env.incoming.socket.setTimeout(0);
  return c.json(await control.scale(workers as number));
}

const LEVELS = OPTIONS.find(({ key }) => key === "logLevel")!.kind.words;

function log(c: Context<Env>, control: Control, { level }: Body): Response {
  if (typeof level !== "string" || !LEVELS.includes(level)) {
    const hint = typeof level === "string" ? didYouMean(level, LEVELS) : "";
    return c.json({ error: `level must be one of ${LEVELS.join(", ")}${hint}` }, 400);
  }
  control.logLevel(level as LogLevel);
  return c.json({ level });
}
