/**
 * Socket of a TLS connection up to its handshake, for both transports. It owns the plain socket and reads the first
 * message of the client by itself, before there is any TLS: so a silent client costs no session of OpenSSL (20 KB), and
 * the expensive part of a handshake begins when the queue of handshakes says so, in one call.
 *
 *   plain socket ──first message complete──▶ queue of handshakes ──begin──▶ TLS in the transport ──▶ onSecure
 */
import type { HandshakeOwner, Peer, Socket, SocketOwner } from "../transport.js";
import { HandshakeQueue, type PendingHandshake } from "./handshake-queue.js";
import type { SecureFailure, SecureTerms, TlsInfo } from "./terms.js";
import type { TlsSession } from "./tls-binding.js";
import { refusalOf } from "./verification.js";

/** Handshakes of this OS process. */
export const handshakes = new HandshakeQueue();

/** Record type of TLS handshake messages. */
const HANDSHAKE = 22;
const RECORD_HEADER = 5;
/** A record has at most 16 KiB. */
const MAX_RECORD = RECORD_HEADER + 16 * 1024;

/** `destroy` or `reset` was called, or the socket is closed. */
export const CLOSED = 1;
/** The handshake is done and the other side accepted. */
export const OPEN = 2;
/** The handshake has failed, and the owner was told so. */
export const REFUSED = 4;
/** It is in the queue of handshakes, or has begun. */
const QUEUED = 8;
/** It begins when the plain socket has sent what was written before. */
const AFTER_WRITE = 16;
/** The first flag that a subclass may use. */
export const NEXT_FLAG = 32;

export abstract class SecureSocket implements Socket, SocketOwner, PendingHandshake {
  protected readonly plain: Socket;
  protected owner: SocketOwner;
  /** Until the handshake is done. */
  protected terms: SecureTerms | undefined;
  protected flags = 0;
  /** For `onClosed`. */
  protected code: string | undefined = undefined;
  /** Received before the handshake has begun. */
  #hello: Buffer | undefined = undefined;

  constructor(plain: Socket, terms: SecureTerms, owner: HandshakeOwner) {
    this.plain = plain;
    this.terms = terms;
    this.owner = owner;
  }

  /** Begins TLS on the plain socket. @param received ciphertext that was read before */
  protected abstract startTls(terms: SecureTerms, received: Buffer | undefined): void;
  abstract start(owner: SocketOwner): void;
  abstract pause(): void;
  abstract resume(): void;
  abstract write(bytes: Buffer): boolean;
  abstract writeTwo(head: Buffer, body: Uint8Array): boolean;
  abstract readonly unsent: number;
  abstract end(): void;
  abstract destroy(): void;
  abstract reset(): void;
  abstract readonly tls: TlsInfo | undefined;

  protected is(flags: number): boolean {
    return (this.flags & flags) !== 0;
  }

  get peer(): Peer {
    return this.plain.peer;
  }

  get local(): Peer {
    return this.plain.local;
  }

  get closed(): boolean {
    return this.is(CLOSED);
  }

  get listener(): string {
    return this.terms?.side === "server" ? this.terms.listener : "";
  }

  setOwner(owner: SocketOwner): void {
    this.owner = owner;
  }

  // -- before the handshake -------------------------------------------------------------------------

  /** @param received `undefined` when the plain socket was not started */
  handshake(received: Buffer | undefined): this {
    if (received === undefined) this.plain.start(this);
    else {
      this.plain.setOwner(this);
      this.plain.resume();
    }
    if (this.terms?.side === "client") this.queue();
    if (received !== undefined && received.length > 0) this.take(received);
    return this;
  }

  onBytes(shared: Buffer, length: number): void {
    this.take(Buffer.from(shared.subarray(0, length)));
  }

  onChunk(chunk: Buffer): void {
    this.take(chunk);
  }

  private take(chunk: Buffer): void {
    if (this.is(CLOSED)) return;
    this.#hello = this.#hello === undefined ? chunk : Buffer.concat([this.#hello, chunk]);
    // It waits for its turn, and sends more than a client can have to say.
    if (this.#hello.length > MAX_RECORD) this.plain.pause();
    if (isComplete(this.#hello)) this.queue();
  }

  private queue(): void {
    if (this.is(QUEUED)) return;
    this.flags |= QUEUED;
    handshakes.add(this);
  }

  begin(): void {
    if (this.plain.unsent > 0) {
      this.flags |= AFTER_WRITE;
      return;
    }
    const hello = this.#hello;
    this.#hello = undefined;
    try {
      this.startTls(this.terms as SecureTerms, hello);
    } catch (error) {
      // A context that OpenSSL does not make.
      this.refuse("tls_error", (error as Error).message, "CONTEXT");
    }
  }

  onWritten(): void {
    if (!this.is(AFTER_WRITE)) return;
    this.flags &= ~AFTER_WRITE;
    handshakes.add(this);
  }

  /** FIN before the handshake. */
  onEnd(): void {
    if (!this.is(CLOSED)) this.owner.onEnd();
  }

  // -- the end of the handshake, and of the socket ----------------------------------------------------

  protected secured(session: TlsSession): void {
    const { terms } = this;
    if (this.is(CLOSED | REFUSED | OPEN) || terms === undefined) return;
    const refusal = refusalOf(session, terms);
    if (refusal) return this.refuse("tls_refused", refusal.message, refusal.code);
    this.flags |= OPEN;
    this.terms = undefined;
    (this.owner as HandshakeOwner).onSecure(session.isSessionReused());
  }

  /** A session for later. Only after its server is verified, which comes in the same turn. */
  protected sessionMade(tell: (session: Buffer) => void, session: Buffer): void {
    setImmediate(() => {
      if (this.is(OPEN)) tell(session);
    });
  }

  protected refuse(reason: SecureFailure, message: string, code: string): void {
    if (this.is(CLOSED | REFUSED | OPEN)) return;
    this.flags |= REFUSED;
    (this.owner as HandshakeOwner).onRefused(reason, message, code);
  }

  /** The plain socket is closed. */
  onClosed(code: string | undefined): void {
    this.flags |= CLOSED;
    this.#hello = undefined;
    this.owner.onClosed(this.code ?? code);
  }
}

/** Whether the first record is there. What is not TLS is complete with its first byte: OpenSSL says what is wrong. */
function isComplete(hello: Buffer): boolean {
  if (hello[0] !== HANDSHAKE) return true;
  return hello.length >= RECORD_HEADER && hello.length >= RECORD_HEADER + hello.readUInt16BE(3);
}
