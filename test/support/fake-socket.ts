/** A socket that the test plays: its peer, its kernel and its errors. */
import { expect } from "vitest";
import type { Socket, SocketOwner } from "../../src/transport/transport.js";

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
