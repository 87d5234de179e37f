/** The boot message of a worker: configuration, and the state of the program at its start. */

import { restartIntensity } from "../../config/config.js";
import type { Boot } from "../channel/messages.js";
import type { PrimaryOptions } from "./options.js";

/** Fields that differ from worker to worker and from start to start. */
type Present = Pick<
  Boot,
  "worker" | "serial" | "address" | "maxConnections" | "quota" | "reportAt" | "followed" | "suspended"
>;

export function bootMessage(
  present: Present,
  { config, protocol, transport, color, log }: PrimaryOptions,
): Boot {
  return {
    ...present,
    name: config.name,
    protocol: protocol.module,
    transport,
    backlog: config.backlog,
    shutdown: config.shutdown,
    idle: config.idleTimeout,
    timed: config.handlerLatency === "on",
    watchdog: config.watchdog,
    lagWarning: config.lagWarning,
    intensity: restartIntensity(config),
    period: config.maxSeconds,
    log: { level: log.level, format: config.logFormat, color, file: config.logFile },
  };
}
