/** What a process holds, as text: for people to look at, and never too much of it. */
import { inspect as show } from "node:util";
import type { StateView } from "../../control/tree.js";
import type { Process } from "../../otp/process/process.js";
import { inspect } from "./tree.js";

const MOST_CHARACTERS = 16 * 1024;
const MOST_OF_MESSAGE = 400;
/** Data can be as large as memory: so deep, and of each thing so much. */
const SHOWN = { depth: 4, maxArrayLength: 50, maxStringLength: 1_000, breakLength: 100 } as const;

/**
 * It is looked at from outside, as it is between two of its steps: a process that waits for something in the
 * middle of a handler is shown as well. What its `formatStatus` hides stays hidden.
 */
export function stateView(process: Process): StateView {
  const { state: held, ...more } = process.systemStatus;
  const { pid, label, state, ...rest } = inspect(process) as { pid: string; label?: string; state?: string };
  const data = isStateAndData(held) ? held.data : held;
  const name = isStateAndData(held) ? held.state : state;
  const log = process.sys?.loggedEvents.map((event) => formatValue(event, MOST_OF_MESSAGE)) ?? [];
  const further = Object.entries(more).map(([key, value]) => [key, formatValue(value)]);
  return {
    pid,
    name: label ?? process.label,
    ...(name === undefined ? {} : { state: name }),
    data: formatValue(data),
    status: {
      ...rest,
      status: process.sys?.suspended ? "suspended" : process.busy ? "waiting" : "running",
      ...Object.fromEntries(further),
      // The last messages, of a process that keeps them: `sys.log`.
      ...(log.length > 0 && { log }),
    },
  };
}

/** What a state machine gives, unless it says otherwise. */
function isStateAndData(held: unknown): held is { state: string; data: unknown } {
  if (typeof held !== "object" || held === null) return false;
  return "data" in held && "state" in held && typeof held.state === "string";
}

/** As `util.inspect` shows it. What the value itself does when it is looked at may fail. */
export function formatValue(value: unknown, most = MOST_CHARACTERS): string {
  try {
    const text = show(value, SHOWN);
    return text.length > most ? `${text.slice(0, most)}… (+${text.length - most})` : text;
  } catch {
    return "cannot be shown";
  }
}
