/**
 * Traces that can be compared. What one supervisor does and sees has one order, and so have the answers of
 * one step; what two supervisors do at the same time has none, in Erlang no more than here. So the events of
 * a step are grouped by the supervisor they belong to.
 */

import type { Entry } from "../terms.js";

/** The calls of a step are answered in the order in which their callers happen to wake up. */
export const CALLS = "~calls";

/** A supervisor that fails to start says so and ends: which of the two its parent hears first is open. */
const FAILED_START = /^-s\d+#\d+ \{shutdown,\{failed_to_start_child/;

/**
 * @param bursts the steps of several operations. Whom they end, they end in any order: once in some thousand
 *   times the emulator puts an exiting process off behind the next (alone, the same scenario keeps its order).
 */
export function canonical(entries: readonly Entry[], bursts: ReadonlySet<number>): string[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (FAILED_START.test(entry.line)) continue;
    const key = [String(entry.step).padStart(3), String(entry.time).padStart(6), entry.group].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const sorted = [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.flatMap(([key, group]) => lines(group, bursts).map((line) => `${key}: ${line}`));
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
  const open: string[] = [];
  for (const { line, orphan, step } of group) {
    if (endsAsItBegins(line, group)) {
      open.push(line);
      continue;
    }
    // Dynamic children are stopped all at once, and their reports come as Erlang's maps happen to lie.
    const atOnce = line.startsWith("-") && (name.startsWith("d") || bursts.has(step));
    if (orphan || atOnce || /^shutdown_error \d/.test(line)) loose.push(line);
    else {
      result.push(...loose.sort(), line);
      loose = [];
    }
  }
  return [...result, ...loose.sort(), ...open.sort()];
}

/**
 * A supervisor that ends the moment it has started, of something that happened meanwhile: whether that is before
 * or after its parent has noted the start, and gone on, is a race of the two.
 */
function endsAsItBegins(line: string, group: readonly Entry[]): boolean {
  const name = /^-(s\d+#\d+) /.exec(line)?.[1];
  return name !== undefined && group.some((entry) => entry.line.endsWith(`=${name}`));
}
