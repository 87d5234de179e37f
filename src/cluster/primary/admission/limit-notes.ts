/** What an operator should know beside a change of limits. */
import type { LimitChange } from "../../../control/limits.js";
import { plural } from "../../../text/plural.js";
import { type PresentLimits, SERVER } from "./present-limits.js";

type Changes = LimitChange["changes"];

/** @param now connections that are open, and the limits after the change */
export function changeNotes(
  changes: Changes,
  { open, limits }: { readonly open: number; readonly limits: PresentLimits },
): string[] {
  const names = new Set(changes.map(({ limit }) => limit));
  const notes: string[] = [];
  const maximum = limits.maxConnections(SERVER);
  if (
    changes.some(({ limit, listener }) => limit === "max-connections" && listener === null) &&
    open > maximum
  )
    notes.push(
      `${plural(open, "connection")} are open: they go on, and new clients wait until fewer than ${maximum} are`,
    );
  if (names.has("allow") || names.has("deny"))
    notes.push("open connections go on: it counts for new clients");
  for (const { limit, listener, value } of changes) {
    if (limit !== "address-ban" || !value || limits.addresses(listener ?? SERVER) !== undefined) continue;
    notes.push("address-ban has no effect without max-per-address or address-rate: set one of them");
  }
  return notes;
}
