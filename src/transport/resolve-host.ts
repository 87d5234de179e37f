/** Host names of listening addresses: resolved once, when the address is bound. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/**
 * The IP address of a host, itself if it is one.
 * @throws NodeJS.ErrnoException with `code` `ENOTFOUND` or `EAI_AGAIN` when the name has no address
 */
export async function resolveHost(host: string): Promise<string> {
  return isIP(host) === 0 ? (await lookup(host)).address : host;
}

/**
 * All IP addresses of a host, in the order of the system (RFC 6724); itself if it is one.
 * @throws NodeJS.ErrnoException with `code` `ENOTFOUND` or `EAI_AGAIN` when the name has no address
 */
export async function resolveAll(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
