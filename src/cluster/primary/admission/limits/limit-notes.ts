/** What an operator should know beside a change of limits. */
import type { LimitChange } from "../../../../control/limits.js";
import { plural } from "../../../../text/plural.js";
import { activeConnections, type WorkerSlot } from "../../workers/worker-slot.js";
import { type PresentLimits, SERVER } from "./present-limits.js";

type Changes = LimitChange["changes"];

/** State after the change. */
interface Now {
  readonly slots: readonly WorkerSlot[];
  readonly limits: PresentLimits;
}

export function changeNotes(changes: Changes, { slots, limits }: Now): string[] {
  const names = new Set(changes.map(({ limit }) => limit));
  const notes: string[] = [];
  const maximum = limits.maxConnections(SERVER);
  const open = slots.reduce((sum, slot) => sum + activeConnections(slot), 0);
  if (
    changes.some(({ limit, listener }) => limit === "max-connections" && listener === null) &&
    open > maximum
  )
    notes.push(
      `${plural(open, "connection")} are open: they go on, and new clients wait until fewer than ${maximum} are`,
    );
  if (names.has("allow") || names.has("deny"))
    notes.push("open connections go on: it counts for new clients");
  if (names.has("max-memory")) notes.push(...memoryNotes(slots, limits.overload.maxMemory));
  for (const { limit, listener, value } of changes) {
    if (limit !== "address-ban" || !value || limits.addresses(listener ?? SERVER) !== undefined) continue;
    notes.push("address-ban has no effect without max-per-address or address-rate: set one of them");
  }
  return notes;
}

/** The resident size may be above the memory in use, which the worker itself compares with the limit. */
function memoryNotes(slots: readonly WorkerSlot[], limit = Infinity): string[] {
  return slots.flatMap(({ slot, last }) => {
    const resident = last?.gauges.residentBytes ?? 0;
    if (resident < limit) return [];
    return `worker ${slot} has ${Math.round(resident / 1024 / 1024)} MiB: it may stop accepting, close connections and, if that does not help, be replaced`;
  });
}
