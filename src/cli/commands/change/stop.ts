/** `drover stop`: stops the server gracefully and waits for its end. */
import { post } from "../../client/client.js";
import { serverShutdown } from "../../client/server-shutdown.js";
import { waitUntilGone } from "../../client/wait-until-gone.js";
import type { Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";

/** Milliseconds on top of the server's --shutdown: for everything that ends besides connections. */
const TIMEOUT = 30_000;

export async function stop({ target }: Invocation): Promise<string> {
  const timeout = (await serverShutdown(target)) + TIMEOUT;
  await post(target, "/stop", {});
  if (await waitUntilGone(target, AbortSignal.timeout(timeout))) return "stopped\n";
  throw new CommandError(`drover "${target.name}" is still stopping after ${timeout / 1000} s: see its log`);
}
