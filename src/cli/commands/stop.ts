/** `drover stop`: stops the server gracefully and waits for its end. */
import { post } from "../client/client.js";
import { waitUntilGone } from "../client/wait-until-gone.js";
import type { Invocation } from "../command.js";
import { CommandError } from "../errors.js";

/** Milliseconds on top of --shutdown: for everything that ends besides connections. */
const TIMEOUT = 30_000;

export async function stop({ target }: Invocation): Promise<string> {
  await post(target, "/stop", {});
  const timeout = target.shutdown + TIMEOUT;
  if (await waitUntilGone(target, AbortSignal.timeout(timeout))) return "stopped\n";
  throw new CommandError(`drover "${target.name}" is still stopping after ${timeout / 1000} s: see its log`);
}
