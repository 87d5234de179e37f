/** Log lines of a protocol, from `conn.log` and `log`: the caller's fields, then those of the connection. */
import { format } from "node:util";
import {
  LOG_LEVELS,
  type LoggedConnection,
  type ProtocolLine,
  protocolLog,
} from "../../../tcp/observe/protocol-log.js";
import { addressText } from "../../../text/address.js";
import { errorFields, type Fields, plainFields } from "../fields.js";
import { reasonText, textOr } from "../safe-text.js";
import type { LogEntry, LogSource } from "./log-entry.js";

/** A source for each level: a level below the log's is not subscribed to. */
export const PROTOCOL_SOURCES: readonly LogSource[] = LOG_LEVELS.map((level) => ({
  channel: protocolLog[level],
  maxLevel: level,
  entry: protocolEntry,
}));

function protocolEntry({ level, connection, given }: ProtocolLine): LogEntry {
  const [first, ...rest] = given;
  const message = typeof first === "string" ? given : rest;
  return {
    level,
    message: textOr("unprintable", () =>
      message.length > 0 ? format(...message) : first instanceof Error ? reasonText(first) : "",
    ),
    fields: () => ({ ...callerFields(first), ...(connection && connectionFields(connection)) }),
  };
}

/** As pino: an error alone is the field `err`. */
function callerFields(first: unknown): Fields {
  if (first instanceof Error) return { err: errorFields(first) };
  return typeof first === "object" && first !== null ? plainFields(first as Fields) : {};
}

function connectionFields({ pid, label, state, peer }: LoggedConnection): Fields {
  return { pid: String(pid), protocol: label, state, peer: addressText(peer.address, peer.port) };
}
