/** PEM from a file or an option, and the blocks in it. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
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
 * @param expected type of the block that it should have
 * @throws TlsError when the file cannot be read, or has no complete PEM block
 */
export function readPem(source: PemSource, option: string, expected = "CERTIFICATE"): Pem {
  const pem = isPath(source) ? readSecretFile(source, option) : inline(source, option);
  if (!pem.text.includes("-----BEGIN ")) {
    const fact = pem.text.trim() === "" ? "is empty" : "not PEM";
    throw new TlsError(
      `${pem.place}: ${fact}: expected a line such as -----BEGIN ${expected}-----${binary(pem)}`,
    );
  }
  checkEnds(pem);
  return pem;
}

/** `tls.cert: /etc/acme/srv.crt`, as in `Pem`. */
export function placeOf(source: PemSource, option: string): string {
  return isPath(source) ? `${option}: ${source}` : option;
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

/** `, found -----BEGIN X-----` of the first block, for messages that miss another one. */
export function foundIn({ text }: Pem): string {
  const [line] = /-----BEGIN [A-Z0-9 ]+-----/.exec(text) ?? [];
  return line === undefined ? "" : `, found ${line}`;
}

/** A file that was cut off would be served without the end of its chain. */
function checkEnds({ text, place }: Pem): void {
  let open: string | undefined;
  for (const [, edge, label] of text.matchAll(/-----(BEGIN|END) ([A-Z0-9 ]+)-----/g)) {
    if (edge === "BEGIN" && open !== undefined) break;
    open = edge === "BEGIN" ? label : undefined;
  }
  if (open !== undefined)
    throw new TlsError(
      `${place}: a block -----BEGIN ${open}----- has no -----END ${open}-----: the file is cut off`,
    );
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

function isPath(source: PemSource): source is string {
  return typeof source === "string" && !source.startsWith("-----BEGIN");
}

function inline(source: PemSource, option: string): Pem {
  return { text: source.toString(), place: option, file: undefined, mode: 0 };
}

/** @throws TlsError */
export function readSecretFile(file: string, option: string, encoding: BufferEncoding = "utf8"): Pem {
  const place = `${option}: ${file}`;
  let descriptor: number | undefined;
  try {
    // Opening a FIFO would wait for its writer, and with it the primary.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    const { mode, size } = stats;
    if (!stats.isFile() && !stats.isDirectory())
      throw new TlsError(`${place}: is not a regular file, as it must be to be read again at a reload`);
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

/** Bytes that are read as text: DER begins with an ASN.1 sequence, a key or PKCS#12 (version 3) with an integer in it. */
function binary({ text, file }: Pem): string {
  if (file === undefined || !text.startsWith("0")) return "";
  const version = text.slice(0, 10).indexOf("\x02\x01");
  if (version !== -1 && text.charCodeAt(version + 2) === 3)
    return "; it looks like PKCS#12: convert it with openssl pkcs12 -nodes";
  return text[1] === "\ufffd" || version === 2
    ? "; it looks like DER: convert it with openssl x509 -inform der or openssl pkey -inform der"
    : "";
}
