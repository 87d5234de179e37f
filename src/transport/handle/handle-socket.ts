/**
 * Socket of the fast transport: reads and writes libuv's handle directly, as the tutorial does with `prim_inet`. No
 * stream objects, no events, no buffer per read: all connections of a worker read into one buffer, which the owner
 * reads before `onBytes` returns, and a write that the kernel takes at once allocates nothing.
 */
import { getSystemErrorName } from "node:util";
import { cleanContext, outsideContexts } from "../async-context.js";
import { NO_PEER, type PackedPeer, packPeer, plainAddress, unpackPeer } from "../peer.js";
import { type Peer, READ_SIZE, type Socket, type SocketOwner } from "../transport.js";
import {
  type Libuv,
  libuv,
  type ShutdownRequest,
  type StreamHandle,
  type TcpHandle,
  type WriteRequest,
} from "./node-bindings.js";

const UV_EOF = -4095;
const UV_ENOTCONN = -107;

/** @internal */
export const uv = libuv() as Libuv;
/** Read after each write, when the caches of the CPU are cold: not through `uv`. */
const { state, WRITE_IS_ASYNC } = uv;
/** Read buffer shared by all connections of this OS process. */
export const READ_BUFFER = Buffer.allocUnsafeSlow(READ_SIZE);
/** Reused for every address that is asked of the kernel. */
const name = { address: "", port: 0 };
/** Reused for every write; an asynchronous write keeps it, and a new one is made. */
let request = outsideContexts(makeRequest);

/**
 * Field of a handle that refers to its socket: the one in which Node keeps its own `net.Socket`. Another field would
 * cost every connection a larger property store.
 */
export const OWNER: unique symbol = ownerSymbol() as never;

function ownerSymbol(): symbol {
  const handle = new uv.TCP(uv.SOCKET);
  handle.close();
  const symbols = Object.getOwnPropertySymbols(handle);
  return symbols.find((symbol) => symbol.description === "owner_symbol") ?? Symbol("drover.socket");
}

/** A handle of a TCP socket, or of a UNIX socket, which has neither names nor RST. */
export interface Owned extends StreamHandle, Partial<Pick<TcpHandle, "getsockname" | "reset">> {
  [OWNER]?: HandleSocket;
}

/** The peer of a connected TCP handle. */
export function peerOf(handle: TcpHandle): PackedPeer {
  return handle.getpeername(name) === 0 ? packPeer(name.address, name.port) : NO_PEER;
}

/** The peer has sent FIN. */
const ENDED = 1;
/** This side has sent FIN. */
const FIN_SENT = 2;
/** A write is outstanding. */
const WRITING = 4;
/** The handle is closed. */
const CLOSED = 8;
/** `onClosed` was called. */
const NOTIFIED = 16;

export class HandleSocket implements Socket {
  readonly #handle: Owned;
  #owner: SocketOwner | undefined = undefined;
  readonly #peer: PackedPeer;
  #code: string | undefined = undefined;
  /** Packed into one integer: five booleans would cost 40 bytes per connection. */
  #flags = 0;

  constructor(handle: Owned, peer: PackedPeer) {
    this.#handle = handle;
    this.#peer = peer;
    handle[OWNER] = this;
    handle.onread = onRead;
  }

