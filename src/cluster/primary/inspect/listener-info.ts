/** What `drover info` and `/stats` say about a listener. */
import type { ListenerInfo } from "../../../control/program.js";
import type { ListenerNumbers, ListenerStats } from "../../../control/stats.js";
import type { AcceptQueues } from "../../../telemetry/metrics/series/series-row.js";
import type { PrimaryListener } from "../primary-listener.js";

export function listenerInfo(listener: PrimaryListener): ListenerInfo {
  return { ...facts(listener), maxConnections: listener.maxConnections ?? null };
}

/** @param numbers of this listener over all workers */
export function listenerStats(
  listener: PrimaryListener,
  numbers: ListenerNumbers,
  { waiting }: AcceptQueues,
): ListenerStats {
  const queue = waiting.find((one) => one.listener === listener.name);
  return { ...facts(listener), ...numbers, acceptQueue: queue?.count ?? null };
}

function facts(listener: PrimaryListener) {
  const { name, protocol, addressText: address, transport, config, suspended } = listener;
  const [tls, proxy] = [config.tls !== undefined, config.proxy !== undefined];
  return { listener: name, protocol, address, transport, tls, proxy, suspended };
}
