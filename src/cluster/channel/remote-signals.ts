/** Messages and exit signals to pids of other OS processes: sent over the channel, delivered where the pid lives. */
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { exit, send, useCarrier } from "../../otp/process/signals.js";
import type { SignalEnvelope } from "./messages.js";

/** Passes every signal for a pid of another OS process to `carry` from now on. */
export function setSignalCarrier(carry: (signal: SignalEnvelope) => void): void {
  useCarrier({
    send: (to, payload) => carry({ to: [to.worker, to.serial], kind: "send", payload }),
    exit: (to, payload) => carry({ to: [to.worker, to.serial], kind: "exit", payload }),
  });
}

/** Delivers a signal that came over the channel to a process of this OS process. */
export function deliver(pid: Pid, { kind, payload }: SignalEnvelope): void {
  if (kind === "send") send(pid, payload);
  else exit(pid, payload as ExitReason);
}
