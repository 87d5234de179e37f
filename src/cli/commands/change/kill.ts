/** `drover kill`: sends an exit signal to a process. */
import { post } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { pidArgument } from "../pid-argument.js";

export async function kill({ target, positionals }: Invocation): Promise<string> {
  const [text = "", reason = "kill"] = positionals;
  const pid = pidArgument(text);
  await post(target, "/kill", { pid, reason });
  return `sent exit signal ${reason} to ${pid}\n`;
}
