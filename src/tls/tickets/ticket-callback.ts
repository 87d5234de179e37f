/**
 * Ticket keys of OpenSSL's contexts. A context by itself has one key, with which each rotation would cost every client
 * a full handshake; with a callback it has all, at 5 % of the CPU time of a handshake. So the callback is only used for
 * clients whose first message has a ticket of another key than the current one.
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

/** node's own context: the callback is not in its API, but there on all majors from 20 to 26. */
interface NativeContext {
  onticketkeycallback(name: Buffer, iv: Buffer, encrypts: boolean): unknown[];
  enableTicketKeyCallback(): void;
  setTicketKeys(keys: Buffer): void;
}

const nativeOf = (context: SecureContext) => context.context as NativeContext;

/**
 * With what every context of a listener needs: node asks the context that was chosen by name for the key, by the way
 * that the context has with which the handshake began.
 * @param keys asked at each ticket, so that a rotation counts at once
 */
export function prepareTickets(context: SecureContext, keys: () => TicketKeys): void {
  const native = nativeOf(context);
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
  setCurrentKey(context, keys());
}

/** The only key of handshakes that begin with this context, unless it has `useAllKeys`. */
export function setCurrentKey(context: SecureContext, keys: TicketKeys): void {
  nativeOf(context).setTicketKeys(keys[0] as Buffer);
}

/** Has OpenSSL call the function of `prepareTickets`, in handshakes that begin with this context. */
export function useAllKeys(context: SecureContext): void {
  nativeOf(context).enableTicketKeyCallback();
}

/**
 * Whether a client may present a ticket of another key than the current one: each ticket begins with the name of its
 * key, in clear. A name that is cut in two by a boundary of records is not found, at the price of a full handshake.
 * @param hello the first message of the client
 */
export function hasOtherTicket(hello: Buffer, keys: TicketKeys): boolean {
  for (let at = 1; at < keys.length; at++) if (hello.includes(nameOf(keys[at] as Buffer))) return true;
  return false;
}
