/** Fast transport: libuv's handles without streams. The sockets are in `handle-socket.ts`. */
import net from "node:net";
import { getSystemErrorName } from "node:util";
import { pausingOf } from "../pausing.js";
import { resolveHost } from "../resolve-host.js";
import { SecureHandleSocket } from "../secure/secure-handle.js";
import type { SecureTerms } from "../secure/terms.js";
import {
  type HandshakeOwner,
  KEEP_ALIVE_MS,
  type Listening,
  type ListenOptions,
  type ListenTarget,
  type Peer,
  type Socket,
  type Transport,
} from "../transport.js";
import { bindUnix } from "../unix/bind-unix.js";
import { connect } from "./handle-connect.js";
import { HandleSocket, type Owned, peerOf } from "./handle-socket.js";
import { isPipe, type StreamHandle, type TcpHandle } from "./node-bindings.js";

/** On Linux an accepted socket inherits the options of the listening socket: two calls at start instead of five each. */
const INHERITS = process.platform === "linux";

async function listen(target: ListenTarget, options: ListenOptions): Promise<Listening> {
  if ("path" in target) {
    const bound = await bindUnix(target);
    return { ...listenUnix(bound.handle as StreamHandle, bound.address, options), close: bound.close };
  }
  if (!("handle" in target))
    return listenTcp(bindHere(await resolveHost(target.host), target.port), options, target);
  const { handle, address = "" } = target;
  return isPipe(handle)
    ? listenUnix(handle, address, options)
    : listenTcp(handle as TcpHandle, options, target);
}

function listenTcp(handle: TcpHandle, options: ListenOptions, target: ListenTarget): Listening {
  if (INHERITS) prepare(handle);
  handle.onconnection = (status, client) => {
    // After an error of accept there is no socket to close; libuv accepts again.
    if (status !== 0 || !client) return;
    if (!INHERITS) prepare(client as TcpHandle);
    options.onSocket(new HandleSocket(client, peerOf(client as TcpHandle)));
  };
  start(handle, options.backlog, target);
  const bound: Partial<Peer> = {};
  handle.getsockname(bound);
  const { address = "", port = 0 } = bound;
  return { address, port, close: () => handle.close(), pausing: pausingOf(handle) };
}

/** @param path all its connections have it as the address of their peer */
function listenUnix(handle: StreamHandle, path: string, options: ListenOptions): Listening {
  const peer = Object.freeze({ address: path, port: 0 });
  handle.onconnection = (status, client) => {
    if (status === 0 && client) options.onSocket(new HandleSocket(client, peer));
  };
  start(handle, options.backlog, { path });
  return { ...peer, close: () => handle.close(), pausing: pausingOf(handle) };
}

function prepare(handle: TcpHandle): void {
  handle.setNoDelay(true);
  handle.setKeepAlive(true, KEEP_ALIVE_MS / 1000);
}

function start(handle: StreamHandle, backlog: number, target: ListenTarget): void {
  const failed = handle.listen(backlog);
  if (failed === 0) return;
  handle.close();
  throw listenError(failed, target);
}

type CreateServerHandle = (address: string, port: number, family: 4 | 6) => (Owned & TcpHandle) | number;

function bindHere(host: string, port: number): TcpHandle {
  const create = (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle;
  const bound = create(host, port, net.isIPv6(host) ? 6 : 4);
  if (typeof bound === "number") throw listenError(bound, { host, port });
  return bound;
}

function listenError(error: number, target: ListenTarget): NodeJS.ErrnoException {
  const code = getSystemErrorName(error);
  const where =
    "host" in target ? ` ${target.host}:${target.port}` : "path" in target ? ` ${target.path}` : "";
  return Object.assign(new Error(`listen ${code}${where}`), { code, syscall: "listen" });
}

function secure(
  socket: Socket,
  terms: SecureTerms,
  received: Buffer | undefined,
  owner: HandshakeOwner,
): Socket {
  return new SecureHandleSocket(socket as HandleSocket, terms, owner).handshake(received);
}

export const handle: Transport = { name: "handle", listen, connect, secure };
