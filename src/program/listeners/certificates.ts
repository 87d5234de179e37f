/** Certificates of the configured listeners, read before anything starts. */
import { type Config, MAIN, TLS_FLAGS } from "../../config/config.js";
import { CredentialStore, type TlsListener } from "../../tls/credentials/credential-store.js";

/** @throws TlsError when a certificate or key cannot be served */
export function openCertificates(config: Config): CredentialStore {
  return new CredentialStore(tlsListeners(config));
}

export function tlsListeners({ listeners, tlsCert }: Config): TlsListener[] {
  return listeners.flatMap(({ name, tls, alpn }) => {
    if (tls === undefined) return [];
    const flags = tlsCert !== undefined && name === MAIN ? TLS_FLAGS : {};
    return {
      name,
      options: { alpn: Object.keys(alpn ?? {}), ...tls },
      optionName: (option: string) => flags[option] ?? `listener ${name}: tls.${option}`,
    };
  });
}
