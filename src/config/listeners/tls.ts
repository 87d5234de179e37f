/** `tls` of a listener: from a configuration file, or from the options `--tls-…`. */
import { resolve } from "node:path";
import type { NamedKeyPairOptions, PemSource, TlsOptions } from "../../tls/options.js";
import { oneOf, path, text } from "../options/kinds.js";
import type { Values } from "../options/options.js";
import { show } from "../options/value.js";
import type { Place } from "./place.js";
import { listOf, objectOf, ofKind, type Reader } from "./readers.js";

/** Paths are absolute. */
export type TlsConfig = TlsOptions;

/** PEM itself, or the path of a file, made absolute. */
const pem: Reader<PemSource> = (value, place) => {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === "string" && value.startsWith("-----BEGIN")) return value;
  if (typeof value === "string" && value !== "" && !value.includes("\0")) return resolve(place.folder, value);
  throw place.error(`expected the path of a PEM file, or PEM text, got ${show(value)}`);
};

const yesOrNo: Reader<boolean> = (value, place) => {
  if (typeof value === "boolean") return value;
  throw place.error(`expected true or false, got ${show(value)}`);
};

const file = ofKind(path());
const name = ofKind(
  text(/^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, "a server name such as b.example or *.c.example"),
);
const names = listOf(name, "an array of server names such as b.example or *.c.example");
const pair = { cert: pem, key: pem, passphraseFile: file };
const pairFields = objectOf<NamedKeyPairOptions>({ ...pair, names });

const tlsFields = objectOf<TlsConfig>({
  ...pair,
  start: ofKind(oneOf("at_once", "by_protocol")),
  more: listOf(
    (value, place) => complete(pairFields(value, place), place),
    'an array of certificates such as [{ "cert": "b.crt", "key": "b.key" }]',
  ),
  strictNames: yesOrNo,
  ca: pem,
  crl: pem,
  clientCerts: ofKind(oneOf("none", "optional", "required")),
  minVersion: ofKind(oneOf("TLSv1.2", "TLSv1.3")),
  ciphers: ofKind(text(/^[\x21-\x7e]{1,4096}$/, "cipher suites in OpenSSL's notation")),
  ticketKeys: file,
  alpn: listOf(ofKind(text(/^[\x21-\x7e]{1,255}$/, "a protocol name")), "an array of protocol names"),
});

export const readTls: Reader<TlsConfig> = (value, place) => complete(tlsFields(value, place), place);

function complete<Pair extends Partial<NamedKeyPairOptions>>(
  given: Pair,
  place: Place,
): Pair & { readonly cert: PemSource; readonly key: PemSource } {
  const { cert, key } = given;
  if (cert === undefined) throw place.error("needs cert: the file of the certificate chain");
  if (key === undefined) throw place.error("needs key: the file of the private key");
  return { ...given, cert, key };
}

/** In one line, without what may be secret: paths, and never PEM. */
export function describeTls({ cert, key, more = [], ca, clientCerts, start }: TlsConfig): string {
  const place = (source: PemSource) =>
    typeof source === "string" && !source.startsWith("-----BEGIN") ? source : "PEM text";
  const clients = clientCerts ?? (ca === undefined ? "none" : "required");
  const parts = [
    `cert ${place(cert)}`,
    `key ${place(key)}`,
    more.length > 0 && `${more.length} more`,
    clients !== "none" && `client certificates ${clients}`,
    start === "by_protocol" && "begun by the protocol",
  ];
  return parts.filter(Boolean).join(", ");
}

/** The options `--tls-…`; `undefined`: no TLS. */
export function tlsOfOptions(values: Values): TlsConfig | undefined {
  const { tlsCert: cert, tlsKey: key } = values;
  // One without the other was refused.
  if (cert === undefined || key === undefined) return undefined;
  return {
    ...{ cert, key, passphraseFile: values.tlsPassphraseFile },
    ...{ ca: values.tlsClientCa, crl: values.tlsClientCrl, clientCerts: values.tlsClientCerts },
    ...(values.tlsStart !== undefined && { start: values.tlsStart }),
    ...{ minVersion: values.tlsMinVersion, ticketKeys: values.tlsTicketKeys },
  };
}

/** Flag of each option in `tlsOfOptions`, for messages. */
export const TLS_FLAGS: Readonly<Record<string, string>> = {
  cert: "--tls-cert",
  key: "--tls-key",
  passphraseFile: "--tls-passphrase-file",
  ca: "--tls-client-ca",
  crl: "--tls-client-crl",
  clientCerts: "--tls-client-certs",
  start: "--tls-start",
  minVersion: "--tls-min-version",
  ticketKeys: "--tls-ticket-keys",
};
