/**
 * Socket activation: a listening socket inherited from systemd (sd_listen_fds). `LISTEN_FDS` descriptors starting
 * at 3, for the OS process `LISTEN_PID` only.
 */
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import type { Origins } from "./options/help.js";
import type { Environment } from "./options/options.js";

const FIRST_FD = 3;
const ADDRESS_KEYS = ["port", "host"] as const;

/**
 * @param osPid id of this OS process
 * @returns the descriptor, or `undefined` when none was passed to this OS process
 * @throws ConfigError (78) when there are several, or `port` or `host` is set as well
 */
export function inheritedSocket(env: Environment, osPid: number, origins: Origins): number | undefined {
  const { LISTEN_PID: targetPid, LISTEN_FDS: fdCount } = env;
  // Variables inherited from an ancestor: the descriptors are not for this OS process.
  if (fdCount === undefined || targetPid !== String(osPid)) return undefined;
  if (fdCount !== "1")
    throw refusal(fdCount, "drover accepts one socket: keep one ListenStream= in the socket unit");
  const given = ADDRESS_KEYS.filter((key) => origins[key] !== "default");
  if (given.length === 0) return FIRST_FD;
  throw refusal(fdCount, `the inherited socket already has an address: remove ${given.join(" and ")}`);
}

function refusal(fdCount: string, advice: string): ConfigError {
  return new ConfigError(EXIT.badConfig, `LISTEN_FDS=${fdCount}: ${advice}`);
}
