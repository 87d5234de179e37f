/** Facts about one process, for `drover info PID`. */
import type { Process } from "../../otp/process/process.js";
import { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { Supervisor } from "../../otp/supervisor/supervisor.js";
import { Connection } from "../../tcp/connection/connection.js";
import { Listener } from "../../tcp/listener/listener.js";
import { Reconnector } from "../../tcp/outgoing/reconnector.js";
import { formatFlags } from "./tree.js";

export function processInfo(process: Process): Record<string, unknown> {
  const { pid, label, messageQueueLength, links, parent, trapExit } = process;
  const common = { pid: pid.toString(), label, parent: parent?.pid.toString() };
  if (process instanceof Connection || process instanceof Listener || process instanceof Reconnector)
    return { ...common, ...process.inspect() };
  const own =
    process instanceof Supervisor
      ? { flags: formatFlags(process), restartsLeft: process.restartsLeft }
      : process instanceof DynamicSupervisor
        ? { active: process.active, maxChildren: process.maxChildren }
        : {};
  return { ...common, ...own, messageQueueLength, links: links.map(String), trapExit };
}
