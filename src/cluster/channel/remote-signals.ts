/** Messages, casts and exit signals to pids of other OS processes: sent over the channel, delivered where the pid lives. */
import { CastMessage } from "../../otp/gen-server/server-process.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { exit, send, useCarrier } from "../../otp/process/signals.js";
import type { SignalEnvelope } from "./messages.js";
import { decodePayload, encodePayload } from "./signal-payload.js";

/** Where signals for pids of other OS processes go. */
export interface SignalSink {
  /** Whether a signal of this kind is dropped, before it is serialized. */
  drops(kind: SignalEnvelope["kind"]): boolean;
  signal(signal: SignalEnvelope): void;
  /** A message to a process of another server. @throws TypeError, RangeError as `send` of a group */
  sendToServer?(to: Pid, message: unknown): void;
}

/** Passes every signal for a pid of another OS process to `sink` from now on. */
export function setSignalCarrier(sink: SignalSink): void {
  const pass = ({ worker, serial }: Pid, kind: SignalEnvelope["kind"], payload: unknown): void => {
    if (!sink.drops(kind)) sink.signal({ to: [worker, serial], kind, ...encodePayload(payload) });
  };
  useCarrier({
    send: (to, message) => {
      if (to.node !== undefined) return sink.sendToServer?.(to, message);
      // Of a class of ours only its fields would arrive.
      if (message instanceof CastMessage) pass(to, "cast", [message.name, message.args]);
      else pass(to, "send", message);
    },
    // Exit signals, as links and monitors, end at the border of the server.
    exit: (to, reason) => to.node === undefined && pass(to, "exit", reason),
  });
}

/** Delivers a signal that came over the channel to a process of this OS process. Malformed ones are ignored. */
export function deliver(pid: Pid, signal: SignalEnvelope): void {
  let payload: unknown;
  try {
    payload = decodePayload(signal);
  } catch {
    return;
  }
  if (signal.kind === "send") send(pid, payload);
  else if (signal.kind === "exit") exit(pid, payload as ExitReason);
  else if (isCast(payload)) send(pid, new CastMessage(...payload));
}

function isCast(payload: unknown): payload is [name: string, args: unknown[]] {
  return Array.isArray(payload) && typeof payload[0] === "string" && Array.isArray(payload[1]);
}
