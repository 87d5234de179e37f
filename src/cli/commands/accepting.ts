/** Commands that change how the running server serves. */
import { EXIT } from "../../config/config.js";
import { MAX_WORKERS } from "../../config/limits.js";
import type { ListenerState, Scaled } from "../../control/program.js";
import { get, post } from "../client/client.js";
import type { Asked } from "../command.js";
import { CommandError } from "../errors.js";
import { table } from "../terminal/table.js";
import { jsonText } from "./actions.js";

export function suspend(asked: Asked): Promise<string> {
  return accept("/suspend", asked);
}

export function resume(asked: Asked): Promise<string> {
  return accept("/resume", asked);
}

async function accept(path: string, { target, positionals: [listener], json }: Asked): Promise<string> {
  const body = listener === undefined ? {} : { listener };
  const states = (await post(target, path, body)) as ListenerState[];
  if (json) return jsonText(states);
  return table(states.map(({ worker, listener, state }) => [`worker ${worker}`, listener, state]));
}

/** Connections of a worker that goes may go on for 25 s; a worker that comes has 20 s to start. */
const SCALE_PATIENCE = 60_000;

export async function scale({ target, positionals: [text = ""], json }: Asked): Promise<string> {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new CommandError(
      `not a number of workers: ${JSON.stringify(text)}: expected 1 to ${MAX_WORKERS}`,
      EXIT.usage,
    );
  const patience = target.patience ?? SCALE_PATIENCE + target.shutdown;
  const done = (await post({ ...target, patience }, "/scale", { workers: Number(text) })) as Scaled;
  if (json) return jsonText(done);
  const { before, workers } = done;
  if (before === workers) return `${count(workers)} already\n`;
  return `${count(workers)}, ${before} before\n`;
}

function count(workers: number): string {
  return `${workers} worker${workers === 1 ? "" : "s"}`;
}

export async function log({ target, positionals: [level], json }: Asked): Promise<string> {
  const answer = await (level === undefined ? get(target, "/log") : post(target, "/log", { level }));
  return json ? jsonText(answer) : `${(answer as { level: string }).level}\n`;
}
