/**
 * Portable transport: `net.Socket` behind the transport interface. Event listeners are shared functions that find
 * their socket through `this`, so a connection costs no closure.
 */
import { createServer, Socket as NetSocket, type Server, type SocketConstructorOpts } from "node:net";
import { getSystemErrorName } from "node:util";
import { isPipe, type PipeHandle } from "./node-bindings.js";
import { NO_PEER, plainAddress } from "./peer.js";
import {
  KEEP_ALIVE_MS,
  type Listening,
  type ListenOptions,
  type ListenTarget,
  type Peer,
  type Socket,
  type SocketOwner,
  type Transport,
} from "./transport.js";
import { bindUnix } from "./unix/bind-unix.js";

const SELF = Symbol("drover.socket");
const NOTHING = Buffer.alloc(0);

interface Owned extends NetSocket {
  [SELF]?: StreamSocket;
  /** libuv's stream, of which `net` itself reads `writeQueueSize`. */
  readonly _handle?: { readonly writeQueueSize?: number; reset?(): number } | null;
  /** With it, `destroy` closes the handle by RST. */
  resetAndClosing?: boolean;
}

class StreamSocket implements Socket {
  readonly peer: Peer;
  readonly #socket: Owned;
  owner: SocketOwner | undefined = undefined;
  code: string | undefined = undefined;

  constructor(socket: NetSocket, peer: Peer) {
    this.#socket = socket;
    this.peer = peer;
    this.#socket[SELF] = this;
    // Added at once: a reset before `start` would otherwise be an unhandled error and end the worker.
    socket.on("error", onError).on("close", onClose);
  }

  get local(): Peer {
    const { localAddress, localPort } = this.#socket;
    // Both ends of a UNIX socket have its path.
    if (this.peer.port === 0) return this.peer;
    if (localAddress === undefined || localPort === undefined) return NO_PEER;
    return { address: plainAddress(localAddress), port: localPort };
  }

  setOwner(owner: SocketOwner): void {
    this.owner = owner;
  }

  start(owner: SocketOwner): void {
    this.owner = owner;
    // "close" was emitted before there was an owner. If it is still to come, `onClose` handles it.
    if (this.#socket.closed) return queueMicrotask(() => owner.onClosed(this.code));
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
  if (this[SELF]) this[SELF].code = error.code ?? error.message;
}

function onClose(this: Owned): void {
  this[SELF]?.owner?.onClosed(this[SELF].code);
}

async function listen(target: ListenTarget, options: ListenOptions): Promise<Listening> {
  if ("path" in target) {
    const bound = await bindUnix(target);
    return { ...listenUnix(bound.handle as PipeHandle, bound.address, options), close: bound.close };
  }
  if ("handle" in target && isPipe(target.handle))
    return listenUnix(target.handle, target.address ?? "", options);
  return listenTcp(target, options);
}

/** `net.Server` takes no UNIX socket that is already bound, so its handle is driven here. */
function listenUnix(handle: PipeHandle, path: string, options: ListenOptions): Listening {
  const peer = Object.freeze({ address: path, port: 0 });
  handle.onconnection = (status, client) => {
    if (status !== 0 || !client) return;
    // As `net.Server` makes its sockets.
    const settings = {
      handle: client,
      allowHalfOpen: true,
      pauseOnCreate: true,
      readable: true,
      writable: true,
    };
    options.onSocket(new StreamSocket(new NetSocket(settings as SocketConstructorOpts), peer));
  };
  const failed = handle.listen(options.backlog);
  if (failed === 0) return { ...peer, close: () => handle.close() };
  handle.close();
  const code = getSystemErrorName(failed);
  throw Object.assign(new Error(`listen ${code} ${path}`), { code, syscall: "listen" });
}

function listenTcp(
  target: Exclude<ListenTarget, { path: string }>,
  options: ListenOptions,
): Promise<Listening> {
  const server = createServer({
    // A reply must reach a client that has finished sending.
    allowHalfOpen: true,
    // Nothing is read before the connection's process owns the socket.
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  server.on("connection", (socket) => {
    const { remoteAddress, remotePort } = socket;
    // The peer closed while it waited in the backlog and has no address.
    if (remoteAddress === undefined || remotePort === undefined)
      return void socket.on("error", () => {}).destroy();
    options.onSocket(new StreamSocket(socket, { address: plainAddress(remoteAddress), port: remotePort }));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      server.on("error", (error) => options.onError(error));
      resolve(listening(server));
    });
    if ("handle" in target) server.listen(target.handle, options.backlog);
    else server.listen({ host: target.host, port: target.port, backlog: options.backlog });
  });
}

function listening(server: Server): Listening {
  const bound = server.address();
  const { address, port } = typeof bound === "object" && bound ? bound : { address: String(bound), port: 0 };
  return { address, port, close: () => void server.close() };
}

function secure(): never {
  throw new Error("TLS is not implemented yet");
}

export const stream: Transport = { name: "stream", listen, secure };
