/** The entry point of a protocol author: a table of states, checked where it is written. */
import type { AnyProtocol, Protocol } from "./protocol.js";
import { validateProtocol } from "./validate.js";

/**
 * Defines a protocol; nothing needs annotating but the types of messages.
 * @throws TypeError that names the place and what to write instead
 */
export function defineProtocol<
  const S extends string,
  In,
  Out,
  Data = undefined,
  Msg = unknown,
  const Timers extends string = never,
>(protocol: Protocol<S, Data, In, Out, Msg, Timers>): Protocol<S, Data, In, Out, Msg, Timers> {
  validateProtocol(protocol as AnyProtocol);
  return protocol;
}
