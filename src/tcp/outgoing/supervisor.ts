/**
 * Supervisor `outgoing` of this OS process: parent of the connections that `connect` opens. Made at the first of them;
 * a worker stops it after its listeners and their connections, so that what clients have sent can still be passed on.
 */
import { type ExitReason, ProcessExit } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { onDown, type Process, processOf } from "../../otp/process/process.js";
import { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";

type Make = (parent: Process) => Pid;

let supervisor: DynamicSupervisor<[Make]> | undefined;

/** `undefined` while none is needed. */
export function outgoingSupervisor(): DynamicSupervisor<[Make]> | undefined {
  return supervisor?.alive ? supervisor : undefined;
}

/**
 * Starts a process under it.
 * @throws ProcessExit when it is stopping
 */
export function startOutgoing(make: Make): Pid {
  const started = takeSupervisor().startNow(make) as Pid | { error: ExitReason };
  if ("error" in started)
    throw new ProcessExit(started.error, "connect: the supervisor outgoing is stopping");
  return started;
}

function takeSupervisor(): DynamicSupervisor<[Make]> {
  const present = outgoingSupervisor();
  if (present) return present;
  const start = (parent: Pid, make: Make) => make(processOf(parent) as Process);
  supervisor = new DynamicSupervisor<[Make]>(
    "outgoing",
    { start, restart: "temporary", shutdown: "2s" },
    undefined,
  );
  return supervisor;
}

/** Stops it with all its connections. Resolves after its exit. */
export function stopOutgoing(): Promise<void> {
  const present = outgoingSupervisor();
  if (!present) return Promise.resolve();
  return new Promise((resolve) => {
    onDown(present.pid, () => resolve());
    present.systemTerminate("shutdown");
  });
}
