/** `drover check`: the NATS servers of the cluster. */
import { type Config, ConfigError, EXIT } from "../../config/config.js";
import { checkNats } from "../../exchange/nats/check-nats.js";
import { clusterNodes } from "../cluster-nodes.js";
import type { Finding } from "./finding.js";

/** @param fallback protocol of a listener that names none */
export async function checkCluster(config: Config, fallback: string): Promise<Finding[]> {
  const what = "nats";
  try {
    const nodes = clusterNodes(config, fallback, process.cwd());
    if (!nodes) return [];
    return (await checkNats(nodes, config.maxMessage)).map(
      ({ verdict, text }): Finding => ({
        ...{ what, verdict, text },
        ...(verdict === "wrong" && { exitCode: EXIT.badConfig }),
      }),
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ what, verdict: "wrong", text: error.message, exitCode: error.exitCode }];
  }
}
