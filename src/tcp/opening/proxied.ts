/**
 * PROXY headers of open connections, in a side table keyed by connection: a field would cost every connection 8 bytes,
 * and only listeners with `proxy` need it.
 */
import type { ProxyHeader } from "../../proxy/header.js";

const headers = new WeakMap<object, ProxyHeader>();

export function setProxyHeader(connection: object, header: ProxyHeader): void {
  headers.set(connection, header);
}

/** The header that came before the first frame of a connection. */
export function proxyHeaderOf(connection: object): ProxyHeader | undefined {
  return headers.get(connection);
}
