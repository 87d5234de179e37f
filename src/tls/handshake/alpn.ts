/** Protocol names of ALPN (RFC 7301), as OpenSSL takes them: each with its length in a byte before it. */
import { type OptionName, TlsError } from "../errors.js";

/** @throws TlsError when a name is empty, or longer than 255 bytes */
export function alpnBytes(names: readonly string[], option: OptionName = (name) => `tls.${name}`): Buffer {
  return Buffer.concat(
    names.map((name) => {
      const bytes = Buffer.from(name, "latin1");
      if (bytes.length === 0 || bytes.length > 255)
        throw new TlsError(`${option("alpn")}: a name has 1 to 255 characters, got ${JSON.stringify(name)}`);
      return Buffer.from([bytes.length, ...bytes]);
    }),
  );
}
