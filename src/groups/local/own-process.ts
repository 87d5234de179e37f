/** Processes of this worker, as callers of groups and names give them. */
import { isLocal, Pid } from "../../otp/process/pid.js";
import { type Process, processOf } from "../../otp/process/process.js";

/** @throws TypeError when it is neither a pid nor something with one, such as a connection */
export function pidOf(process: { readonly pid: Pid } | Pid): Pid {
  const pid = process instanceof Pid ? process : process?.pid;
  if (pid instanceof Pid) return pid;
  throw new TypeError("expected a connection, a process with a pid, or a pid");
}

let listed = true;

/**
 * @param value whether a protocol of this server lists groups or names (`takes`, `answers`). Without one there is no
 * exchange, and each worker would have groups and names of its own
 */
export function setListed(value: boolean): void {
  listed = value;
}

/** What a caller does with it, for the messages. */
type Deed = "join" | "leave" | "claim" | "release";

/**
 * @returns `undefined` when it has exited
 * @throws TypeError when it belongs to another worker; Error when no protocol lists groups or names
 */
export function ownProcess(pid: Pid, what: Deed): Process | undefined {
  if (!listed) {
    const key = what === "join" || what === "leave" ? "takes" : "answers";
    throw new Error(
      `no protocol of this server lists groups or names, so its workers do not share them: add "${key}" to the protocol`,
    );
  }
  if (!isLocal(pid)) {
    const where = pid.node === undefined ? "worker" : "server";
    throw new TypeError(`${pid} is a process of another ${where}: it must ${what} by itself`);
  }
  return processOf(pid);
}
