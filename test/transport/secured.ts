/** A transport whose sockets are all TLS: what the conformance suite runs against. */
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { ServerTerms } from "../../src/transport/secure/terms.js";
import type { HandshakeOwner, Socket, SocketOwner, Transport } from "../../src/transport/transport.js";
import { certificatePem } from "../support/certificates/certificates.js";
import { TlsClient } from "../support/tls-client.js";
import type { TestTransport } from "./owner.js";

/** Terms of the certificate for localhost. */
export function testTerms(
  changes: Partial<ServerTerms> = {},
  options: SecureContextOptions = {},
): ServerTerms {
  const context = createSecureContext({ ...certificatePem("server"), minVersion: "TLSv1.2", ...options });
  return {
    side: "server",
    listener: "main",
    context,
    byName: false,
    contextFor: () => context,
    alpn: undefined,
    clientCerts: "none",
    ...changes,
  };
}

export function secured(transport: Transport, terms: ServerTerms = testTerms()): TestTransport {
  return {
    name: transport.name,
    connect: transport.connect,
    secure: transport.secure,
    listen: (target, options) =>
      transport.listen(target, {
        ...options,
        onSocket: (plain) => void new Accepted(transport, plain, terms, options.onSocket),
      }),
    connectClient: (port) => TlsClient.secure(port),
    connections: 100,
  };
}

/** A TLS socket that reads nothing until it has an owner; what came with the last message of the handshake waits. */
class Accepted implements HandshakeOwner, Socket {
  readonly #socket: Socket;
  readonly #handOver: (socket: Socket) => void;
  #early: Buffer[] = [];
  #ended = false;
  #open = false;
  #closed: [string | undefined] | undefined = undefined;

  constructor(transport: Transport, plain: Socket, terms: ServerTerms, handOver: (socket: Socket) => void) {
    this.#handOver = handOver;
    this.#socket = transport.secure(plain, terms, undefined, this);
  }

  onSecure(): void {
    this.#open = true;
    this.#socket.pause();
    this.#handOver(this);
  }
  onRefused(_reason: string, message: string): void {
    this.#socket.destroy();
    throw new Error(message);
  }
  onBytes(shared: Buffer, length: number): void {
    this.#early.push(Buffer.from(shared.subarray(0, length)));
  }
  onChunk(chunk: Buffer): void {
    this.#early.push(chunk);
  }
  onEnd(): void {
    this.#ended = true;
    if (!this.#open) this.#socket.destroy();
  }
  onWritten(): void {}
  onClosed(code: string | undefined): void {
    this.#closed = [code];
  }

  start(owner: SocketOwner): void {
    this.#socket.start(owner);
    const closed = this.#closed;
    if (closed) return void setImmediate(() => owner.onClosed(closed[0]));
    const early = this.#early;
    const ended = this.#ended;
    if (early.length > 0 || ended)
      setImmediate(() => {
        for (const chunk of early) owner.onChunk(chunk);
        if (ended) owner.onEnd();
      });
  }

  get peer() {
    return this.#socket.peer;
  }
  get local() {
    return this.#socket.local;
  }
  get tls() {
    return this.#socket.tls;
  }
  get unsent() {
    return this.#socket.unsent;
  }
  setOwner(owner: SocketOwner): void {
    this.#socket.setOwner(owner);
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }
  writeTwo(head: Buffer, body: Uint8Array): boolean {
    return this.#socket.writeTwo(head, body);
  }
  end(): void {
    this.#socket.end();
  }
  destroy(): void {
    this.#socket.destroy();
  }
  reset(): void {
    this.#socket.reset();
  }
}
