/**
 * Interface of a transport: accepted sockets, independent of how they are implemented. No OTP and no policy here:
 * the owner of a socket decides when to read, write and close.
 */

import type { SecureFailure, SecureTerms, TlsInfo } from "./secure/terms.js";

/** Bytes that a socket reads at a time, at most: what libuv asks the kernel for. */
export const READ_SIZE = 64 * 1024;

/** Callbacks of a socket, as methods of one object: no event emitter and no closure per connection. */
export interface SocketOwner {
  /** Received bytes. The chunk belongs to the owner. */
  onChunk(chunk: Buffer): void;
  /**
   * Received bytes in a buffer that all sockets share: the next read overwrites it, so copy what must outlive this
   * call. A transport uses either `onBytes` or `onChunk`.
   */
  onBytes(shared: Buffer, length: number): void;
  /** The peer has sent FIN, after all its bytes were delivered; it may still be reading. */
  onEnd(): void;
  /** The kernel has taken all bytes of the write that returned `false`. */
  onWritten(): void;
  /**
   * The socket is closed. Called once, last, and never while the owner is calling the socket. `code` is the system
   * error, if there was one: `ECONNRESET`, `EPIPE`; `EPROTO` for bytes that are not TLS, or an alert.
   */
  onClosed(code: string | undefined): void;
}

/** Callbacks of a socket until its handshake is done. */
export interface HandshakeOwner extends SocketOwner {
  /** The handshake is done. No byte of plaintext was delivered before; `setOwner` called in it loses none. */
  onSecure(resumed: boolean): void;
  /**
   * The handshake has failed. The alert, if there is one, was sent; the owner closes the socket.
   * @param message for the log: what is wrong, in one line, without secrets
   * @param code OpenSSL's, such as `ERR_SSL_HTTP_REQUEST`, or that of the verification, such as `CERT_HAS_EXPIRED`
   */
  onRefused(reason: SecureFailure, message: string, code?: string): void;
}

/** Address of one end of a connection. Of a UNIX socket: its path, `@name` for an abstract one, and port 0. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** An accepted or connected socket. */
export interface Socket {
  readonly peer: Peer;
  /** File descriptor, until it is closed: the lowest that was free, so all below it are in use. `undefined`: not known. */
  readonly fd?: number | undefined;
  /** Node's async id of its read callbacks. `undefined`: not known. */
  readonly asyncId?: number | undefined;
  /** Address of this end; asked of the kernel at each access, so empty with port 0 once it is closed. */
  readonly local: Peer;
  /** `undefined` on a plain socket. Made when it is asked for first; not after the socket is closed. */
  readonly tls?: TlsInfo | undefined;
  /** Sets the owner and starts reading. Nothing was read before, so no byte is lost. */
  start(owner: SocketOwner): void;
  /** Gives a started socket another owner, also from within a callback of the present one; reading goes on. */
  setOwner(owner: SocketOwner): void;
  /** Stops reading: the receive buffer in the kernel fills and TCP flow control stops the peer. */
  pause(): void;
  resume(): void;
  /**
   * Writes bytes. Only one write may be outstanding. On a closed socket the bytes are discarded and it returns true.
   * @returns true: all written, the buffer may be reused. false: the bytes belong to the socket until `onWritten`,
   * which is never called before this returns, and not at all if `onClosed` is called first.
   */
  write(bytes: Buffer): boolean;
  /** As `write`, for a header and a body in one system call. */
  writeTwo(head: Buffer, body: Uint8Array): boolean;
  /** Bytes of the outstanding write that the kernel has not taken yet: decreases while the peer reads. */
  readonly unsent: number;
  /** Sends FIN after the outstanding write. Reading goes on. */
  end(): void;
  /** Closes at once and discards unsent bytes; `onClosed` follows. May be called repeatedly, and before `start`. */
  destroy(): void;
  /** As `destroy`, but with RST: tells the peer that what it has received is not complete. UNIX sockets have no RST. */
  reset(): void;
}

/** A UNIX socket to bind. See `unix/bind-unix.ts`. */
export interface UnixTarget {
  /** Path of the socket, at most 107 bytes; on Linux `@name` for an abstract name, which is no file. */
  readonly path: string;
  /** Permissions of the file. Default `0o600`: only this user may connect. */
  readonly mode?: number | undefined;
  /** User that owns the file: name or number. Default: this user. Only root may name another one. */
  readonly owner?: string | number | undefined;
  /** Group of the file: name or number. Default: this user's. */
  readonly group?: string | number | undefined;
}

/** A listening socket that is already bound, or an address to bind. */
export type ListenTarget =
  /** `address`: path of a UNIX socket, which does not tell it. */
  | { readonly handle: unknown; readonly address?: string }
  | { readonly host: string; readonly port: number }
  | UnixTarget;

export interface ListenOptions {
  /** Length of the kernel's queue of connections that are not accepted yet. */
  readonly backlog: number;
  /** A connection was accepted; nothing has been read from it. */
  onSocket(socket: Socket): void;
  /** The listening socket failed and is closed. */
  onError(error: Error): void;
}

/** A listening socket that accepts. */
export interface Listening {
  readonly address: string;
  readonly port: number;
  /** Closes this OS process's copy of the listening socket; accepted connections stay. */
  close(): void;
  /** Stops accepting without closing, where that is possible. See `pausing.ts`. */
  readonly pausing?: Pausing | undefined;
}

/** A listening socket that can pause. Clients queue in the backlog, where other OS processes may accept them. */
export interface Pausing {
  /** No connection is accepted from here on, also within the callback of one. */
  pause(): void;
  resume(): void;
}

/** Where to connect: one IP address, or a UNIX socket (`@name`: an abstract one). */
export type ConnectTarget = { readonly address: string; readonly port: number } | { readonly path: string };

export interface Transport {
  readonly name: "handle" | "stream";
  /** @throws NodeJS.ErrnoException when the address cannot be bound */
  listen(target: ListenTarget, options: ListenOptions): Promise<Listening>;
  /**
   * Connects to one address; nothing has been read from the socket.
   * @param signal aborting it closes an attempt that is not done
   * @throws NodeJS.ErrnoException (`ECONNREFUSED`, `EHOSTUNREACH`, `ENOENT`, …), or the reason of the signal
   */
  connect(target: ConnectTarget, signal?: AbortSignal): Promise<Socket>;
  /**
   * Begins TLS on a socket of this transport, on the server's or the client's side.
   *
   * There is no deadline: the owner closes the returned socket. FIN and errors of the system meanwhile are `onEnd` and
   * `onClosed`, as ever. Until `onSecure` nothing can be written.
   * @param socket not started, unless `received` is given; it belongs to the returned socket from now on
   * @param received ciphertext that was read before: behind a PROXY header, or behind STARTTLS
   * @returns the socket of the plaintext: started, and owned by `owner`. Closing it closes `socket`, also during the
   * handshake. No callback comes before this has returned
   */
  secure(socket: Socket, terms: SecureTerms, received: Buffer | undefined, owner: HandshakeOwner): Socket;
}

/** TCP keepalive: idle time before the first probe, in milliseconds. */
export const KEEP_ALIVE_MS = 60_000;
