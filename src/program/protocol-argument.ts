/** The protocol on the command line of `start` and `check`. */
import { ConfigError, EXIT, type Loaded } from "../config/config.js";

/** Protocol of the listener `main` when the command line names none. */
export const DEFAULT_PROTOCOL = "echo";

/** @throws ConfigError (64) when the listeners of the configuration file name their protocols as well */
export function refuseTwoProtocols(
  named: string | undefined,
  { listenersPlace }: Pick<Loaded, "listenersPlace">,
): void {
  if (named === undefined || listenersPlace === undefined) return;
  throw new ConfigError(
    EXIT.usage,
    `the argument ${JSON.stringify(named)} and ${listenersPlace} both name protocols: remove one of them`,
  );
}
