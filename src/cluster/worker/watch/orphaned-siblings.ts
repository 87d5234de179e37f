/**
 * Workers of a primary that is gone, seen from one of them. One that is stopped (SIGSTOP) keeps its copies of the
 * listening sockets, so that no new primary can bind and clients that connect hang. Node cannot ask the kernel for a
 * signal at the parent's death (PR_SET_PDEATHSIG), and the kernel continues only stopped process groups that this death
 * has orphaned, as in a shell with job control. So the workers that run continue those that do not.
 */
import { type OsProcessInfo, osPids, osProcessInfo } from "../../os-process-info.js";

/** Arguments of the OS processes that a primary forks, after the script: their role, and its OS pid. */
const ROLES: readonly unknown[] = ["worker", "exchange"];

/** Sends SIGCONT to every stopped OS process that this primary has forked. @returns their OS pids */
export function continueStopped(primary: number, parentNow: number): number[] {
  const stopped = osPids().filter((osPid) => {
    const info = osProcessInfo(osPid);
    return info?.state === "T" && info.parent === parentNow && isForkedBy(info, primary);
  });
  for (const osPid of stopped) {
    try {
      process.kill(osPid, "SIGCONT");
    } catch {}
  }
  return stopped;
}

/** Whether its command line is `node … worker PRIMARY`. */
export function isForkedBy({ args }: Pick<OsProcessInfo, "args">, primary: number): boolean {
  return ROLES.includes(args.at(-2)) && args.at(-1) === `${primary}`;
}
