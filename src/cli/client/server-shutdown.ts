/** The server's own `--shutdown`, and that of its listeners: a command may run with other flags, environment and files than the server. */
import type { Explanation } from "../../config/config.js";
import { get, type Target } from "./client.js";

/** Longest time in ms that a listener gives its connections to finish. @throws CommandError */
export async function serverShutdown(target: Target): Promise<number> {
  const options = (await get(target, "/config")) as readonly Explanation[];
  const times = options.filter(({ key }) => key === "shutdown" || /^listeners\..*\.shutdown$/.test(key));
  return Math.max(0, ...times.map(({ value }) => Number(value)));
}
