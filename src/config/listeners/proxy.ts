/** `proxy` of a listener: PROXY headers, and from where they are believed. From a file, or from `--proxy-from`. */
import { networks } from "../options/kinds.js";
import { objectOf, ofKind, type Reader } from "./readers.js";

export interface ProxyConfig {
  /** Networks whose PROXY headers are believed: `10.0.0.0/8`, an address, or `unix` for all UNIX sockets. */
  readonly from: readonly string[];
}

const fields = objectOf<ProxyConfig>({ from: ofKind(networks()) });

export const readProxy: Reader<ProxyConfig> = (value, place) => {
  const { from } = fields(value, place);
  if (from === undefined)
    throw place.error('needs from: the networks of the proxies, such as ["10.0.0.0/8"]');
  return { from };
};
