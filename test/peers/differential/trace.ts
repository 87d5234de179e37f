/**
 * Traces that can be compared. What one supervisor does and sees has one order, and so have the answers of
 * one step; what two supervisors do at the same time has none, in Erlang no more than here. So the events of
 * a step are grouped by the supervisor they belong to.
 */

export interface Entry {
  readonly step: number;
  readonly time: number;
  /** The process whose business it is: `s1#1`. */
  readonly group: string;
  /** Whether it is the end of a process whose supervisor is dead: such ends come in any order. */
  readonly orphan: boolean;
  readonly line: string;
}

/** `step|time|group|attached or orphan|line` */
export function parseEntry(text: string): Entry {
  const [step, time, group = "", kind, ...line] = text.split("|");
  return { step: Number(step), time: Number(time), group, orphan: kind === "orphan", line: line.join("|") };
}

/** The calls of a step are answered in the order in which their callers happen to wake up. */
export const CALLS = "~calls";

/** A supervisor that fails to start says so and ends: which of the two its parent hears first is open. */
const FAILED_START = /^-s\d+#\d+ \{shutdown,\{failed_to_start_child/;

/** @param bursts the steps of several operations: whom they end, they end in any order */
export function canonical(entries: readonly Entry[], bursts: ReadonlySet<number>): string[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (FAILED_START.test(entry.line) || isLate(entry, entries)) continue;
    const key = [String(entry.step).padStart(3), String(entry.time).padStart(6), entry.group].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const sorted = [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.flatMap(([key, group]) => lines(group, bursts).map((line) => `${key}: ${line}`));
}

/**
 * A supervisor that is killed while it waits for a child to stop: in Erlang nobody waits any more and the
 * child lives on, ours still kills it when its time is up. What becomes of such a child is not compared.
 */
function isLate({ orphan, group, time }: Entry, entries: readonly Entry[]): boolean {
  if (!orphan) return false;
  const end = entries.find((entry) => entry.line.startsWith(`-${group} `));
  return end !== undefined && end.time < time;
}

/** Erlang lists dynamic children as its maps happen to lie; only static ones have an order. */
function unordered(line: string): string {
  const [call = "", ...children] = line.split(" undefined=");
  return [call, ...children.sort()].join(" undefined=");
}

function lines(group: readonly Entry[], bursts: ReadonlySet<number>): string[] {
  const name = group[0]?.group ?? "";
  if (name === CALLS) return group.map(({ line }) => unordered(line)).sort();
  const result: string[] = [];
  let loose: string[] = [];
  for (const { line, orphan, step } of group) {
    // Dynamic children are stopped all at once, and their reports come as Erlang's maps happen to lie.
    const atOnce = line.startsWith("-") && (name.startsWith("d") || bursts.has(step));
    if (orphan || atOnce || /^shutdown_error \d/.test(line)) loose.push(line);
    else {
      result.push(...loose.sort(), line);
      loose = [];
    }
  }
  return [...result, ...loose.sort()];
}
