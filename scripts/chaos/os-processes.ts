// OS processes as /proc shows them: descendants, descriptors, zombies.
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

export function signal(osPid: number, name: NodeJS.Signals): void {
  try {
    process.kill(osPid, name);
  } catch {}
}
