/** Relays signals between workers: workers have no channel to each other, so every signal passes the primary. */
import { parsePid } from "../../otp/process/pid.js";
import type { SignalEnvelope } from "../channel/messages.js";
import { deliver } from "../channel/remote-signals.js";
import type { WorkerSlot } from "./workers/worker-slot.js";

/** Sends a signal on to its worker. Serial 1 of a worker is its process in the primary; worker 0 is the primary. */
export function relaySignal(slots: readonly WorkerSlot[], signal: SignalEnvelope): void {
  const [worker, serial] = signal.to;
  const process = slots[worker - 1]?.process;
  if (worker > 0 && serial > 1) return process?.signal(signal);
  const pid = worker === 0 ? parsePid(`0.${serial}`) : process?.pid;
  if (pid) deliver(pid, signal);
}
