/** Certificates of the configured listeners, read before anything starts. */
import { type Loaded, MAIN, TLS_FLAGS } from "../../config/config.js";
import { CredentialStore, type TlsListener } from "../../tls/credentials/credential-store.js";

/** @throws TlsError when a certificate or key cannot be served */
export function openCertificates(loaded: Loaded): CredentialStore {
  return new CredentialStore(tlsListeners(loaded));
}

export function tlsListeners({ config, tlsPlaces }: Loaded): TlsListener[] {
  const { listeners, tlsCert } = config;
  return listeners.flatMap(({ name, tls, alpn }) => {
    if (tls === undefined) return [];
    const flags = tlsCert !== undefined && name === MAIN ? TLS_FLAGS : {};
    return {
      name,
      options: { alpn: Object.keys(alpn ?? {}), ...tls },
      optionName: (option: string) =>
        flags[option] ?? `${tlsPlaces.get(name)?.at(option) ?? `tls.${option}`}`,
    };
  });
}
