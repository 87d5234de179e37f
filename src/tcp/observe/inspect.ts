/** The fields of a connection that `drover info` shows. */
import type { ProxyHeader } from "../../proxy/header.js";
import { addressText } from "../../text/address.js";
import type { Peer } from "../../transport/transport.js";

export interface InspectedConnection {
  readonly label: string;
  readonly waiting: boolean;
  readonly state: string;
  readonly peer: Peer;
  readonly via: Peer | undefined;
  readonly proxy: ProxyHeader | undefined;
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
    ...(one.via !== undefined && { via: addressText(one.via.address, one.via.port) }),
    ...(one.proxy !== undefined && { proxy: proxyText(one.proxy) }),
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

/** What the PROXY header says: `version 2, tcp4, authority "a.example", tls "TLSv1.3"`. */
function proxyText({ version, family, local, alpn, authority, netns, ssl }: ProxyHeader): string {
  const named = { authority, alpn, netns, tls: ssl?.version, client: ssl?.commonName };
  const parts = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : `${name} ${JSON.stringify(value)}`,
  );
  return [`version ${version}`, local ? "LOCAL" : family, ...parts].join(", ");
}
