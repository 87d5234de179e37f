// OS processes as /proc shows them, and what a fault does to one: signals, limits.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface OsProcess {
  readonly osPid: number;
  /** In clock ticks since boot: with the OS pid it names one OS process for ever. */
  readonly startedAt: string;
  readonly state: string;
  readonly parent: number;
}

function look(osPid: number): OsProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${osPid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      osPid,
      startedAt: fields[19] as string,
      state: fields[0] as string,
      parent: Number(fields[1]),
    };
  } catch {
    return undefined;
  }
}

/** Descendants of the OS process, zombies included. */
export function descendants(osPid: number): OsProcess[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => look(Number(name)) ?? []);
  const found = [osPid];
  for (const one of found)
    found.push(...all.filter(({ parent }) => parent === one).map((child) => child.osPid));
  return all.filter((one) => one.osPid !== osPid && found.includes(one.osPid));
}

/** Whether this very OS process still runs. */
export function stillRuns({ osPid, startedAt }: OsProcess): boolean {
  const now = look(osPid);
  return now !== undefined && now.startedAt === startedAt && now.state !== "Z" && now.state !== "X";
}

/** Number of open descriptors; `undefined` when the OS process has ended. */
export function descriptors(osPid: number): number | undefined {
  try {
    return readdirSync(`/proc/${osPid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** Whether an OS process of this pid runs. */
export function runs(osPid: number): boolean {
  const { state } = look(osPid) ?? {};
  return state !== undefined && state !== "Z" && state !== "X";
}

/** The child of this primary that is its exchange. @throws Error where there is none */
export function exchangeOf(primary: number): number {
  const found = descendants(primary).find(({ osPid }) => {
    try {
      return readFileSync(`/proc/${osPid}/cmdline`, "utf8").includes("\0exchange\0");
    } catch {
      return false;
    }
  });
  if (!found) throw new Error(`OS process ${primary} has no exchange`);
  return found.osPid;
}

export function signal(osPid: number, name: NodeJS.Signals): void {
  try {
    process.kill(osPid, name);
  } catch {}
}

export async function whileStopped(osPids: readonly number[], ms: number): Promise<void> {
  for (const osPid of osPids) signal(osPid, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (const osPid of osPids) signal(osPid, "SIGCONT");
}

const LIMITS = {
  nofile: { row: /^Max open files\s+(\w+)/m, used: lowestFreeDescriptor },
  as: { row: /^Max address space\s+(\w+)/m, used: addressSpace },
};

/** With this as the limit none can be opened, whatever holes there are below the highest open one. */
export function lowestFreeDescriptor(osPid: number): number {
  const open = new Set(readdirSync(`/proc/${osPid}/fd`).map(Number));
  let free = 0;
  while (open.has(free)) free++;
  return free;
}

function addressSpace(osPid: number): number {
  const [, kib] = /^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${osPid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** Lowers the soft limit to what is used. @returns what restores it */
export function lowerLimit(osPid: number, name: keyof typeof LIMITS): () => void {
  const { row, used } = LIMITS[name];
  const [, before] = row.exec(readFileSync(`/proc/${osPid}/limits`, "utf8")) ?? [];
  const set = (limit: number | string) => spawnSync("prlimit", [`--pid=${osPid}`, `--${name}=${limit}:`]);
  set(used(osPid));
  return () => void set(before!);
}
