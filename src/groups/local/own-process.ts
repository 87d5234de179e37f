/** Processes of this worker, as callers of groups and names give them. */
import { isLocal, Pid } from "../../otp/process/pid.js";
import { type Process, processOf } from "../../otp/process/process.js";

/** @throws TypeError when it is neither a pid nor something with one, such as a connection */
export function pidOf(process: { readonly pid: Pid } | Pid): Pid {
  const pid = process instanceof Pid ? process : process?.pid;
  if (pid instanceof Pid) return pid;
  throw new TypeError("expected a connection, a process with a pid, or a pid");
}

/**
 * @param what it does, for the message: `join` or `claim`
 * @returns `undefined` when it has exited
 * @throws TypeError when it belongs to another worker
 */
export function ownProcess(pid: Pid, what: "join" | "claim"): Process | undefined {
  if (!isLocal(pid)) throw new TypeError(`${pid} is a process of another worker: it must ${what} by itself`);
  return processOf(pid);
}
