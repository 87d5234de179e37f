/** The server's own `--shutdown`: a command may run with other flags, environment and files than the server. */
import type { Explanation } from "../../config/config.js";
import { get, type Target } from "./client.js";

/** Milliseconds that each connection has to finish. @throws CommandError */
export async function serverShutdown(target: Target): Promise<number> {
  const options = (await get(target, "/config")) as readonly Explanation[];
  return Number(options.find(({ key }) => key === "shutdown")?.value ?? 0);
}
