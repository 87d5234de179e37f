/**
 * Output buffer of a turn: what a connection sends while its frames are handled is encoded, frame after frame, into
 * one buffer that all connections of the OS process share, and leaves in one write.
 *
 * The buffer is reused when the kernel took every byte at once. When it did not, those bytes belong to the socket
 * until the write completes: encoding continues behind them, in a new buffer once less than 16 KiB is left.
 */

import { ReusedBuffer } from "../../framing/buffer-view.js";
import type { Framing } from "../../framing/framing.js";
import { runInMicrotask } from "../../otp/process/microtask.js";

/** The writer whose frames are in the buffer. */
export interface OutputOwner {
  /** @returns whether the kernel took every byte, so that the memory may be reused */
  writeOutput(bytes: Buffer): boolean;
}

/** One read (64 KiB) and the largest frame that can be completed by it. */
const SIZE = 80 * 1024;
/** Frames above this leave from their own memory, where the framing allows it: copying would cost more. */
export const LARGE = 16 * 1024;

export class OutputBuffer {
  #memory = new ReusedBuffer(Buffer.allocUnsafeSlow(SIZE));
  /** Bytes before this offset belong to sockets that are still writing. */
  #start = 0;
  /** Where the next frame is encoded. */
  #at = 0;
  #owner: OutputOwner | undefined = undefined;
  #armed = false;
  /** The writer whose frames are being handled now: its turn ends with a flush, no microtask is needed. */
  handling: OutputOwner | undefined = undefined;

  /** Whether the writer may append a frame of this size now; otherwise flush first, and ask again. */
  fits(owner: OutputOwner, length: number): boolean {
    return (this.#owner === owner || this.#owner === undefined) && length <= SIZE - this.#at;
  }

  /** Encodes a frame that fits. @returns bytes of this writer that are not yet written */
  append<Out>(owner: OutputOwner, framing: Framing<any, Out>, frame: Out): number {
    if (this.#owner !== owner) {
      this.#owner = owner;
      if (this.handling !== owner) this.#arm();
    }
    this.#at = framing.encodeInto(frame, this.#memory.buffer, this.#at);
    return this.#at - this.#start;
  }

  /** Bytes of this writer that are encoded and not yet written. */
  gathered(owner: OutputOwner): number {
    return this.#owner === owner ? this.#at - this.#start : 0;
  }

  /** The connection is over: drops what it has encoded and not written. */
  forget(owner: OutputOwner): void {
    if (this.#owner !== owner) return;
    this.#owner = undefined;
    this.#at = this.#start;
  }

  /** Writes what is encoded. */
  flush(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    if (!owner || this.#at === this.#start) return;
    if (owner.writeOutput(this.#memory.view(this.#start, this.#at - this.#start))) {
      this.#at = this.#start;
      return;
    }
    this.#start = this.#at;
    if (SIZE - this.#start < LARGE) this.#renew();
  }

  /** Makes room for a frame; the buffer must be flushed. @returns false for a frame larger than the buffer */
  makeRoom(length: number): boolean {
    if (length > SIZE) return false;
    if (length > SIZE - this.#start) this.#renew();
    return true;
  }

  #renew(): void {
    this.#memory = new ReusedBuffer(Buffer.allocUnsafeSlow(SIZE));
    this.#start = this.#at = 0;
  }

  /** What is sent outside the handling of frames leaves in a microtask. */
  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    runInMicrotask(this.#done);
  }

  readonly #done = (): void => {
    this.#armed = false;
    this.flush();
  };
}
