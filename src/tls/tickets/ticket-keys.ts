/**
 * Keys of TLS session tickets (RFC 5077, RFC 8446): with the same keys, each worker resumes what another has begun.
 *
 *            12 h              12 h              12 h
 *   next ─────────▶ current ─────────▶ previous ─────────▶ forgotten
 *   decrypts        encrypts           decrypts
 *
 * `next` is known to every worker 12 hours before one encrypts with it, so no worker sees a ticket of an unknown key.
 */
import { randomBytes } from "node:crypto";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { readSecretFile } from "../credentials/pem.js";
import { TlsError } from "../errors.js";

/** Bytes of a key: name, HMAC key and AES-128 key, 16 each, as in nginx's files of 48 bytes. */
export const TICKET_KEY_BYTES = 48;

/** Keys that decrypt tickets; the first also encrypts. Secret. */
export type TicketKeys = readonly Buffer[];

const ROTATION = 12 * 3_600_000;

/** Makes the keys and replaces them every 12 hours. */
export class TicketKeyRotation {
  #next = randomBytes(TICKET_KEY_BYTES);
  #current = randomBytes(TICKET_KEY_BYTES);
  #previous: Buffer | undefined = undefined;
  #timer: TimerRef = undefined;
  readonly #publish: (keys: TicketKeys) => void;

  /** @param publish called after each rotation */
  constructor(publish: (keys: TicketKeys) => void) {
    this.#publish = publish;
  }

  get keys(): TicketKeys {
    const known = [this.#current, this.#next];
    return this.#previous === undefined ? known : [...known, this.#previous];
  }

  start(): void {
    this.#timer ??= clock.setTimeout(() => this.#rotate(), ROTATION, true);
  }

  stop(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #rotate(): void {
    this.#previous = this.#current;
    this.#current = this.#next;
    this.#next = randomBytes(TICKET_KEY_BYTES);
    this.#timer = undefined;
    this.start();
    this.#publish(this.keys);
  }
}

/**
 * Keys from a file that several machines share.
 * @throws TlsError when it cannot be read, or is not a multiple of 48 bytes
 */
export function readTicketKeys(path: string, option: string, warnings: string[]): TicketKeys {
  const { text, place, mode } = readSecretFile(path, option, "latin1");
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length === 0 || bytes.length % TICKET_KEY_BYTES !== 0)
    throw new TlsError(
      `${place}: has ${bytes.length} bytes, expected 48 for each key: make one with openssl rand -out ${path} 48`,
    );
  if (mode & 0o007) warnings.push(`${place}: every user may read these ticket keys: chmod o-rwx ${path}`);
  return Array.from({ length: bytes.length / TICKET_KEY_BYTES }, (_, at) =>
    bytes.subarray(at * TICKET_KEY_BYTES, (at + 1) * TICKET_KEY_BYTES),
  );
}
