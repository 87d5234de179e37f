/**
 * The client behind an exception outside of any process, such as one of a `setTimeout` in a handler. Node knows in which
 * callback a timer was started (`triggerAsyncId`), and a handler runs in the read callback of its socket: nothing is
 * recorded while all goes well. A timer that a timer has started, or code that ran in a later turn, is not found so:
 * then the connections that were active last are named.
 */
import { triggerAsyncId } from "node:async_hooks";
import { processOf } from "../../otp/process/process.js";
import { Connection } from "../../tcp/connection/connection.js";
import type { ConnectionTraits } from "../../tcp/connection/connection-view.js";
import { processLoop } from "../../tcp/loop/loop.js";
import { addressText } from "../../text/address.js";
import type { WorkerListener } from "./listeners/worker-listener.js";

export interface ExceptionSource {
  /** For the message; empty when nothing is known. */
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of the client, where its connection is known, and has an IP address. */
  readonly address?: string | undefined;
}

/** To be called in the handler of `uncaughtException`, where Node still has the async id. */
export function exceptionSource(listeners: readonly WorkerListener[]): ExceptionSource {
  const trigger = triggerAsyncId();
  const source = trigger > 0 ? connectionWith(trigger, listeners) : undefined;
  if (source !== undefined) {
    const fields = describe(source);
    const { address } = source.peer;
    const text = `; code of connection ${fields.pid} from ${fields.peer} has thrown it`;
    return { text, fields, address: /^[/@]|^$/.test(address) ? undefined : address };
  }
  const last = (processLoop.recent.list() as ConnectionTraits[]).map(describe);
  if (last.length === 0) return { text: "", fields: {} };
  const peers = [...new Set(last.map(({ peer }) => peer))];
  return {
    text: `; the connections that were active last came from ${peers.join(", ")}`,
    fields: { lastConnections: last },
  };
}

function connectionWith(asyncId: number, listeners: readonly WorkerListener[]): ConnectionTraits | undefined {
  for (const { connections } of listeners)
    for (const pid of connections?.children() ?? []) {
      const one = processOf(pid);
      if (one instanceof Connection && one.asyncId === asyncId) return one;
    }
  // The client may be gone when a timer of its connection expires.
  return processLoop.recent.endedWith(asyncId) as ConnectionTraits | undefined;
}

function describe({ pid, label, state, peer, framesReceived }: ConnectionTraits) {
  return {
    pid: String(pid),
    protocol: label,
    state,
    peer: addressText(peer.address, peer.port),
    framesReceived,
  };
}
