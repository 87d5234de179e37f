/** What the connections of one listener go through before their first frame. A listener without it is plain. */

import type { HandshakeOwner, Socket } from "../../transport/transport.js";
import type { Gate } from "../admission/gate.js";

export type { HandshakeOwner } from "../../transport/transport.js";

export interface OpeningTerms {
  /** Expects a PROXY header first. Default: none. */
  readonly proxy?: ProxyTerms | undefined;
  /** Asked with the address in that header. Default: everybody is admitted. */
  readonly gate?: Gate | undefined;
  /** Then a TLS handshake. Read again for each connection, so that certificates can be replaced. Default: none. */
  readonly startTls?: StartTls | undefined;
  /** Time for all of it, from accept, in milliseconds: absolute, whatever arrives meanwhile. Default 5,000. */
  readonly timeout?: number | undefined;
}

/** Default of `OpeningTerms.timeout`. */
export const OPENING_TIMEOUT = 5_000;

export interface ProxyTerms {
  /** Whether a PROXY header is accepted from this address. Any other connection is closed unread. */
  trusts(address: string): boolean;
}

/** Begins a TLS handshake on an accepted socket: `Transport.secure` with the terms of the listener. */
export type StartTls = (socket: Socket, received: Buffer | undefined, owner: HandshakeOwner) => Socket;
