/** Kinds of exit reasons, for the rate limit of log lines. */
import { types } from "node:util";
import { errorPart } from "../../../otp/process/exit-reason.js";
import { textOr } from "../safe-text.js";

/**
 * Rate-limit key of an exit reason. Only identifiers that programs choose count as kinds of their own: a reason
 * that quotes what a client sent would otherwise be a new kind each time.
 */
export function reasonClass(reason: unknown): string {
  return textOr("unprintable", () => readReasonClass(reason));
}

function readReasonClass(reason: unknown): string {
  if (reason instanceof Error) return errorPart(reason, "name").slice(0, 40);
  if (typeof reason === "string") return reason.length <= 40 && /^[a-z]\w*$/.test(reason) ? reason : "text";
  if (typeof reason !== "object" || reason === null) return typeof reason;
  if (Array.isArray(reason)) return "array";
  // Of a text its characters are keys.
  if (types.isBoxedPrimitive(reason)) return "boxed";
  const [tag = ""] = Object.keys(reason);
  const why = Object.getOwnPropertyDescriptor(reason, tag)?.value;
  return `${tag.slice(0, 40)} ${typeof why === "string" ? reasonClass(why) : typeof why}`;
}
