/** Certificates of the tests, made by `make.sh` in this folder. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Certificates with a private key: `certificateFiles("server")` names both files. */
export type CertificateName =
  | "ca"
  | "rogue-ca"
  /** For `localhost`, 127.0.0.1 and ::1, P-256. */
  | "server"
  /** The same names, another key. */
  | "server-renewed"
  /** The same names, RSA 2,048. */
  | "server-rsa"
  /** The same names, ended in 2021. */
  | "server-expired"
  | "a.example"
  | "b.example"
  /** For `*.c.example`. */
  | "wildcard.example"
  /** RSA 512, which OpenSSL does not serve. */
  | "weak"
  /** Common name `device-1`, by `ca`. */
  | "client"
  /** Common name `device-2`, ended in 2021. */
  | "client-expired"
  /** Common name `device-3`, revoked in `crl.pem`. */
  | "client-revoked"
  /** Common name `device-1`, by `rogue-ca`. */
  | "client-rogue";

/** Path of a file in this folder: also `crl.pem`, `crl-empty.pem`, `server-encrypted.key` and its `passphrase`. */
export const certificateFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Paths of a certificate and its key. */
export const certificateFiles = (name: CertificateName): { cert: string; key: string } => ({
  cert: certificateFile(`${name}.crt`),
  key: certificateFile(`${name}.key`),
});

/** The same as PEM. */
export const certificatePem = (name: CertificateName): { cert: string; key: string } => {
  const { cert, key } = certificateFiles(name);
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
};
