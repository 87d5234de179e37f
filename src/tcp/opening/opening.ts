/**
 * Opening of a connection: what comes between accept and the first frame. It owns the socket meanwhile.
 *
 *   accepted ──▶ TLS handshake ──▶ opened: the connection owns the socket
 *       └──────────────┴── wrong bytes, FIN, reset, 5 s ──▶ failed: closed and counted
 *
 * The connection is counted from accept on, and has the deadline; it calls neither `data` nor `enter` before.
 */
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Socket, SocketOwner } from "../../transport/transport.js";
import type { HandshakeOwner, OpeningTerms } from "./terms.js";

/** The connection, as far as its opening needs it. */
export interface OpeningConnection extends SocketOwner {
  /** The socket to close if the connection ends meanwhile, and to own afterwards. */
  replaceSocket(socket: Socket): void;
  /** Begins the protocol, unless the connection has ended meanwhile. */
  opened(): void;
  /** Ends the connection, unless it has ended. */
  openingFailed(reason: ExitReason, message?: string): void;
}

const RESET: ExitReason = Object.freeze({ shutdown: "reset" });

export class Opening implements HandshakeOwner {
  readonly #connection: OpeningConnection;
  readonly #terms: OpeningTerms;

  constructor(connection: OpeningConnection, terms: OpeningTerms) {
    this.#connection = connection;
    this.#terms = terms;
  }

  begin(socket: Socket): void {
    this.#handshake(socket, undefined);
  }

  #handshake(socket: Socket, received: Buffer | undefined): void {
    const { startTls } = this.#terms;
    if (startTls === undefined) return this.#connection.opened();
    this.#connection.replaceSocket(startTls(socket, received, this));
  }

  onSecure(): void {
    this.#connection.opened();
  }

  onRefused(reason: "tls_error" | "tls_refused", message: string): void {
    this.#connection.openingFailed({ shutdown: reason }, message);
  }

  onChunk(_chunk: Buffer): void {}
  onBytes(_shared: Buffer, _length: number): void {}

  /** FIN before the first byte of the protocol. */
  onEnd(): void {
    this.#connection.openingFailed("normal");
  }

  onWritten(): void {}

  onClosed(code: string | undefined): void {
    this.#connection.openingFailed(code === undefined ? "normal" : RESET);
  }
}
