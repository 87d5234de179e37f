/** Text form of a socket address. */

/**
 * `10.0.0.7:51234`, `[::1]:2222`, or the path of a UNIX socket. An IPv4-mapped IPv6 address, which is what an
 * IPv4 client has on a dual-stack socket, is written as IPv4.
 */
export function addressText(address: string, port: number): string {
  if (address.startsWith("/")) return address;
  const plain = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
