/**
 * `send` and `exit` for whoever holds a pid, wherever the process lives. A pid of another OS process is
 * handed to the carrier that the cluster room has installed; without one it is an address nobody lives at.
 */
import type { ExitReason } from "./exit-reason.js";
import { Pid, thisWorker } from "./pid.js";
import { processOf } from "./process-table.js";
import { whereis } from "./registry.js";

/** Brings a signal to another OS process. */
export interface Carrier {
  send(to: Pid, message: unknown): void;
  exit(to: Pid, reason: ExitReason): void;
}

/** Who sends a signal that no process sent. */
const NOBODY = new Pid(0, 0);

let carrier: Carrier | undefined;

/** Installs what carries signals to other OS processes. */
export function useCarrier(next: Carrier | undefined): void {
  carrier = next;
}

/** Puts a message into a mailbox. Never fails: a process that has ended takes no notice. */
export function send(to: Pid | string, message: unknown): void {
  const pid = typeof to === "string" ? whereis(to) : to;
  if (!pid) return;
  const process = processOf(pid);
  if (process) process.deliver(message);
  else if (pid.worker !== thisWorker()) carrier?.send(pid, message);
}

/**
 * Sends an exit signal. `kill` cannot be trapped and shows as `killed`; `normal` is ignored by processes
 * that do not trap exits.
 */
export function exit(to: Pid, reason: ExitReason, from: Pid = NOBODY): void {
  const process = processOf(to);
  if (process) process.receiveExit(from, reason);
  else if (to.worker !== thisWorker()) carrier?.exit(to, reason);
}
