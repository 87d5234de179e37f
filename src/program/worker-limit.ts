/** `workers` of protocols: with more a start is refused, and `--workers auto` stays within it. */
import { limitingRelease, type Release } from "../cluster/release/release.js";
import { ConfigError, EXIT, type Loaded, workerCount } from "../config/config.js";
import { plural } from "../text/plural.js";

/**
 * The configuration with a number of workers that all protocols allow.
 * @throws ConfigError naming the place and the protocol, when more workers were set
 */
export function withWorkerLimit(loaded: Loaded, releases: readonly Release[]): Loaded {
  const { config, origins, workersSetting } = loaded;
  const limiting = limitingRelease(releases, workerCount(config));
  if (limiting === undefined) return loaded;
  const { name, workers } = limiting;
  if (config.workers === "auto")
    return {
      ...loaded,
      config: Object.freeze(Object.assign(Object.create(null), config, { workers })),
      origins: Object.freeze({ ...origins, workers: "protocol" }),
    };
  const { place, exitCode } = workersSetting ?? { place: "--workers", exitCode: EXIT.badConfig };
  throw new ConfigError(
    exitCode,
    `${place}: the protocol ${name} runs in at most ${plural(workers, "worker")}, got ${config.workers}: set ${workers}, or remove it`,
  );
}
