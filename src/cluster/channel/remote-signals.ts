/** Messages, casts and exit signals to pids of other OS processes: sent over the channel, delivered where the pid lives. */
import { CastMessage } from "../../otp/gen-server/server-process.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { exit, send, useCarrier } from "../../otp/process/signals.js";
import type { SignalEnvelope } from "./messages.js";
import { decodePayload, encodePayload, holdsPid } from "./signal-payload.js";

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
  const sendToServer = (to: Pid, message: unknown): void => {
    if (message instanceof CastMessage) throw elsewhere("cast", to, "send it a message, or ask it by a name");
    // As text it would name a process of that server.
    if (holdsPid(message))
      throw new TypeError(
        `send: a message to ${to} must not hold a pid, which names a process of this server: ask it by a name, and it gets request.from`,
      );
    sink.sendToServer?.(to, message);
  };
  useCarrier({
    send: (to, message) => {
      if (to.node !== undefined) return sendToServer(to, message);
      // Of a class of ours only its fields would arrive.
      if (message instanceof CastMessage) pass(to, "cast", [message.name, message.args]);
      else pass(to, "send", message);
    },
    exit: (to, reason) => {
      if (to.node !== undefined)
        throw elsewhere("exit", to, "exit signals, links and monitors end at its border");
      pass(to, "exit", reason);
    },
  });
}

function elsewhere(what: string, to: Pid, help: string): TypeError {
  return new TypeError(`${what}: ${to} is a process of another server: ${help}`);
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
