/**
 * Options from the environment. The prefix DROVER_ is reserved, so an unknown name is a typing mistake and is
 * refused like an unknown flag.
 */

import { TOKEN_VARIABLE } from "../admin-token.js";
import { ConfigError } from "../errors.js";
import { EXIT } from "../exit-codes.js";
import { NATS_VARIABLES } from "../nats-access.js";
import { OPTIONS } from "../options/options.js";
import type { Environment } from "../options/row.js";
import { didYouMean } from "../options/suggest.js";
import { readText, type SettingMap } from "../options/value.js";

const SECRETS: readonly string[] = [TOKEN_VARIABLE, ...NATS_VARIABLES];
const BY_ENV = new Map(OPTIONS.map((option) => [option.env, option]));

/**
 * @param allowed names with the prefix DROVER_ that are ignored.
 * @throws ConfigError (78) for an unknown name, an empty or a wrong value.
 */
export function readEnvironment(env: Environment, allowed: readonly string[], cwd: string): SettingMap {
  const settings: SettingMap = new Map();
  const names = Object.keys(env).filter((name) => name.startsWith("DROVER_") && !allowed.includes(name));
  // Sorted, so that the same one of several mistakes is reported each time.
  for (const name of names.sort()) {
    const raw = env[name];
    if (raw === undefined) continue;
    refuseServiceLink(name, raw);
    // Secrets are no options: admin-token.ts and nats-access.ts read them.
    if (SECRETS.includes(name)) continue;
    const option = BY_ENV.get(name);
    if (option === undefined) {
      throw badConfig(
        `unknown environment variable ${name}${didYouMean(name, [...BY_ENV.keys(), ...SECRETS])}`,
      );
    }
    if (raw === "") throw badConfig(`${name} is empty: expected ${option.kind.expected}, or unset it`);
    settings.set(option.key, readText(option, { raw, place: name, exitCode: EXIT.badConfig, folder: cwd }));
  }
  return settings;
}

/**
 * For a Service named "drover", Kubernetes sets DROVER_PORT=tcp://10.0.0.1:2222 and a dozen similar variables in
 * every pod. The message says where such a value comes from.
 */
function refuseServiceLink(name: string, raw: string): void {
  const isLink = /^DROVER_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))/.test(name) || /^(tcp|udp):\/\//.test(raw);
  if (!isLink) return;
  throw badConfig(
    `${name}=${raw} was set by Kubernetes for a Service named drover: ` +
      "put enableServiceLinks: false in the pod, or rename the Service",
  );
}

function badConfig(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}
