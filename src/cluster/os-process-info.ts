/** Other OS processes of this machine as `/proc` shows them: parent, state, arguments. Nothing where there is no `/proc`. */
import { readdirSync, readFileSync } from "node:fs";

export interface OsProcessInfo {
  readonly osPid: number;
  readonly parent: number;
  /** `R` runs, `S` sleeps, `T` is stopped by a signal, `t` by a debugger, `Z` has ended. */
  readonly state: string;
  /** Command line, with the program. */
  readonly args: readonly string[];
}

/** @returns `undefined` when there is no such process */
export function osProcessInfo(osPid: number): OsProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${osPid}/stat`, "utf8");
    // The name, in parentheses, may contain spaces and parentheses.
    const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const args = readFileSync(`/proc/${osPid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return { osPid, state, parent: Number(parent), args };
  } catch {
    return undefined;
  }
}

/** OS pids of all processes; empty without `/proc`. */
export function osPids(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
