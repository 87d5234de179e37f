/** PEM from a file or an option, and the blocks in it. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { TlsError } from "../errors.js";
import type { PemSource } from "../options.js";

/** PEM text with its origin. */
export interface Pem {
  readonly text: string;
  /** `tls.key: /etc/acme/srv.key`; `tls.key` alone where the option has the PEM itself. */
  readonly place: string;
  /** Path of the file, if it is one. */
  readonly file: string | undefined;
  /** Permission bits of the file; 0 without one. */
  readonly mode: number;
}

/** Larger files are refused unread. A bundle of all public authorities has 220 KiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * @param option name of the option, for messages
 * @throws TlsError when the file cannot be read, or has no PEM block
 */
export function readPem(source: PemSource, option: string): Pem {
  const pem =
    typeof source === "string" && !isPem(source) ? readSecretFile(source, option) : inline(source, option);
  if (!pem.text.includes("-----BEGIN "))
    throw new TlsError(
      `${pem.place}: not PEM: expected a line such as -----BEGIN ${option.endsWith("key") ? "PRIVATE KEY" : "CERTIFICATE"}-----${der(pem)}`,
    );
  return pem;
}

/** First line of a file with a passphrase. @throws TlsError */
export function readPassphrase(path: string, option: string): string {
  const { text, place } = readSecretFile(path, option);
  const [line = ""] = text.split(/\r?\n/, 1);
  if (line === "") throw new TlsError(`${place}: is empty: its first line is the passphrase of the key`);
  return line;
}

/** The text of each block of this type, such as `CERTIFICATE`, in order. */
export function pemBlocks(text: string, type: string): string[] {
  return [...text.matchAll(BLOCK)].flatMap(([block, label]) => (label === type ? block : []));
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

function isPem(source: string): boolean {
  return source.startsWith("-----BEGIN");
}

function inline(source: PemSource, option: string): Pem {
  return { text: source.toString(), place: option, file: undefined, mode: 0 };
}

/** @throws TlsError */
export function readSecretFile(file: string, option: string, encoding: BufferEncoding = "utf8"): Pem {
  const place = `${option}: ${file}`;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const { mode, size } = fstatSync(descriptor);
    if (size > MAX_BYTES) throw new TlsError(`${place}: has ${size} bytes, at most ${MAX_BYTES} are read`);
    return { text: readFileSync(descriptor, encoding), place, file, mode: mode & 0o777 };
  } catch (error) {
    if (error instanceof TlsError) throw error;
    throw new TlsError(`${place}: ${reasonOf(error as NodeJS.ErrnoException)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function reasonOf({ code = "", message }: NodeJS.ErrnoException): string {
  return REASONS[code] ?? `cannot be read: ${message}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: `not readable for ${process.getuid ? `user ${process.getuid()}` : "this user"}: permission denied`,
  EISDIR: "is a directory, expected a file",
  ENOTDIR: "no such file",
};

/** A certificate in DER begins with an ASN.1 sequence of a length in two bytes. */
function der({ text, file }: Pem): string {
  return file !== undefined && text.startsWith("0\ufffd")
    ? "; it looks like DER: convert it with openssl x509 -inform der or openssl pkey -inform der"
    : "";
}