  private is(flags: number): boolean {
    return (this.#flags & flags) !== 0;
  }

  /** @internal For TLS, which takes its reads and writes over. */
  get handle(): Owned {
    return this.#handle;
  }

  /** @internal */
  get closed(): boolean {
    return this.is(CLOSED);
  }

  get peer(): Peer {
    return unpackPeer(this.#peer);
  }

  get fd(): number {
    return this.#handle.fd;
  }

  get asyncId(): number {
    return this.#handle.getAsyncId();
  }

  get local(): Peer {
    // Both ends of a UNIX socket have its path.
    if (this.#handle.getsockname === undefined) return this.peer;
    if (this.is(CLOSED) || this.#handle.getsockname(name) !== 0) return NO_PEER;
    return { address: plainAddress(name.address), port: name.port };
  }

  setOwner(owner: SocketOwner): void {
    this.#owner = owner;
  }

  start(owner: SocketOwner): void {
    this.#owner = owner;
    if (this.is(CLOSED)) return notifyLater(this);
    this.#handle.useUserBuffer(READ_BUFFER);
    const failed = this.#handle.readStart();
    if (failed !== 0) this.fail(failed);
  }

  pause(): void {
    if (!this.is(CLOSED)) this.#handle.readStop();
  }

  resume(): void {
    if (!this.is(CLOSED | ENDED)) this.#handle.readStart();
  }

  write(bytes: Buffer): boolean {
    if (this.is(CLOSED | FIN_SENT)) return true;
    return this.afterWrite(this.#handle.writeBuffer(request, bytes), bytes);
  }

  writeTwo(head: Buffer, body: Uint8Array): boolean {
    if (this.is(CLOSED | FIN_SENT)) return true;
    const both = [head, body];
    return this.afterWrite(this.#handle.writev(request, both, true), both);
  }

  private afterWrite(failed: number, bytes: Uint8Array | readonly Uint8Array[]): boolean {
    if (failed !== 0) {
      this.fail(failed);
      return true;
    }
    if (state[WRITE_IS_ASYNC] === 0) return true;
    request.buffer = bytes;
    request.socket = this;
    request = outsideContexts(makeRequest);
    this.#flags |= WRITING;
    return false;
  }

  get unsent(): number {
    return this.is(CLOSED) ? 0 : this.#handle.writeQueueSize;
  }

  end(): void {
    if (this.is(CLOSED | FIN_SENT)) return;
    this.#flags |= FIN_SENT;
    // The peer has sent FIN and no write is outstanding: closing has the same effect with one system call less.
    if (this.is(ENDED) && !this.is(WRITING)) return this.destroy();
    const shutdown: ShutdownRequest & { socket?: HandleSocket } = new uv.ShutdownWrap();
    shutdown.socket = this;
    shutdown.oncomplete = onShutdown;
    const failed = this.#handle.shutdown(shutdown);
    if (failed === 1 || failed === UV_ENOTCONN) this.finDone();
    else if (failed < 0) this.fail(failed);
  }

  destroy(): void {
    this.close(false);
  }

  reset(): void {
    this.close(true);
  }

  private close(reset: boolean): void {
    if (this.is(CLOSED)) return;
    this.#flags |= CLOSED;
    if (!reset || this.#handle.reset?.() !== 0) this.#handle.close();
    if (this !== current) notifyLater(this);
  }

  /** @internal `length` bytes are in the shared read buffer. */
  received(length: number): void {
    if (!this.is(CLOSED)) this.#owner?.onBytes(READ_BUFFER, length);
  }

  /** @internal The peer has sent FIN. */
  eof(): void {
    if (this.is(CLOSED)) return;
    this.#flags |= ENDED;
    this.#handle.readStop();
    this.#owner?.onEnd();
    if (this.is(FIN_SENT) && !this.is(WRITING)) this.destroy();
  }

  /** @internal */
  fail(error: number): void {
    this.#code = getSystemErrorName(error);
    this.destroy();
  }

  /** @internal The outstanding write is done. */
  written(status: number): void {
    this.#flags &= ~WRITING;
    if (this.is(CLOSED)) return;
    if (status < 0) return this.fail(status);
    this.#owner?.onWritten();
  }

  /** @internal FIN was sent. */
  finDone(): void {
    if (this.is(ENDED)) this.destroy();
  }

  /** @internal The handle is closed: notifies the owner once. */
  notifyClosed(): void {
    if (this.is(NOTIFIED) || !this.#owner) return;
    this.#flags |= NOTIFIED;
    this.#owner.onClosed(this.#code);
  }
}

function makeRequest(): WriteRequest {
  const made = new uv.WriteWrap();
  made.oncomplete = onWritten;
  made.buffer = undefined;
  made.socket = undefined;
  return made;
}

/** The socket whose read callback is running: if it is closed meanwhile, its owner is notified right after it. */
let current: HandleSocket | undefined;

function onRead(this: Owned): void {
  const socket = this[OWNER];
  if (!socket) return;
  const length = state[uv.READ] as number;
  current = socket;
  if (length > 0) socket.received(length);
  else if (length === UV_EOF) socket.eof();
  else if (length < 0) socket.fail(length);
  current = undefined;
  if (socket.closed) socket.notifyClosed();
}

/** Sockets closed outside their read callback, whose owners are not notified yet. */
let closed: HandleSocket[] = [];

/** One setImmediate for all of them: a close callback of libuv for each would cost a property and a call into V8. */
function notifyLater(socket: HandleSocket): void {
  if (closed.push(socket) === 1) setImmediate(notifyAll);
}

function notifyAll(): void {
  const gone = closed;
  closed = [];
  for (const socket of gone) cleanContext().runInAsyncScope(socket.notifyClosed, socket);
}

function onWritten(this: WriteRequest, status: number): void {
  const socket = this.socket as HandleSocket;
  this.buffer = this.socket = undefined;
  socket.written(status);
}

function onShutdown(this: ShutdownRequest & { socket?: HandleSocket }): void {
  this.socket?.finDone();
}
