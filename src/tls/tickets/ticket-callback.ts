/**
 * Has OpenSSL ask us for ticket keys. `ticketKeys` of a context is one key: with it alone, each rotation would cost
 * every client a full handshake.
 */
import { randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";
import { TICKET_KEY_BYTES, type TicketKeys } from "./ticket-keys.js";

/** Results of OpenSSL's ticket callback. */
const UNKNOWN = 0;
const GOOD = 1;
/** Good, and the client is given a new ticket. */
const OLD = 2;

const PART = TICKET_KEY_BYTES / 3;
const NOTHING = Buffer.alloc(PART);
const nameOf = (key: Buffer) => key.subarray(0, PART);
const hmacOf = (key: Buffer) => key.subarray(PART, 2 * PART);
const aesOf = (key: Buffer) => key.subarray(2 * PART);

/** node's own context: these two are not in its API, but there on all majors from 20 to 26. */
interface NativeContext {
  onticketkeycallback(name: Buffer, iv: Buffer, encrypts: boolean): unknown[];
  enableTicketKeyCallback(): void;
}

/** @param keys asked at each ticket, so that a rotation counts at once */
export function useTicketKeys(context: SecureContext, keys: () => TicketKeys): void {
  const native = context.context as NativeContext;
  native.onticketkeycallback = (name, _iv, encrypts) => {
    const known = keys();
    if (encrypts) {
      const key = known[0] as Buffer;
      return [GOOD, hmacOf(key), aesOf(key), nameOf(key), randomBytes(PART)];
    }
    const at = known.findIndex((key) => nameOf(key).equals(name));
    const key = known[at];
    return key === undefined ? [UNKNOWN, NOTHING, NOTHING] : [at === 0 ? GOOD : OLD, hmacOf(key), aesOf(key)];
  };
  native.enableTicketKeyCallback();
}
