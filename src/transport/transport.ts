/**
 * One socket, seen from above: several kinds of transport serve this interface and a connection does not
 * know which it has. No OTP here, and nothing is decided: the owner says when to read, write and close.
 */

/** Who owns a socket: told everything that happens to it, by method calls on one object (no emitter, no closure). */
export interface SocketOwner {
  /** Bytes from the peer. The chunk belongs to the owner from now on. */
  onChunk(chunk: Buffer): void;
  /**
   * Bytes from the peer, in memory that all sockets share: whatever is to outlive this call has to be copied.
   * A transport tells of bytes in this way or by `onChunk`.
   */
  onBytes(shared: Buffer, length: number): void;
  /** The peer has finished sending, and all that it sent was told; it may still be listening. */
  onEnd(): void;
  /** The kernel has taken all of the write that `write` said `false` about. */
  onWritten(): void;
  /**
   * The socket is gone: once, last, and never from inside a call of the owner's. `code` is the system's word
   * where it failed: `ECONNRESET`, `EPIPE`.
   */
  onClosed(code: string | undefined): void;
}

export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface Socket {
  readonly peer: Peer;
  /** Takes the socket over and begins to read. Nothing was read before: the hand-over loses no byte. */
  start(owner: SocketOwner): void;
  /** Stops reading; the kernel's buffer fills and TCP pushes back on the peer. */
  pause(): void;
  resume(): void;
  /**
   * Writes bytes. Only one write may be outstanding. To a socket that is gone they are lost, and it returns true.
   * @returns true: all written, the buffer may be used again. false: the bytes belong to the socket until
   * `onWritten`, which never comes before this returns, and not at all when `onClosed` comes first.
   */
  write(bytes: Buffer): boolean;
  /** As `write`, for a short piece and a long one that leave together. */
  writeTwo(head: Buffer, body: Uint8Array): boolean;
  /** Bytes of the outstanding write that the kernel has not taken yet: falls while the peer reads. */
  readonly unsent: number;
  /** Says that nothing more will be written (FIN), after what was. The reading side stays as it is. */
  end(): void;
  /** Closes at once; what was not sent is lost. `onClosed` follows. May be called again, and before `start`. */
  destroy(): void;
}

/** A listening socket as it was bound elsewhere, or an address to bind here. */
export type ListenTarget = { readonly handle: unknown } | { readonly host: string; readonly port: number };

export interface ListenOptions {
  readonly backlog: number;
  /** An accepted connection whose bytes nobody has read yet. */
  onSocket(socket: Socket): void;
  /** The listening socket failed and is closed. */
  onError(error: Error): void;
}

export interface Listening {
  readonly address: string;
  readonly port: number;
  /** Closes this OS process's copy of the listening socket; accepted connections stay. */
  close(): void;
}

export interface Transport {
  readonly name: "handle" | "stream";
  /** @throws NodeJS.ErrnoException when the address cannot be had */
  listen(target: ListenTarget, options: ListenOptions): Promise<Listening>;
}

/** After this long without traffic the kernel asks the peer whether it is still there. */
export const KEEP_ALIVE_MS = 60_000;
