/** The boot message of a worker: configuration, and the state of the program at its start. */

import { dirname } from "node:path";
import { restartIntensity } from "../../config/config.js";
import type { Boot, BootListener } from "../channel/boot-message.js";
import type { Admission } from "../channel/limit-terms.js";
import type { Release } from "../release/release.js";
import type { ListenerReleases } from "../release/releases.js";
import type { PrimaryOptions } from "./options.js";
import type { PrimaryListener } from "./primary-listener.js";

/** Fields that differ from worker to worker and from start to start. */
type Present = Pick<
  Boot,
  | "worker"
  | "serial"
  | "bans"
  | "maxConnections"
  | "acceptRate"
  | "overload"
  | "follow"
  | "listeners"
  | "tls"
  | "exchange"
>;

export function bootMessage(
  present: Present,
  { config, releases, color, log, guarded }: PrimaryOptions,
): Boot {
  return {
    ...present,
    primary: process.pid,
    heapReports: dirname(config.control),
    name: config.name,
    maxMessage: config.maxMessage,
    groups: releases.all.some(({ groups }) => groups),
    takeOver: config.takeOver,
    protocols: releases.all.map(({ module }) => module),
    timed: config.handlerLatency === "on",
    inspect: config.inspect !== undefined,
    watchdog: config.watchdog,
    guarded: guarded ?? true,
    lagWarning: config.lagWarning,
    intensity: restartIntensity(config),
    period: config.maxSeconds,
    log: { level: log.level, format: config.logFormat, color, file: config.logFile },
  };
}

/** One listener in the boot message. */
export function bootListener(
  { name, bound, transport, config, balance }: PrimaryListener,
  present: Pick<BootListener, "maxConnections" | "acceptRate" | "whenFull" | "suspended" | keyof Admission>,
  { releases }: Pick<PrimaryOptions, "releases">,
): BootListener {
  const { protocol, alpn, given } = releases.byListener.get(name) as ListenerReleases;
  const release = protocol ?? (alpn.values().next().value as Release);
  const indexes = [...alpn].map(([id, one]) => [id, releases.all.indexOf(one)] as const);
  return {
    ...present,
    ...balance.quota,
    name,
    address: { address: bound.address, port: bound.port },
    protocol: releases.all.indexOf(release),
    alpn:
      alpn.size === 0
        ? undefined
        : { protocols: Object.fromEntries(indexes), fallback: protocol !== undefined },
    transport,
    backlog: config.backlog,
    shutdown: config.shutdown,
    idle: config.idleTimeout,
    proxy: config.proxy,
    tlsStart: config.tls?.start,
    options: given,
  };
}
