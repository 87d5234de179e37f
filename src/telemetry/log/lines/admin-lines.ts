/** Log lines of the admin server: failed requests, its port and its control socket. */
import type {
  AdminFailure,
  AdminPortEvent,
  ControlSocketEvent,
  DescriptorShortage,
} from "../../../admin/events.js";
import { addressText } from "../../../text/address.js";
import { errorFields } from "../fields.js";
import { MAX_TERM, reasonText, truncate } from "../safe-text.js";
import type { LogEntry } from "./log-entry.js";
import { reasonClass } from "./reason-class.js";

export function failureEntry({ method, path, error }: AdminFailure): LogEntry {
  return {
    level: "error",
    message: `admin request failed: ${method} ${path}: ${reasonText(error)}`,
    fields: () => ({
      method,
      path: truncate(path, MAX_TERM),
      ...(error instanceof Error && { err: errorFields(error) }),
    }),
    kind: `admin ${reasonClass(error)}`,
  };
}

export function controlSocketEntry({ path, failure }: ControlSocketEvent): LogEntry {
  const result = failure === undefined ? "created it again" : `cannot create it again: ${failure}`;
  return {
    level: "warn",
    message: `Control socket ${path} was removed: ${result}`,
    fields: () => ({ path }),
  };
}

export function adminPortEntry({ host, port, failure }: AdminPortEvent): LogEntry {
  const address = addressText(host, port);
  return {
    level: "warn",
    message:
      failure === undefined
        ? `admin server listens on ${address} again`
        : `admin server cannot listen on ${address} (${failure}): trying again, clients are served`,
    fields: () => ({ address }),
  };
}

export function shortageEntry({ released }: DescriptorShortage): LogEntry {
  return {
    level: "warn",
    message:
      `no file descriptor was left in the primary: ${released} that were kept for the admin server and for workers ` +
      "that start are released; clients are served; raise the limit (ulimit -n)",
    fields: () => ({ event: "descriptors_exhausted" }),
  };
}
