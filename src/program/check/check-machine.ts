/** Limits of the machine: descriptors, and the backlog that the kernel allows. */
import { readFileSync } from "node:fs";
import { type Config, type ListenerConfig, workerCount } from "../../config/config.js";
import { plural } from "../../text/plural.js";
import { connectionRoom } from "../descriptor-limit.js";
import type { Finding } from "./finding.js";

/** A total below this is a warning. */
const FEW = 10_000;

export function checkDescriptorLimit(config: Config, limit: number): Finding {
  const what = "descriptors";
  if (limit === 0)
    return { what, verdict: "warning", text: "the limit of open files is unknown on this system" };
  const workers = workerCount(config);
  const most = workers * connectionRoom(limit);
  const text = `${limit} for each OS process: up to ${most} connections with ${plural(workers, "worker")}`;
  if (config.maxConnections !== "auto" || most >= FEW) return { what, verdict: "ok", text };
  const mend = "ulimit -Hn 65536 as root, or LimitNOFILE=65536 in the systemd unit";
  return { what, verdict: "warning", text, mend };
}

/** The longest backlog of the listeners. */
export function checkBacklog(listeners: readonly ListenerConfig[]): Finding {
  const wanted = Math.max(...listeners.map(({ backlog }) => backlog));
  const what = "backlog";
  const most = somaxconn();
  if (most === undefined) return { what, verdict: "ok", text: `${wanted}` };
  if (wanted <= most) return { what, verdict: "ok", text: `${wanted}; the kernel allows ${most}` };
  const text = `${wanted} requested, but the kernel allows only ${most}`;
  return { what, verdict: "warning", text, mend: `sudo sysctl -w net.core.somaxconn=${wanted}` };
}

function somaxconn(): number | undefined {
  try {
    return Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"));
  } catch {
    return undefined;
  }
}
