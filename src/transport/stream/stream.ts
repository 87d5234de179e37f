/** Portable transport: `net`. The sockets are in `stream-socket.ts`. */
import { createServer, Socket as NetSocket, type Server, type SocketConstructorOpts } from "node:net";
import { getSystemErrorName } from "node:util";
import { isPipe, type PipeHandle } from "../handle/node-bindings.js";
import { plainAddress } from "../peer.js";
import { SecureStreamSocket } from "../secure/secure-stream.js";
import type { SecureTerms } from "../secure/terms.js";
import {
  type HandshakeOwner,
  KEEP_ALIVE_MS,
  type Listening,
  type ListenOptions,
  type ListenTarget,
  type Socket,
  type Transport,
} from "../transport.js";
import { bindUnix } from "../unix/bind-unix.js";
import { connect } from "./stream-connect.js";
import { StreamSocket } from "./stream-socket.js";

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

function secure(
  socket: Socket,
  terms: SecureTerms,
  received: Buffer | undefined,
  owner: HandshakeOwner,
): Socket {
  return new SecureStreamSocket(socket as StreamSocket, terms, owner).handshake(received);
}

export const stream: Transport = { name: "stream", listen, connect, secure };
