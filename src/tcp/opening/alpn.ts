/** ALPN (RFC 7301): the protocol of a connection is the one that its TLS handshake has agreed on. */
import type { CompiledProtocol } from "../protocol/compiled/compiled-protocol.js";

export interface AlpnProtocols {
  readonly byName: ReadonlyMap<string, CompiledProtocol>;
  /** For clients that offer no names. `undefined`: their connections are closed. */
  readonly fallback: CompiledProtocol | undefined;
}

/** @param name that was agreed on; a client whose names are all unknown fails in the handshake */
export function agreedProtocol(
  { byName, fallback }: AlpnProtocols,
  name: string | undefined,
): CompiledProtocol | undefined {
  return (name === undefined ? undefined : byName.get(name)) ?? fallback;
}
