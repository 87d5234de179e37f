/** What a worker is told before it begins. */

import type { Boot } from "../channel/messages.js";
import type { PrimaryOptions } from "./options.js";

/** What may be different for each worker, and each time that one is started. */
type Present = Pick<
  Boot,
  "worker" | "serial" | "maxConnections" | "ceiling" | "mark" | "followed" | "suspended"
>;

export function bootMessage(
  present: Present,
  { config, protocol, transport, color, log }: PrimaryOptions,
): Boot {
  return {
    ...present,
    name: config.name,
    protocol: { url: protocol.url, bundled: protocol.bundled },
    transport,
    backlog: config.backlog,
    shutdown: config.shutdown,
    idle: config.idleTimeout,
    timed: config.handlerLatency === "on",
    watchdog: config.watchdog,
    lagWarning: config.lagWarning,
    intensity: config.maxRestarts,
    period: config.maxSeconds,
    log: { level: log.level, format: config.logFormat, color, file: config.logFile },
  };
}
