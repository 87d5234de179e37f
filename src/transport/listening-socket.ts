/**
 * Listening socket of the primary: bound, but never accepting. Workers get copies of it and accept on them, so the
 * kernel's queue of waiting clients outlives every worker.
 *
 * Uses `net._createServerHandle`, with which node:cluster binds in every Node major that drover supports.
 */
import net from "node:net";
import { getSystemErrorName } from "node:util";
import { resolveHost } from "./resolve-host.js";
import { inheritedSocket } from "./unix/inherited-socket.js";

export interface BoundHandle {
  /** Sent to workers; a target of `Transport.listen`. */
  readonly handle: unknown;
  /** IP address, or path of a UNIX socket. */
  readonly address: string;
  /** 0: a UNIX socket. */
  readonly port: number;
  /** Closes it, and removes the file of a UNIX socket. */
  close(): void;
}

interface RawHandle {
  getsockname(out: { address?: string; port?: number }): number;
  getpeername(out: object): number;
  close(): void;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  family: 4 | 6 | null,
  fd?: number,
) => RawHandle | number;

const createServerHandle = (net as unknown as { _createServerHandle: CreateServerHandle })
  ._createServerHandle;

/** Errors of binding `::` on a host without IPv6. */
const NO_IPV6: readonly string[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"];

/**
 * Binds an address. `::` takes IPv4 and IPv6, and falls back to `0.0.0.0` where there is no IPv6.
 * @param host an IP address
 * @param port 0 for any free port
 * @throws NodeJS.ErrnoException with `code` `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`
 */
export function bind(host: string, port: number): BoundHandle {
  const bound = tryBind(host, port);
  if (typeof bound !== "string") return bound;
  if (host !== "::" || !NO_IPV6.includes(bound)) throw bindError(bound, host, port);
  return bind("0.0.0.0", port);
}

/** As `bind`, for a host name as well. */
export async function bindTcp(host: string, port: number): Promise<BoundHandle> {
  return bind(await resolveHost(host), port);
}

/**
 * Takes over an inherited socket of TCP or UNIX, for example from systemd; it may already be listening. The file of a
 * UNIX socket belongs to the program that has bound it.
 * @param fd file descriptor, owned by the returned handle from now on
 * @throws NodeJS.ErrnoException when it is not a stream socket that can listen
 */
export function adopt(fd: number): BoundHandle {
  const raw = createServerHandle(null, null, null, fd);
  // Of a UNIX socket the handle is a Pipe, which has no getsockname.
  if (typeof raw === "object" && !raw.getsockname) return adoptUnix(raw, fd);
  const bound = toBoundHandle(raw, "", 0);
  if (typeof bound === "string") throw cannotListen(fd, bound);
  if ((raw as RawHandle).getpeername({}) !== 0) return bound;
  bound.close();
  throw isConnection(fd);
}

function adoptUnix(raw: RawHandle, fd: number): BoundHandle {
  const { path, state } = inheritedSocket(fd);
  if (state === "bound" || state === "unknown")
    return { handle: raw, address: path, port: 0, close: () => raw.close() };
  raw.close();
  throw state === "connected" ? isConnection(fd) : cannotListen(fd, "ENOTSOCK");
}

/** With Accept=yes systemd accepts, and starts a program for each connection. */
function isConnection(fd: number): NodeJS.ErrnoException {
  const message = `file descriptor ${fd} is a connection, not a listening socket: set Accept=no in the socket unit`;
  return Object.assign(new Error(message), { code: "EISCONN", syscall: "open" });
}

/** Datagram and sequential-packet sockets, and FIFOs. */
function cannotListen(fd: number, code: string): NodeJS.ErrnoException {
  const message =
    `file descriptor ${fd} is not a TCP or UNIX socket that can listen (${code}): ` +
    "set ListenStream= in the socket unit";
  return Object.assign(new Error(message), { code, syscall: "open" });
}

function tryBind(host: string, port: number): BoundHandle | string {
  return toBoundHandle(createServerHandle(host, port, net.isIPv6(host) ? 6 : 4), host, port);
}

/** @returns the bound socket, or the name of the error */
function toBoundHandle(raw: RawHandle | number, host: string, port: number): BoundHandle | string {
  if (typeof raw === "number") return getSystemErrorName(raw);
  const name: { address?: string; port?: number } = {};
  // libuv reports EADDRINUSE only at the next call on the handle.
  const failed = raw.getsockname(name);
  if (failed === 0)
    return { handle: raw, address: name.address ?? host, port: name.port ?? port, close: () => raw.close() };
  raw.close();
  return getSystemErrorName(failed);
}

function bindError(code: string, host: string, port: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`bind ${code} ${host}:${port}`), {
    code,
    syscall: "bind",
    address: host,
    port,
  });
}
