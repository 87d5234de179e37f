/** `drover scale`: changes the number of workers. */
import { EXIT } from "../../../config/config.js";
import { MAX_WORKERS } from "../../../config/limits.js";
import type { Scaled } from "../../../control/program.js";
import { plural } from "../../../text/plural.js";
import { post } from "../../client/client.js";
import { serverShutdown } from "../../client/server-shutdown.js";
import type { Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";

/** Response timeout: a worker that is removed drains for up to 25 s, a new one has 20 s to start. */
const TIMEOUT = 60_000;

export async function scale({ target, positionals: [text = ""], json }: Invocation): Promise<string> {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new CommandError(
      `not a number of workers: ${JSON.stringify(text)}: expected 1 to ${MAX_WORKERS}`,
      EXIT.usage,
    );
  const timeout = target.timeout ?? TIMEOUT + (await serverShutdown(target));
  const scaled = (await post({ ...target, timeout }, "/scale", { workers: Number(text) })) as Scaled;
  if (json) return jsonText(scaled);
  const { before, workers } = scaled;
  if (before === workers) return `${plural(workers, "worker")}, unchanged\n`;
  return `${plural(workers, "worker")}, previously ${before}\n`;
}
