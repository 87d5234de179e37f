/** `proxy` of a listener in a configuration file: PROXY protocol, and from where it is trusted. */
import { text } from "../options/kinds.js";
import { listOf, objectOf, ofKind, type Reader } from "./readers.js";

export interface ProxyConfig {
  /** Networks whose PROXY headers are trusted, in CIDR notation: `10.0.0.0/8`. */
  readonly from: readonly string[];
}

const network = ofKind(text(/^.{1,64}$/, "a network such as 10.0.0.0/8"));
const fields = objectOf<ProxyConfig>({ from: listOf(network, "an array of networks such as 10.0.0.0/8") });

export const readProxy: Reader<ProxyConfig> = (value, place) => {
  const { from } = fields(value, place);
  if (from === undefined) throw place.error("needs from: the networks of the proxies, such as 10.0.0.0/8");
  return { from };
};
