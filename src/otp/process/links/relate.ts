/**
 * Links and monitors by pid, for handlers: `erlang:link/1`, `unlink/1`, `monitor/2` and `demonitor/2`. Erlang's calls
 * mean the calling process; here it is the first argument, `self.pid` or `conn.pid`. Both live in this OS process.
 */

import { isLocal, type Pid } from "../pid.js";
import { type Process, processOf } from "../process.js";
import { whereis } from "../registry.js";
import type { MonitorRef } from "./monitors.js";

/**
 * Links two processes: the exit of one is an exit signal to the other. When `other` has exited already, `self` gets the
 * signal `noproc`.
 * @throws TypeError when a process lives in another OS process
 */
export function link(self: Pid, other: Pid): void {
  const process = local("link", self);
  if (!process) return;
  const linked = local("link", other);
  if (linked) process.link(linked);
  else process.receiveExit(other, "noproc", true);
}

/** Removes the link in both directions; does nothing when there is none. */
export function unlink(self: Pid, other: Pid): void {
  const [process, linked] = [processOf(self), processOf(other)];
  if (process && linked) process.unlink(linked);
}

/**
 * Monitors a process, by pid or registered name: when it exits, `self` gets one `DownMessage` with the returned
 * reference in `down`; at once, with the reason `noproc`, when it has exited already.
 * @throws TypeError when a process lives in another OS process, or `self` has exited
 */
export function monitor(self: Pid, target: Pid | string): MonitorRef {
  const process = local("monitor", self);
  if (!process) throw new TypeError(`monitor: ${self} has exited`);
  const pid = typeof target === "string" ? whereis(target) : target;
  if (pid === undefined)
    throw new TypeError(`monitor: no process is registered as ${JSON.stringify(target)}`);
  local("monitor", pid);
  return process.monitor(pid);
}

/** Ends a monitor; no `DownMessage` of it is put into the mailbox after this. */
export function demonitor(self: Pid, ref: MonitorRef): void {
  processOf(self)?.demonitor(ref);
}

function local(what: string, pid: Pid): Process | undefined {
  if (isLocal(pid)) return processOf(pid);
  throw new TypeError(`${what}: ${pid} lives in another OS process; links and monitors end at its border`);
}
