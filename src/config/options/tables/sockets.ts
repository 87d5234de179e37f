/** Options of what lies between a socket and its protocol: socket implementation, TLS, PROXY header. */
import { networks, oneOf, path } from "../kinds.js";
import { optional, row } from "../row.js";

export const SOCKETS = {
  transport: row({
    kind: oneOf("auto", "handle", "stream"),
    default: "auto",
    placeholder: "KIND",
    sentence: "Socket implementation: handle (libuv handles, fast), stream (net.Socket, portable) or auto.",
  }),
  tlsCert: optional({
    kind: path(),
    defaultText: "none: no TLS",
    placeholder: "FILE",
    sentence: "PEM file with the server's certificate, then its issuers; the listener takes TLS only.",
    mainOnly: true,
  }),
  tlsKey: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the private key of --tls-cert.",
    mainOnly: true,
  }),
  tlsPassphraseFile: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "File whose first line is the passphrase of --tls-key.",
    mainOnly: true,
  }),
  tlsClientCa: optional({
    kind: path(),
    defaultText: "none: no client certificates",
    placeholder: "FILE",
    sentence: "PEM file with the authorities of client certificates, which are required with it.",
    mainOnly: true,
  }),
  tlsClientCrl: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the client certificates that --tls-client-ca has revoked.",
    mainOnly: true,
  }),
  tlsClientCerts: optional({
    kind: oneOf("none", "optional", "required"),
    defaultText: "required with --tls-client-ca",
    placeholder: "WHICH",
    sentence: "Whether clients need a certificate: none, optional (checked if given) or required.",
    mainOnly: true,
  }),
  tlsStart: optional({
    kind: oneOf("at_once", "by_protocol"),
    defaultText: "at_once",
    placeholder: "WHEN",
    sentence:
      "When TLS begins: at_once, or by_protocol: in clear until the protocol says startTls(), as STARTTLS does.",
    mainOnly: true,
  }),
  tlsMinVersion: row({
    kind: oneOf("TLSv1.2", "TLSv1.3"),
    default: "TLSv1.2",
    placeholder: "VERSION",
    sentence: "Minimum TLS version: TLSv1.2 or TLSv1.3.",
    mainOnly: true,
  }),
  tlsTicketKeys: optional({
    kind: path(),
    defaultText: "none: generated, replaced every 12 hours",
    placeholder: "FILE",
    sentence: "File with keys of session tickets, 48 bytes each, for several machines behind one address.",
    mainOnly: true,
  }),
  proxyFrom: optional({
    kind: networks(),
    defaultText: "none: no PROXY header",
    placeholder: "NETWORKS",
    sentence:
      "Expect a PROXY header (v1 or v2) on every connection, from these networks only: 10.0.0.0/8,fd00::1 or unix.",
    mainOnly: true,
  }),
};
