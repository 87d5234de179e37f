/** State of a process as bounded text, for `drover state`. */
import { inspect } from "node:util";
import type { StateView } from "../../control/tree.js";
import type { Process } from "../../otp/process/process.js";
import { processInfo } from "./process-info.js";
import { MAX_DEPTH, MAX_ELEMENTS, shownCopy } from "./shown-copy.js";

const MAX_CHARACTERS = 16 * 1024;
const MAX_MESSAGE_CHARACTERS = 400;
/** Of a copy that is small: `shown-copy.ts`. */
const INSPECT_OPTIONS = {
  depth: MAX_DEPTH,
  maxArrayLength: MAX_ELEMENTS + 1,
  maxStringLength: Number.POSITIVE_INFINITY,
  breakLength: 100,
};

/**
 * State of a process, read without sending it a message: a process that waits inside a handler is shown as well.
 * What its `formatStatus` hides stays hidden.
 * @param fields of the status, besides its own
 */
export function stateView(process: Process, fields: Readonly<Record<string, string>> = {}): StateView {
  const { state: own, ...more } = process.systemStatus;
  const { pid, label, state, ...rest } = processInfo(process) as {
    pid: string;
    label?: string;
    state?: string;
  };
  const data = isStateAndData(own) ? own.data : own;
  const name = isStateAndData(own) ? own.state : state;
  const log = process.sys?.loggedEvents.map((event) => formatValue(event, MAX_MESSAGE_CHARACTERS)) ?? [];
  const others = Object.entries(more).map(([key, value]) => [key, formatValue(value)]);
  return {
    pid,
    name: label ?? process.label,
    ...(name === undefined ? {} : { state: name }),
    data: formatValue(data),
    status: {
      ...rest,
      status: process.sys?.suspended ? "suspended" : process.busy ? "waiting" : "running",
      ...Object.fromEntries(others),
      ...fields,
      // The last messages, when `sys.log` is on.
      ...(log.length > 0 && { log }),
    },
  };
}

/** The default status of a state machine. */
function isStateAndData(value: unknown): value is { state: string; data: unknown } {
  if (typeof value !== "object" || value === null) return false;
  return "data" in value && "state" in value && typeof value.state === "string";
}

/** A value as `util.inspect` shows it, cut. A custom inspect function of its class may throw. */
export function formatValue(value: unknown, maxCharacters = MAX_CHARACTERS): string {
  try {
    const text = inspect(shownCopy(value), INSPECT_OPTIONS);
    return text.length > maxCharacters
      ? `${text.slice(0, maxCharacters)}… (+${text.length - maxCharacters})`
      : text;
  } catch {
    return "cannot be shown";
  }
}
