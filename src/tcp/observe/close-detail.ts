/**
 * What ended a connection, in words, beside its exit reason: for the log. Not part of the reason, which monitors and
 * links compare, and no field of the connection, where it would cost 8 bytes each.
 */
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { CloseReason } from "./events.js";

const details = new WeakMap<object, string>();

/** An exit reason that is counted as `reason`. @param detail one line */
export function detailed(reason: CloseReason, detail: string): ExitReason {
  const made = { shutdown: reason };
  details.set(made, detail);
  return made;
}

export function detailOf(reason: ExitReason): string | undefined {
  return typeof reason === "object" ? details.get(reason) : undefined;
}
