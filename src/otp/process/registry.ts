/** Names for processes, one registry per OS process, as `register/2` and `whereis/1`. */
import type { Pid } from "./pid.js";
import type { Process } from "./process.js";
import { processOf } from "./process-table.js";

const names = new Map<string, Process>();

/**
 * Gives a living process of this OS process a name, which it loses when it ends.
 * @throws Error when the name is taken, or the process has ended.
 */
export function register(name: string, pid: Pid): void {
  const holder = names.get(name);
  if (holder) throw new Error(`the name "${name}" is taken by ${holder.pid}: unregister it first`);
  const process = processOf(pid);
  if (!process) throw new Error(`${pid} is not a living process of this OS process`);
  if (process.registeredName !== undefined)
    throw new Error(`${pid} is already registered as "${process.registeredName}"`);
  process.registeredName = name;
  names.set(name, process);
}

/** Takes a name away; false when nobody had it. */
export function unregister(name: string): boolean {
  const holder = names.get(name);
  if (holder) holder.registeredName = undefined;
  return names.delete(name);
}

export function whereis(name: string): Pid | undefined {
  return names.get(name)?.pid;
}
