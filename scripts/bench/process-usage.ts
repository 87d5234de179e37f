// CPU time and memory of an OS process and its descendants, from /proc. Memory is PSS: shared pages are divided by the
// number of processes that map them.
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks of the kernel's accounting: 100 per second on every Linux. */
const TICKS_PER_SECOND = 100;
/** Indexes of fields in /proc/PID/stat, counted after the bracket that closes the command. */
const PARENT = 1;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

function stat(osPid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${osPid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return undefined;
  }
}

/** The OS process and its descendants. */
function family(osPid: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(stat(Number(name))?.[PARENT]);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const all = [osPid];
  for (const one of all) all.push(...(parents.get(one) ?? []));
  return all;
}

/** User and system time in seconds. */
export function cpuSeconds(osPid: number): number {
  const ticks = family(osPid).map((one) => {
    const fields = stat(one);
    return fields ? Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]) : 0;
  });
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

export function memoryBytes(osPid: number): number {
  const sizes = family(osPid).map((one) => {
    try {
      const text = readFileSync(`/proc/${one}/smaps_rollup`, "utf8");
      return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
