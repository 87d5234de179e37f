/** Calls: sends a request to a process and waits for its reply. */

import { ProcessExit } from "../process/exit-reason.js";
import { isLocal, type Pid } from "../process/pid.js";
import { type Process, processOf } from "../process/process.js";
import { whereis } from "../process/registry.js";
import type { Duration } from "../time/duration.js";
import { toMs } from "../time/duration.js";
import { CallMessage, type Resolvers } from "./call-message.js";

export { CallMessage } from "./call-message.js";

/** Default timeout of a call, as of `gen_server:call/2`. */
export const CALL_TIMEOUT = 5_000;

type Timeout = Duration | typeof Infinity;

/**
 * Sends a request and waits for the reply.
 * @throws ProcessExit with reason `noproc`, `timeout`, `mailbox_full`, the exit reason of the process, or `notsup` when
 *   it lives in another OS process
 */
export function request(
  to: Pid | string,
  name: string,
  args: readonly unknown[],
  timeout: Timeout = CALL_TIMEOUT,
): Promise<unknown> {
  return requestWith(to, name, timeout, (process, ms, caller) =>
    process.deliver(new CallMessage(process, name, args, ms, caller)),
  );
}

function notCallable(pid: Pid | undefined, to: Pid | string, name: string): ProcessExit {
  if (pid && !isLocal(pid)) {
    const instead =
      pid.node === undefined ? "send or cast to it, with a pid to reply to" : "ask it by a name";
    return new ProcessExit(
      "notsup",
      `call "${name}" to ${pid}: a call cannot leave its OS process; ${instead}`,
    );
  }
  return new ProcessExit("noproc", `call "${name}": no process ${pid ?? `named "${to}"`} in this OS process`);
}

/** @internal As `request`, with a message that `send` makes and delivers. */
export function requestWith(
  to: Pid | string,
  name: string,
  timeout: Timeout,
  send: (process: Process, timeout: number, caller: Resolvers) => void,
): Promise<unknown> {
  const pid = typeof to === "string" ? whereis(to) : to;
  const process = pid && processOf(pid);
  if (!process) return Promise.reject(notCallable(pid, to, name));
  return new Promise((resolve, reject) => {
    send(process, timeout === Infinity ? Infinity : toMs(timeout), { resolve, reject });
  });
}
