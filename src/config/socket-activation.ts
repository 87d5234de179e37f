/**
 * A listening socket that was made by whoever started the program, as systemd does for a socket unit
 * (sd_listen_fds): `LISTEN_FDS` descriptors from 3 on, meant for the OS process `LISTEN_PID` alone.
 */
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import type { Origins } from "./options/help.js";
import type { Environment } from "./options/options.js";

const FIRST = 3;
const ADDRESS = ["port", "host"] as const;

/**
 * @param osPid of this OS process
 * @returns the descriptor, or `undefined` when there is none for this OS process
 * @throws ConfigError (78) when there are several, or an address was given beside it
 */
export function inheritedSocket(env: Environment, osPid: number, origins: Origins): number | undefined {
  const { LISTEN_PID: forPid, LISTEN_FDS: count } = env;
  // The variables of an ancestor: its descriptors are not ours.
  if (count === undefined || forPid !== String(osPid)) return undefined;
  if (count !== "1")
    throw refusal(count, "drover takes one socket: write one ListenStream= in the socket unit");
  const given = ADDRESS.filter((key) => origins[key] !== "default");
  if (given.length === 0) return FIRST;
  throw refusal(count, `the socket has its address already: leave out ${given.join(" and ")}`);
}

function refusal(count: string, advice: string): ConfigError {
  return new ConfigError(EXIT.badConfig, `LISTEN_FDS=${count}: ${advice}`);
}
