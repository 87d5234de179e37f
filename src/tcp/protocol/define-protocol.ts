/** The entry point of a protocol author: a table of states, checked where it is written. */
import type { Metrics } from "../metrics/instruments.js";
import type { Schema } from "./options/schema.js";
import type { AnyProtocol, Protocol } from "./protocol.js";
import type { RequestSource, Source } from "./sources.js";
import { validateDefinition } from "./validate/validate.js";

/**
 * Defines a protocol; nothing needs annotating but the types of messages that do not come from `takes`.
 * @throws TypeError that names the place and what to write instead
 */
export function defineProtocol<
  const S extends string,
  In,
  Out,
  Data = undefined,
  const T extends Source<any> | readonly Source<any>[] = [],
  N extends RequestSource<any> = never,
  const Timers extends string = never,
  O extends Schema | undefined = undefined,
  W = undefined,
  M extends Metrics = Record<never, never>,
  const R extends string = string,
>(
  protocol: Protocol<S, Data, In, Out, T, N, Timers, O, W, M, R>,
): Protocol<S, Data, In, Out, T, N, Timers, O, W, M, R> {
  validateDefinition(protocol as AnyProtocol);
  return protocol;
}
