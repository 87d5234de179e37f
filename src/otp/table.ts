/** Every living process of this OS process: how a pid that was read from a text finds its process. */
import { type Pid, thisWorker } from "./pid.js";
import type { Process } from "./process.js";

const table = new Map<number, Process>();

/** @internal A process with an address of another OS process stands for that one; it is not in the table. */
export function enter(process: Process): void {
  process.pid.process = process;
  if (process.pid.worker === thisWorker()) table.set(process.pid.serial, process);
}

/** @internal */
export function leave(process: Process): void {
  process.pid.process = undefined;
  if (table.get(process.pid.serial) === process) table.delete(process.pid.serial);
}

/** The living process with this pid, if it is here. */
export function processOf(pid: Pid): Process | undefined {
  return pid.process ?? (pid.worker === thisWorker() ? table.get(pid.serial) : undefined);
}

/** How many processes live here. */
export function processCount(): number {
  return table.size;
}
