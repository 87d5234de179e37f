/** Owner of a socket while TLS begins on it in mid-stream: tells the connection how the handshake ends. */
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { SecureFailure } from "../../transport/secure/terms.js";
import type { HandshakeOwner } from "../../transport/transport.js";

/** The connection. */
export interface TlsStarting {
  tlsIsUp(): void;
  tlsFailed(reason: ExitReason, message?: string): void;
}

const RESET: ExitReason = Object.freeze({ shutdown: "reset" });

export class TlsStart implements HandshakeOwner {
  readonly #connection: TlsStarting;

  constructor(connection: TlsStarting) {
    this.#connection = connection;
  }

  onSecure(): void {
    this.#connection.tlsIsUp();
  }

  onRefused(reason: SecureFailure, message: string): void {
    this.#connection.tlsFailed({ shutdown: reason }, message);
  }

  onChunk(): void {}
  onBytes(): void {}
  onWritten(): void {}

  /** FIN in the handshake. */
  onEnd(): void {
    this.#connection.tlsFailed("normal");
  }

  onClosed(code: string | undefined): void {
    this.#connection.tlsFailed(code === undefined ? "normal" : RESET);
  }
}
