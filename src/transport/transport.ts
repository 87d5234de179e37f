/**
 * One socket, seen from above: several kinds of transport serve this interface and a connection does not
 * know which it has. No OTP here, and nothing is decided: the owner says when to read, write and close.
 */

/** Who owns a socket: told everything that happens to it, by method calls on one object (no emitter, no closure). */
export interface SocketOwner {
  /** Bytes from the peer. The chunk belongs to the owner from now on. */
  onChunk(chunk: Buffer): void;
  /** The peer has finished sending; it may still be listening. */
  onEnd(): void;
  /** The write that `write` said `false` about is complete. */
  onWritten(): void;
  /** The socket is gone; last call. `code` is the system's word where it failed: `ECONNRESET`, `EPIPE`. */
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
   * Writes bytes. Only one write may be outstanding.
   * @returns true: all written, the buffer may be used again. false: the bytes belong to the socket until `onWritten`.
   */
  write(bytes: Buffer): boolean;
  /** Says that nothing more will be written (FIN), after what was. The reading side stays as it is. */
  end(): void;
  /** Closes at once; what was not sent is lost. `onClosed` follows. */
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
  readonly name: "stream";
  /** @throws NodeJS.ErrnoException when the address cannot be had */
  listen(target: ListenTarget, options: ListenOptions): Promise<Listening>;
}

/** After this long without traffic the kernel asks the peer whether it is still there. */
export const KEEP_ALIVE_MS = 60_000;
