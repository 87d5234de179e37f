/** Options of the cluster over NATS: from the configuration, and where the NATS client is installed. */
import { dirname, resolve } from "node:path";
import { protocolsOf } from "../cluster/release/releases.js";
import { type Config, EXIT, takeNatsAccess } from "../config/config.js";
import { ConfigError } from "../config/errors.js";
import { ClientPackageError, findClient } from "../exchange/nats/client-package.js";
import type { NodesOptions } from "../exchange/nodes/options.js";

/**
 * @param fallback protocol of a listener that names none
 * @returns `undefined` without `--nats`
 * @throws ConfigError (78) when the client is missing, or its credentials or files are wrong
 */
export function clusterNodes(config: Config, fallback: string, cwd: string): NodesOptions | undefined {
  const access = takeNatsAccess(config);
  if (!access) return undefined;
  const { cluster, node, nodeTimeout, maxMessage } = config;
  const outside = config.outside === "on";
  const protocols = [...protocolsOf(config.listeners, fallback).keys()];
  // A built-in protocol has no path; then the client may lie where the server is started.
  const folders = [...protocols.map((named) => dirname(resolve(cwd, named))), cwd];
  try {
    const nats = { ...access, client: findClient(folders) };
    return { nats, cluster, node, nodeTimeout, outside, maxMessage };
  } catch (error) {
    if (!(error instanceof ClientPackageError)) throw error;
    throw new ConfigError(EXIT.badConfig, error.message);
  }
}
