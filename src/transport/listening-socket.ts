/**
 * A listening socket that is bound but never accepts here: the primary keeps it and gives copies to the
 * workers, so that the kernel's queue of waiting clients outlives every worker.
 *
 * `net._createServerHandle` is what node:cluster itself binds with, in every major that drover supports.
 */
import net from "node:net";
import { getSystemErrorName } from "node:util";

export interface BoundHandle {
  /** What is sent to a worker, and what `Transport.listen` takes. */
  readonly handle: unknown;
  readonly address: string;
  readonly port: number;
  close(): void;
}

interface RawHandle {
  getsockname(out: { address?: string; port?: number }): number;
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

/** The errors of a host without IPv6. */
const NO_IPV6: readonly string[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"];

/**
 * Binds an address. `::` takes both families, and falls back to `0.0.0.0` where there is no IPv6.
 * @param host an IP address
 * @param port 0 for any that is free
 * @throws NodeJS.ErrnoException with `code` `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`
 */
export function bind(host: string, port: number): BoundHandle {
  const bound = tryBind(host, port);
  if (typeof bound !== "string") return bound;
  if (host !== "::" || !NO_IPV6.includes(bound)) throw bindError(bound, host, port);
  return bind("0.0.0.0", port);
}

/**
 * Takes over a TCP socket that somebody else has bound, such as systemd; it may listen already.
 * @param fd its descriptor, which belongs to the handle from now on
 * @throws NodeJS.ErrnoException when it is no such thing
 */
export function adopt(fd: number): BoundHandle {
  const raw = createServerHandle(null, null, null, fd);
  // A UNIX socket becomes a handle too, but one without an address.
  const bound = typeof raw === "object" && !raw.getsockname ? "ENOTSUP" : named(raw, "", 0);
  if (typeof bound !== "string") return bound;
  const message = `descriptor ${fd} is no TCP socket that could listen (${bound})`;
  throw Object.assign(new Error(message), { code: bound, syscall: "open" });
}

function tryBind(host: string, port: number): BoundHandle | string {
  return named(createServerHandle(host, port, net.isIPv6(host) ? 6 : 4), host, port);
}

/** @returns the name of the error, if it is one */
function named(raw: RawHandle | number, host: string, port: number): BoundHandle | string {
  if (typeof raw === "number") return errorName(raw);
  const name: { address?: string; port?: number } = {};
  // libuv keeps "address in use" to itself until the handle is next asked for something.
  const failed = raw.getsockname(name);
  if (failed === 0)
    return { handle: raw, address: name.address ?? host, port: name.port ?? port, close: () => raw.close() };
  raw.close();
  return errorName(failed);
}

function errorName(code: number): string {
  return getSystemErrorName(code);
}

function bindError(code: string, host: string, port: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`bind ${code} ${host}:${port}`), {
    code,
    syscall: "bind",
    address: host,
    port,
  });
}
