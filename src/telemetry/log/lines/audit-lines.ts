/** Audit lines: one for each change of the running program from outside, done or refused. */
import { type AdminChange, adminChanges } from "../../../admin/events.js";
import type { Fields } from "../fields.js";
import { MAX_TERM, textOr, truncate } from "../safe-text.js";
import type { LogEntry, LogSource } from "./log-entry.js";

/** Written at every minimum level but `silent`: raising the level must not hide later changes. */
export const AUDIT_SOURCE: LogSource = { channel: adminChanges, maxLevel: "fatal", entry: auditEntry };

/** Messages from outside may be part of the traffic, hundreds a second; other changes are the work of an operator. */
const MESSAGES: readonly string[] = ["ask", "publish"];
const MESSAGE_LIMIT = { lines: 10, windowMs: 1_000 };
const CHANGE_LIMIT = { lines: 100, windowMs: 1_000 };

function auditEntry(change: AdminChange): LogEntry {
  const { action, via, by, address, result, error } = change;
  const request = shown(change.request);
  const what = [action, ...Object.values(request)].join(" ");
  const from = address === undefined ? "" : ` at ${address}`;
  return {
    level: result === "ok" ? "info" : "warn",
    message: `audit: ${what}: ${result}${error === undefined ? "" : ` (${error})`}, asked by ${by}${from} over ${via.replace("_", " ")}`,
    fields: () => fieldsOf(change, request),
    kind: `audit ${action} ${result}`,
    limit: MESSAGES.includes(action) ? MESSAGE_LIMIT : CHANGE_LIMIT,
    always: true,
  };
}

function fieldsOf(change: AdminChange, request: Fields): Fields {
  const { action, via, by, address, client, result, status, error, durationMs } = change;
  return {
    audit: action,
    ...{ request, via, by },
    ...(address !== undefined && { address }),
    ...(client !== undefined && { client: truncate(client, MAX_TERM) }),
    result,
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error: truncate(error, MAX_TERM) }),
    durationMs,
  };
}

/** Texts and numbers as they are, other values as JSON; each is truncated. */
function shown(request: Fields): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(request).map(([name, value]) => [
      name,
      typeof value === "number" || typeof value === "boolean" ? value : truncate(textOf(value), MAX_TERM),
    ]),
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : textOr("unprintable", () => JSON.stringify(value));
}
