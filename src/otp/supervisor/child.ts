/** The child spec of a server or a state machine. */

import { type StartOptions, startOrIgnore } from "../gen-server/gen-server.js";
import type { Behaviour } from "../gen-server/types.js";
import type { ChildSpec } from "./child-spec.js";

/** A server or a state machine as a child: `{M, F, A}` with the behaviour as `M`. */
export function child<A>(
  server: Behaviour<A, any, any>,
  args: A,
  overrides: Partial<Omit<ChildSpec, "start">> & Pick<StartOptions, "name" | "maxMessages"> = {},
): ChildSpec {
  const { name, maxMessages, ...spec } = overrides;
  const options = {
    ...(name === undefined ? {} : { name }),
    ...(maxMessages === undefined ? {} : { maxMessages }),
  };
  return {
    id: server.name,
    mfargs: [server.name, "start_link", [args]],
    ...spec,
    start: (parent) => startOrIgnore(server, args, { ...options, parent }),
  };
}
