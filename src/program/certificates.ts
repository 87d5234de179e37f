/** Certificates of the configured listeners, read before anything starts. */
import { type Config, type ListenerConfig, MAIN, TLS_FLAGS } from "../config/config.js";
import { CredentialStore, type TlsListener } from "../tls/credential-store.js";
import type { TlsOptions } from "../tls/options.js";

/** @throws TlsError when a certificate or key cannot be served */
export function openCertificates({ listeners, tlsCert }: Config): CredentialStore {
  return new CredentialStore(
    listeners.flatMap((listener) => tlsListener(listener, tlsCert !== undefined && listener.name === MAIN)),
  );
}

/** @param byFlags whether its TLS comes from the options `--tls-…` */
export function tlsListener({ name, tls, alpn }: ListenerConfig, byFlags: boolean): TlsListener[] {
  if (tls === undefined) return [];
  const options: TlsOptions = { alpn: Object.keys(alpn ?? {}), ...tls };
  const optionName = (option: string) =>
    (byFlags ? TLS_FLAGS[option] : undefined) ?? `listener ${name}: tls.${option}`;
  return [{ name, options, optionName }];
}
