/**
 * Writes of the same bytes to many sockets: the sockets of some connections are collected, then written to one after the
 * other. Each write enters the kernel, after which the caches of the CPU are cold: what a connection is asked between
 * two writes costs several times as much as the same of all of them in a row.
 */
import type { Socket } from "../../transport/transport.js";

/** The writer of a connection that has no write outstanding. */
export interface SharingWriter {
  /** The socket has not taken all of so many bytes at once. */
  writeOutstanding(length: number): void;
}

/** Writes that are collected at most. */
const AT_ONCE = 64;

export class SharedWrites {
  readonly #sockets: (Socket | undefined)[] = Array.from({ length: AT_ONCE }, () => undefined);
  readonly #writers: (SharingWriter | undefined)[] = Array.from({ length: AT_ONCE }, () => undefined);
  #count = 0;
  #bytes: Buffer | undefined = undefined;

  /** Collects a write, once for each connection: until `flush` nothing else may be written to its socket. */
  add(writer: SharingWriter, socket: Socket, bytes: Buffer): void {
    if (this.#bytes !== bytes || this.#count === AT_ONCE) {
      this.flush();
      this.#bytes = bytes;
    }
    this.#sockets[this.#count] = socket;
    this.#writers[this.#count++] = writer;
  }

  /** Writes what is collected. */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    const bytes = this.#bytes as Buffer;
    const sockets = this.#sockets;
    for (let at = 0; at < count; at++)
      if (sockets[at]?.write(bytes) === false) this.#writers[at]?.writeOutstanding(bytes.length);
    this.#count = 0;
    this.#bytes = undefined;
    // An ended connection must not be kept by them.
    sockets.fill(undefined);
    this.#writers.fill(undefined);
  }
}
