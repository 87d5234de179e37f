/** A socket that the test plays: its peer, its kernel and its errors. */
import { expect } from "vitest";
import type { HandshakeOwner, Socket, SocketOwner } from "../../src/transport/transport.js";

/** Takes every byte at once, or none until `drain`. */
export class FakeSocket implements Socket {
  readonly peer = { address: "192.0.2.1", port: 1 };
  readonly local = { address: "192.0.2.2", port: 2 };
  owner: SocketOwner | undefined;
  slow = false;
  unsent = 0;
  paused = false;
  closed = false;
  finSent = false;
  finSeen = false;
  received: Buffer[] = [];
  /** What was written, if the test sets it. */
  written: Buffer[] | undefined;

  start(owner: SocketOwner): void {
    this.owner = owner;
  }
  setOwner(owner: SocketOwner): void {
    this.owner = owner;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  write(bytes: Uint8Array): boolean {
    if (this.closed) return true;
    expect([this.finSent, this.unsent]).toEqual([false, 0]);
    this.written?.push(Buffer.from(bytes));
    if (this.slow) this.unsent = bytes.length;
    return !this.slow;
  }
  writeTwo(head: Buffer, body: Uint8Array): boolean {
    return this.write(Buffer.concat([head, body]));
  }
  end(): void {
    this.finSent = true;
    if (this.finSeen) this.destroy();
  }
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.unsent = 0;
    setImmediate(() => this.owner?.onClosed(undefined));
  }
  reset(): void {
    this.destroy();
  }

  // -- what the peer does --

  /** Delivered when the socket is read, as the kernel would. */
  deliver(): void {
    while (!this.paused && !this.closed && this.received.length > 0)
      this.owner?.onChunk(this.received.shift() as Buffer);
    if (this.finSeen || !this.fin || this.paused || this.closed || this.received.length > 0) return;
    this.finSeen = true;
    this.owner?.onEnd();
    if (this.finSent) this.destroy();
  }
  fin = false;
  drain(): void {
    if (this.unsent === 0 || this.closed) return;
    this.unsent = 0;
    this.owner?.onWritten();
  }
  fail(): void {
    if (this.closed) return;
    this.closed = true;
    this.unsent = 0;
    setImmediate(() => this.owner?.onClosed("ECONNRESET"));
  }
}

/** The socket of the plaintext while and after the test plays a handshake on `plain`. */
export class FakeSecureSocket extends FakeSocket {
  readonly plain: FakeSocket;
  /** Waits for `up` or `refuse`. */
  opening = true;

  constructor(plain: Socket, owner: HandshakeOwner) {
    super();
    this.plain = plain as FakeSocket;
    this.owner = owner;
    expect(this.plain.unsent).toBe(0);
    this.plain.setOwner({
      onChunk() {},
      onBytes() {},
      onWritten() {},
      onEnd: () => this.owner?.onEnd(),
      onClosed: (code) => this.owner?.onClosed(code),
    });
    this.plain.resume();
    // Nothing may leave in clear any more.
    this.plain.write = () => expect.unreachable("written in clear");
  }

  override write(bytes: Uint8Array): boolean {
    expect(this.opening).toBe(false);
    return super.write(bytes);
  }

  override destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.unsent = 0;
    this.plain.destroy();
  }

  override fail(): void {
    this.closed = true;
    this.plain.fail();
  }

  up(): void {
    if (!this.opening || this.closed || this.plain.closed) return;
    this.opening = false;
    (this.owner as HandshakeOwner).onSecure(false);
  }

  refuse(): void {
    if (!this.opening || this.closed || this.plain.closed) return;
    (this.owner as HandshakeOwner).onRefused("tls_error", "refused by the test");
  }
}
