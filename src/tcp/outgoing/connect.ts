/** Outgoing connections: `connect` opens one, `connection` is the child spec of one. */
import { ProcessExit } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { onDown, type Process, processOf } from "../../otp/process/process.js";
import type { ChildSpec } from "../../otp/supervisor/child-spec.js";
import type { AnyProtocol, Protocol } from "../protocol/protocol.js";
import { open, under } from "./open.js";
import {
  type CheckedConnect,
  type ConnectOptions,
  checkConnect,
  type LinkedConnectOptions,
} from "./options.js";
import { Reconnector } from "./reconnector.js";
import { startOutgoing } from "./supervisor.js";

/**
 * Opens an outgoing connection: a process that runs the states of `protocol`, as the connections of a listener do, under
 * the supervisor `outgoing` of this OS process. It is not counted in `maxConnections`.
 * @returns its pid, when it is open; with `reconnect` that of the first connection, however long it takes
 * @throws TypeError for a mistake in the options; TlsError for a certificate or key; ConnectError with a `code` such as
 *   `econnrefused`, `connect_timeout` or `tls_refused`; ProcessExit `{ already_started }` when the name is taken,
 *   `noproc` when the process to link to has exited
 */
export async function connect<
  S extends string,
  Data,
  In,
  Out,
  T = any,
  N = any,
  const Timers extends string = string,
  O = any,
  W = any,
>(
  protocol: Protocol<S, Data, In, Out, T, N, Timers, O, W>,
  options: LinkedConnectOptions<NoInfer<Data>, NoInfer<O>>,
): Promise<Pid> {
  const checked = checkConnect(protocol as AnyProtocol, options, ["link"]);
  const other = options.link && linked(options.link);
  if (checked.reconnect) return keepOpen(checked, other);
  const opening = open(checked, startOutgoing);
  const stopWatching = other && onDown(other.pid, () => opening.cancel());
  try {
    const pid = await opening.pid;
    if (other) processOf(pid)?.link(other);
    return pid;
  } finally {
    stopWatching?.();
  }
}

/**
 * The child spec of an outgoing connection, for a supervisor of your own. Without `reconnect` the start waits until the
 * connection is open, and its end is an exit like any other: it is restarted within the restart intensity. With
 * `reconnect` the start does not wait, and only `shutdown` ends the child.
 * @throws TypeError for a mistake in the options; TlsError for a certificate or key
 */
export function connection<
  S extends string,
  Data,
  In,
  Out,
  T = any,
  N = any,
  const Timers extends string = string,
  O = any,
  W = any,
>(
  protocol: Protocol<S, Data, In, Out, T, N, Timers, O, W>,
  options: ConnectOptions<NoInfer<Data>, NoInfer<O>>,
): ChildSpec {
  const checked = checkConnect(protocol as AnyProtocol, options);
  const id = checked.name ?? protocol.name;
  const mfargs = [protocol.name, "start_link", []] as const;
  if (checked.reconnect === undefined)
    return { id, mfargs, start: (parent) => open(checked, (start) => under(processOf(parent))(start)).pid };
  return {
    ...{ id, mfargs, type: "supervisor" },
    start: (parent) => new Reconnector(checked, processOf(parent)).pid,
  };
}

function keepOpen(checked: CheckedConnect, other: Process | undefined): Promise<Pid> {
  let made: Reconnector | undefined;
  startOutgoing((parent) => {
    made = new Reconnector(checked, parent);
    if (other) made.link(other);
    return made.pid;
  });
  return (made as unknown as Reconnector).firstOpen;
}

/** @throws ProcessExit when it has exited, or lives in another OS process */
function linked(link: NonNullable<LinkedConnectOptions["link"]>): Process {
  const pid = "pid" in link ? link.pid : link;
  const process = processOf(pid);
  if (process) return process;
  throw new ProcessExit(
    "noproc",
    `connect: the process to link to, ${pid}, does not live in this OS process`,
  );
}
