/** The fields of a connection that `drover info` shows. */
import { addressText } from "../../text/address.js";

export interface InspectedConnection {
  readonly label: string;
  readonly waiting: boolean;
  readonly state: string;
  readonly peer: { readonly address: string; readonly port: number };
  readonly idleFor: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly buffered: number;
  readonly outbound: number;
  readonly messageQueueLength: number;
  readonly links: readonly unknown[];
}

/** In the order in which they are shown. */
export function inspectConnection(one: InspectedConnection): Record<string, unknown> {
  return {
    protocol: one.label,
    state: one.waiting ? "waiting_for_socket" : one.state,
    peer: addressText(one.peer.address, one.peer.port),
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
