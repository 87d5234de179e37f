/**
 * The output of one turn. Whatever a connection sends while its frames are handled is encoded one after the
 * other into a buffer that all connections of the worker share, and leaves in one write.
 *
 * The buffer is used again when the kernel took all at once. When it did not, those bytes belong to the
 * socket until it is done: the turn goes on behind them, and begins a new buffer when little is left.
 */

import { ReusedBuffer } from "../../framing/buffer-view.js";
import type { Framing } from "../../framing/framing.js";
import { runInMicrotask } from "../../otp/process/microtask.js";

/** Who writes what has been gathered. */
export interface OutputOwner {
  /** @returns whether all was written, so that the memory may be used again */
  writeOutput(bytes: Buffer): boolean;
}

/** As much as a read brings, and the largest frame that can come whole with it. */
const SIZE = 80 * 1024;
/** Larger frames leave from where they are, if they can. */
export const LARGE = 16 * 1024;

export class OutputBuffer {
  #memory = new ReusedBuffer(Buffer.allocUnsafeSlow(SIZE));
  /** Before this the buffer belongs to sockets. */
  #start = 0;
  #at = 0;
  #owner: OutputOwner | undefined = undefined;
  #armed = false;
  /** Whether the owner's frames are being handled, so that the turn has an end of its own. */
  handling: OutputOwner | undefined = undefined;

  /** Whether the owner may add a frame of this size now; otherwise `flush` first, and ask again. */
  fits(owner: OutputOwner, length: number): boolean {
    return (this.#owner === owner || this.#owner === undefined) && length <= SIZE - this.#at;
  }

  /** Adds a frame that fits. */
  append<Out>(owner: OutputOwner, framing: Framing<any, Out>, frame: Out): void {
    if (this.#owner !== owner) {
      this.#owner = owner;
      if (this.handling !== owner) this.#arm();
    }
    this.#at = framing.encodeInto(frame, this.#memory.buffer, this.#at);
  }

  /** Bytes that the owner has gathered and not written. */
  gathered(owner: OutputOwner): number {
    return this.#owner === owner ? this.#at - this.#start : 0;
  }

  /** The owner is no more, and what it has gathered with it. */
  forget(owner: OutputOwner): void {
    if (this.#owner !== owner) return;
    this.#owner = undefined;
    this.#at = this.#start;
  }

  /** Writes what has been gathered. */
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

  /** Makes room for a frame, when nothing is gathered. @returns whether it can have so much */
  makeRoom(length: number): boolean {
    if (length > SIZE) return false;
    if (length > SIZE - this.#start) this.#renew();
    return true;
  }

  #renew(): void {
    this.#memory = new ReusedBuffer(Buffer.allocUnsafeSlow(SIZE));
    this.#start = this.#at = 0;
  }

  /** What is sent outside the handling of frames leaves when the present piece of work is done. */
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
