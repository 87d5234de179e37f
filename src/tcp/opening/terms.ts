/** What the connections of one listener go through before their first frame. A listener without it is plain. */
import type { Peer, Socket, SocketOwner } from "../../transport/transport.js";

export interface OpeningTerms {
  /** Expects a PROXY header first. Default: none. */
  readonly proxy?: ProxyTerms | undefined;
  /** Then a TLS handshake. Read again for each connection, so that certificates can be replaced. Default: none. */
  readonly startTls?: StartTls | undefined;
  /** Time for all of it, from accept, in milliseconds: absolute, whatever arrives meanwhile. Default 5,000. */
  readonly timeout?: number | undefined;
}

/** Default of `OpeningTerms.timeout`. */
export const OPENING_TIMEOUT = 5_000;

export interface ProxyTerms {
  /** Whether a PROXY header is accepted from this address. Any other connection is closed unread. */
  trusts(peer: Peer): boolean;
}

/** Callbacks of a socket during its handshake. After `onSecure` the socket is given to its connection. */
export interface HandshakeOwner extends SocketOwner {
  /** The handshake is done. No byte of plaintext was delivered before. */
  onSecure(): void;
  /**
   * The handshake has failed. The alert, if there is one, was sent; the owner closes the socket.
   * @param message for the log: what is wrong, in one line, without secrets
   */
  onRefused(reason: "tls_error" | "tls_refused", message: string): void;
}

/**
 * Begins a TLS handshake on an accepted socket.
 * @param received ciphertext that was read before (behind a PROXY header); `undefined` when `socket` was not started
 * @returns the socket of the plaintext; closing it closes `socket`, also during the handshake. None of the callbacks
 * is called before this returns
 */
export type StartTls = (socket: Socket, received: Buffer | undefined, owner: HandshakeOwner) => Socket;
