/** Text form of a socket address. */

/**
 * `10.0.0.7:51234`, `[::1]:2222`, or the path of a UNIX socket, `@name` for an abstract one. Addresses of peers come in one form (transport/peer.ts):
 * an IPv4 client of a socket that is bound to `::` has its IPv4 address.
 */
export function addressText(address: string, port: number): string {
  if (address.startsWith("/") || address.startsWith("@")) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Client and proxy in one text: `192.0.2.7:51234 via 10.0.0.2:40312`. */
export function peerText({ peer, via }: { readonly peer: string; readonly via?: string }): string {
  return via === undefined ? peer : `${peer} via ${via}`;
}
