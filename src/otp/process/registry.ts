/** Registered names of processes, one registry per OS process, as `register/2` and `whereis/1`. */
import type { LocalProcess, Pid } from "./pid.js";
import { lookup } from "./process-table.js";

const names = new Map<string, LocalProcess>();

/**
 * Registers a living process of this OS process under a name, until it exits.
 * @throws Error when the name is taken, the process has exited, or it already has a name
 */
export function register(name: string, pid: Pid): void {
  const holder = names.get(name);
  if (holder) throw new Error(`the name "${name}" is taken by ${holder.pid}: unregister it first`);
  const process = lookup(pid);
  if (!process) throw new Error(`${pid} is not a living process of this OS process`);
  if (process.registeredName !== undefined)
    throw new Error(`${pid} is already registered as "${process.registeredName}"`);
  process.registeredName = name;
  names.set(name, process);
}

/** Removes a name. @returns false when no process had it */
export function unregister(name: string): boolean {
  const holder = names.get(name);
  if (holder) holder.registeredName = undefined;
  return names.delete(name);
}

export function whereis(name: string): Pid | undefined {
  return names.get(name)?.pid;
}
