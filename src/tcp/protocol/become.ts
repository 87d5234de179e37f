/** The step by which a connection goes on in another protocol, as IMAP after a greeting or a tunnel after `CONNECT`. */
import { Become } from "./become-step.js";
import type { Protocol } from "./protocol.js";

/**
 * Goes on in another protocol, on the same connection: `leave` of the present state runs, its timers are cancelled,
 * then `enter` of the other protocol's first state. Bytes received and not handled are read again in the other's framing;
 * its `active`, limits and `terminate` count from now on. Messages that wait are its own.
 *
 * A crash of the connection: a protocol that `becomes` of the present one does not list, and postponed frames that wait.
 * @param data `conn.data` from now on. Default: what the other protocol's `data` makes
 */
export function become<Data>(
  protocol: Protocol<any, Data, any, any, any, any, any, any, any>,
  ...data: [] | [data: NoInfer<Data>]
): Become {
  return new Become(protocol, data);
}
