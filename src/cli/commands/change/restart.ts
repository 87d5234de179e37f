/** `drover restart`: replaces one worker by a new one, gracefully. */
import { durationOf, EXIT } from "../../../config/config.js";
import type { Restarted } from "../../../control/program.js";
import { plural } from "../../../text/plural.js";
import { post } from "../../client/client.js";
import { serverShutdown } from "../../client/server-shutdown.js";
import type { CommandFlag, Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";

export const RESTART_FLAGS: readonly CommandFlag[] = [
  {
    name: "deadline",
    placeholder: "DURATION",
    sentence: "Tell the remaining connections to stop after this time. Default: 25s.",
  },
];

const DEADLINE = 25_000;
/** Added to the deadline: a new worker has 20 s to start. */
const START_TIME = 35_000;

export async function restart({ target, positionals, values, json }: Invocation): Promise<string> {
  const [text = ""] = positionals;
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new CommandError(
      `not the number of a worker: ${JSON.stringify(text)}: \`drover info\` lists the workers`,
      EXIT.usage,
    );
  const given = values.get("deadline");
  const deadlineMs = given === undefined ? DEADLINE : durationOf(given);
  if (deadlineMs === undefined)
    throw new CommandError(
      `--deadline: expected a duration such as 25s or 2m, got ${JSON.stringify(given)}`,
      EXIT.usage,
    );
  const timeout = target.timeout ?? deadlineMs + START_TIME + (await serverShutdown(target));
  const body = { worker: Number(text), deadlineMs };
  const restarted = (await post({ ...target, timeout }, "/restart", body)) as Restarted;
  if (json) return jsonText(restarted);
  const { worker, osPid, before, connections, stopped } = restarted;
  const ended = `${stopped} of ${plural(connections, "connection")} told to stop`;
  return `worker ${worker} restarted as OS process ${osPid}, previously ${before}; ${ended}\n`;
}
