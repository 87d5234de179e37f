/** Counts how one TLS handshake ends, between the socket and its owner; gone with `onSecure`. */
import type { SecureFailure } from "../../transport/secure/terms.js";
import type { HandshakeOwner } from "../../transport/transport.js";
import type { HandshakeResult } from "../observe/events.js";

export class CountedHandshake implements HandshakeOwner {
  readonly #owner: HandshakeOwner;
  readonly #counts: Record<HandshakeResult, number>;
  #ended = false;

  constructor(owner: HandshakeOwner, counts: Record<HandshakeResult, number>) {
    this.#owner = owner;
    this.#counts = counts;
  }

  #count(result: HandshakeResult): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#counts[result]++;
  }

  onSecure(resumed: boolean): void {
    this.#count(resumed ? "resumed" : "full");
    this.#owner.onSecure(resumed);
  }

  onRefused(reason: SecureFailure, message: string, code?: string): void {
    this.#count(reason === "tls_refused" ? "refused" : "failed");
    this.#owner.onRefused(reason, message, code);
  }

  onChunk(chunk: Buffer): void {
    this.#owner.onChunk(chunk);
  }

  onBytes(shared: Buffer, length: number): void {
    this.#owner.onBytes(shared, length);
  }

  onWritten(): void {
    this.#owner.onWritten();
  }

  onEnd(): void {
    this.#count("failed");
    this.#owner.onEnd();
  }

  /** Without an error and a FIN it was closed on this side, at the deadline. */
  onClosed(code: string | undefined): void {
    this.#count(code === undefined ? "timeout" : "failed");
    this.#owner.onClosed(code);
  }
}
