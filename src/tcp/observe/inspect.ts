/** What `drover info` shows of a connection. */
import type { Lifecycle } from "../connection/lifecycle.js";

/** In the order in which it is shown. */
export function inspectConnection(one: Lifecycle): Record<string, unknown> {
  return {
    protocol: one.label,
    state: one.waiting ? "waiting_for_socket" : one.state,
    peer: `${one.peer.address}:${one.peer.port}`,
    idleMs: one.idleFor,
    framesReceived: one.framesReceived,
    framesSent: one.framesSent,
    bytesReceived: one.bytesReceived,
    bytesSent: one.bytesSent,
    buffered: one.buffered,
    outbound: one.outbound,
    messageQueueLength: one.messageQueueLength,
    links: one.links.map(String),
  };
}
