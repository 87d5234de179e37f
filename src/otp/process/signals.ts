/**
 * Signals to a pid: `send` and `exit`. A signal to a pid of another OS process goes to the carrier that the cluster
 * room installs; without a carrier it is dropped.
 */
import type { ExitReason } from "./exit-reason.js";
import { isLocal, Pid } from "./pid.js";
import { processOf } from "./process.js";
import { whereis } from "./registry.js";

/** Sends signals to other OS processes. */
export interface Carrier {
  send(to: Pid, message: unknown): void;
  exit(to: Pid, reason: ExitReason): void;
}

/** The sender of a signal that no process sent. */
const NO_SENDER = new Pid(0, 0);

let carrier: Carrier | undefined;

/** Installs the carrier of signals to other OS processes. */
export function useCarrier(next: Carrier | undefined): void {
  carrier = next;
}

/**
 * Sends a message. A message to an exited process is dropped. One to a process of another server is JSON or bytes.
 * @throws TypeError, RangeError for what another server cannot be sent: other values, pids, more than `--max-message`
 */
export function send(to: Pid | string, message: unknown): void {
  const pid = typeof to === "string" ? whereis(to) : to;
  if (!pid) return;
  const process = processOf(pid);
  if (process) process.deliver(message);
  else if (!isLocal(pid)) carrier?.send(pid, message);
}

/**
 * Sends an exit signal. `kill` cannot be trapped and shows as `killed`; `normal` is ignored by processes
 * that do not trap exits.
 * @throws TypeError for a process of another server
 */
export function exit(to: Pid, reason: ExitReason, from: Pid = NO_SENDER): void {
  const process = processOf(to);
  if (process) process.receiveExit(from, reason);
  else if (!isLocal(to)) carrier?.exit(to, reason);
}
