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
  return sumOf(family(osPid), USER_TICKS) + sumOf(family(osPid), SYSTEM_TICKS);
}

/** Of several OS processes together. */
export function cpuSecondsOfAll(osPids: readonly number[]): number {
  return osPids.reduce((sum, osPid) => sum + cpuSeconds(osPid), 0);
}

export function userSeconds(osPid: number): number {
  return sumOf(family(osPid), USER_TICKS);
}

/** The descendant with this argument; `undefined` when there is none. */
export function descendant(osPid: number, argument: string): number | undefined {
  return family(osPid).find((one) => {
    try {
      return readFileSync(`/proc/${one}/cmdline`, "utf8").split("\0").includes(argument);
    } catch {
      return false;
    }
  });
}

function sumOf(osPids: readonly number[], field: number): number {
  return osPids.reduce((sum, one) => sum + Number(stat(one)?.[field] ?? 0), 0) / TICKS_PER_SECOND;
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
