/** `drover health`: liveness or readiness as an exit code, for the health check of a container. */
import { EXIT } from "../../../config/config.js";
import type { Readiness } from "../../../control/program.js";
import { plural } from "../../../text/plural.js";
import { getAnswer } from "../../client/client.js";
import type { Invocation, Outcome } from "../../command.js";
import { jsonText } from "../../terminal/json.js";

export async function health({ target, switches, json }: Invocation): Promise<Outcome> {
  const { value } = await getAnswer(target, switches.has("ready") ? "/ready" : "/health");
  const { ok, status, workers } = value as Readiness;
  const text = json ? jsonText(value) : `${status}, ${plural(workers, "worker")}\n`;
  return { text, exitCode: ok ? EXIT.ok : EXIT.failed };
}
