/**
 * Socket of the portable transport: `net.Socket` behind the transport interface. Event listeners are shared functions
 * that find their socket through `this`, so a connection costs no closure.
 */
import type { Socket as NetSocket } from "node:net";
import { NO_PEER, plainAddress } from "../peer.js";
import type { Peer, Socket, SocketOwner } from "../transport.js";

const SELF = Symbol("drover.socket");
const NOTHING = Buffer.alloc(0);

interface Owned extends NetSocket {
  [SELF]?: StreamSocket;
  /** libuv's stream, of which `net` itself reads `writeQueueSize`. */
  readonly _handle?: {
    readonly fd?: number;
    getAsyncId?(): number;
    readonly writeQueueSize?: number;
    reset?(): number;
  } | null;
  /** With it, `destroy` closes the handle by RST. */
  resetAndClosing?: boolean;
}

export class StreamSocket implements Socket {
  readonly peer: Peer;
  readonly #socket: Owned;
  owner: SocketOwner | undefined = undefined;
  code: string | undefined = undefined;
  /** Whether "close" was emitted. `net.Socket.closed` is true before that. */
  #closed = false;

  constructor(socket: NetSocket, peer: Peer) {
    this.#socket = socket;
    this.peer = peer;
    this.#socket[SELF] = this;
    // Added at once: a reset before `start` would otherwise be an unhandled error and end the worker.
    socket.on("error", onError).on("close", onClose);
  }

  get fd(): number | undefined {
    return this.#socket._handle?.fd;
  }

  get asyncId(): number | undefined {
    return this.#socket._handle?.getAsyncId?.();
  }

  get local(): Peer {
    const { localAddress, localPort } = this.#socket;
    // Both ends of a UNIX socket have its path.
    if (this.peer.port === 0) return this.peer;
    if (localAddress === undefined || localPort === undefined) return NO_PEER;
    return { address: plainAddress(localAddress), port: localPort };
  }

  /** @internal For TLS, which takes it over. */
  get stream(): Owned {
    return this.#socket;
  }

  /** @internal It reads no more by itself. */
  release(): void {
    this.#socket.off("data", onData).off("end", onEnd).pause();
  }

  setOwner(owner: SocketOwner): void {
    this.owner = owner;
  }

  start(owner: SocketOwner): void {
    this.owner = owner;
    // "close" was emitted before there was an owner. If it is still to come, `onClose` handles it.
    if (this.#closed) return queueMicrotask(() => owner.onClosed(this.code));
    this.#socket.on("data", onData).on("end", onEnd).resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(bytes: Buffer): boolean {
    if (!this.#socket.writable) return true;
    this.#socket.write(bytes);
    return this.#written();
  }

  writeTwo(head: Buffer, body: Uint8Array): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    socket.cork();
    socket.write(head);
    socket.write(body);
    socket.uncork();
    return this.#written();
  }

  #written(): boolean {
    const socket = this.#socket;
    if (socket.writableLength === 0) return true;
    // The callback of a second, empty write says that the first is done; needed only for an asynchronous write.
    socket.write(NOTHING, (error) => {
      // The callback is also called when the write failed.
      if (!error && !socket.destroyed) this.owner?.onWritten();
    });
    return false;
  }

  get unsent(): number {
    const { writableLength, _handle: handle } = this.#socket;
    // `writableLength` decreases only when the whole write is done; the handle knows what is left of it.
    return Math.min(writableLength, handle?.writeQueueSize ?? writableLength);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** @internal "close" was emitted. */
  notifyClosed(): void {
    this.#closed = true;
    this.owner?.onClosed(this.code);
  }

  /** By the handle: `resetAndDestroy` first waits for the outstanding write, for ever where the peer does not read. */
  reset(): void {
    const socket = this.#socket;
    // After FIN libuv refuses it, and `net` would then leave the handle open.
    if (!socket.destroyed && !socket.writableEnded && socket._handle?.reset) socket.resetAndClosing = true;
    socket.destroy();
  }
}

function onData(this: Owned, chunk: Buffer): void {
  this[SELF]?.owner?.onChunk(chunk);
}

function onEnd(this: Owned): void {
  this[SELF]?.owner?.onEnd();
}

function onError(this: Owned, error: NodeJS.ErrnoException): void {
  const { code = error.message } = error;
  // Errors of OpenSSL have names of their own.
  if (this[SELF]) this[SELF].code = /^ERR_(SSL|TLS|OSSL)/.test(code) ? "EPROTO" : code;
}

function onClose(this: Owned): void {
  this[SELF]?.notifyClosed();
}
