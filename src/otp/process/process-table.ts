/**
 * Every living process of this OS process: how a pid that was read from a text finds its process. Serials only
 * grow, so a list in the order of starting is in their order too, and is searched by halves. A process takes eight
 * bytes of it, where a hash table takes 57, and growing one of many thousands takes longer.
 */
import { type Pid, thisWorker } from "./pid.js";
import type { Process } from "./process.js";

/** Below this length nothing is gained by closing the gaps. */
const WORTH_CLOSING = 64;

/** In the place of one that has ended stands its serial, until the gaps are closed. */
let table: (Process | number)[] = [];
let living = 0;

/** @internal A process with an address of another OS process stands for that one; it is not in the table. */
export function enter(process: Process): void {
  const { pid } = process;
  pid.process = process;
  if (pid.worker !== thisWorker()) return;
  table.push(process);
  living++;
}

/** @internal */
export function leave(process: Process): void {
  const { pid } = process;
  pid.process = undefined;
  const at = placeOf(pid.serial);
  if (pid.worker !== thisWorker() || table[at] !== process) return;
  table[at] = pid.serial;
  living--;
  if (table.length >= WORTH_CLOSING && living * 2 < table.length)
    table = table.filter((one) => typeof one !== "number");
}

/** Where the one with this serial stands, if it is there; otherwise where it would. */
function placeOf(serial: number): number {
  let from = 0;
  let to = table.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const one = table[middle] as Process | number;
    if ((typeof one === "number" ? one : one.pid.serial) < serial) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The living process with this pid, if it is here. */
export function processOf(pid: Pid): Process | undefined {
  if (pid.process !== undefined || pid.worker !== thisWorker()) return pid.process;
  const found = table[placeOf(pid.serial)];
  return typeof found === "object" && found.pid.serial === pid.serial ? found : undefined;
}

/** How many processes live here. */
export function processCount(): number {
  return living;
}
