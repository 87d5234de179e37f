/** `drover log`: shows or sets the minimum log level of the running server. */
import { get, post } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";

export async function log({ target, positionals: [level], json }: Invocation): Promise<string> {
  const answer = await (level === undefined ? get(target, "/log") : post(target, "/log", { level }));
  return json ? jsonText(answer) : `${(answer as { level: string }).level}\n`;
}
