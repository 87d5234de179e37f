/** `tls` of a listener in a configuration file. */
import { path } from "../options/kinds.js";
import { objectOf, ofKind, type Reader } from "./readers.js";

/** Certificate and key of a listener. A string that begins with `-----BEGIN` is PEM, another one a file. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
}

const fields = objectOf<TlsConfig>({ cert: ofKind(path()), key: ofKind(path()) });

export const readTls: Reader<TlsConfig> = (value, place) => {
  const { cert, key } = fields(value, place);
  if (cert === undefined) throw place.error("needs cert: the file of the certificate chain");
  if (key === undefined) throw place.error("needs key: the file of the private key");
  return { cert, key };
};
