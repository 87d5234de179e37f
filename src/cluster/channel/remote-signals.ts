/**
 * Messages and exit signals between processes of different OS processes. Workers have no channel to each other:
 * the primary carries them all.
 */
import type { ExitReason } from "../../otp/process/exit-reason.js";
import { type Pid, parsePid } from "../../otp/process/pid.js";
import { exit, send, useCarrier } from "../../otp/process/signals.js";
import type { Slot } from "../primary/worker-slot.js";
import type { SignalEnvelope } from "./messages.js";

/** From now on, what processes here send to others elsewhere leaves by `carry`. */
export function sendBy(carry: (signal: SignalEnvelope) => void): void {
  useCarrier({
    send: (to, payload) => carry({ to: [to.worker, to.serial], kind: "send", payload }),
    exit: (to, payload) => carry({ to: [to.worker, to.serial], kind: "exit", payload }),
  });
}

/** It has come to where the process lives. */
export function arrive(pid: Pid, { kind, payload }: SignalEnvelope): void {
  if (kind === "send") send(pid, payload);
  else exit(pid, payload as ExitReason);
}

/** The primary's: brings each to the worker whose it is. Of the primary's own are its processes and the workers. */
export function relay(slots: readonly Slot[], signal: SignalEnvelope): void {
  const [worker, serial] = signal.to;
  const process = slots[worker - 1]?.process;
  if (worker > 0 && serial > 1) return process?.signal(signal);
  const pid = worker === 0 ? parsePid(`0.${serial}`) : process?.pid;
  if (pid) arrive(pid, signal);
}
