/**
 * Process table of this OS process: finds a process by the serial of its pid. Serials only grow, so an array in start
 * order is sorted, and is searched by bisection. An entry costs 8 bytes; in a Map it costs 57, and growing a Map of
 * many thousands takes longer.
 */
import { isLocal, type LocalProcess, type Pid, thisWorker } from "./pid.js";

/** Shorter tables are not compacted: nothing would be gained. */
const MIN_COMPACTED = 64;

/** The entry of an exited process is its serial, until the table is compacted. */
let table: (LocalProcess | number)[] = [];
let living = 0;

/** @internal A process whose pid belongs to another OS process represents that one; it is not in the table. */
export function addProcess(process: LocalProcess): void {
  const { pid } = process;
  pid.process = process;
  if (pid.worker !== thisWorker()) return;
  table.push(process);
  living++;
}

/** @internal */
export function removeProcess(process: LocalProcess): void {
  const { pid } = process;
  pid.process = undefined;
  const index = indexOf(pid.serial);
  if (pid.worker !== thisWorker() || table[index] !== process) return;
  table[index] = pid.serial;
  living--;
  if (table.length >= MIN_COMPACTED && living * 2 < table.length)
    table = table.filter((entry) => typeof entry !== "number");
}

/** The index of the first entry whose serial is not below this one. */
function indexOf(serial: number): number {
  let from = 0;
  let to = table.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const entry = table[middle] as LocalProcess | number;
    if ((typeof entry === "number" ? entry : entry.pid.serial) < serial) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** @internal The living local process with this pid. `processOf` is the same with the full type. */
export function lookup(pid: Pid): LocalProcess | undefined {
  if (pid.process !== undefined || !isLocal(pid)) return pid.process;
  const found = table[indexOf(pid.serial)];
  return typeof found === "object" && found.pid.serial === pid.serial ? found : undefined;
}

/** Number of living processes in this OS process. */
export function processCount(): number {
  return living;
}
