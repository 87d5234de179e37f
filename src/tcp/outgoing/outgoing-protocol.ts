/**
 * What the outgoing connections of one protocol share in this OS process: endpoint, compiled protocol, counts of
 * attempts. Counted by the protocol's name, apart from the connections of listeners.
 */
import { Endpoint } from "../endpoint.js";
import { CONNECT_RESULTS, type ConnectResult, type OutgoingCounts } from "../observe/events.js";
import { CompiledProtocol } from "../protocol/compiled/compiled-protocol.js";
import { outgoingInstance } from "../protocol/compiled/instances.js";
import type { AnyProtocol } from "../protocol/protocol.js";

export class OutgoingProtocol {
  readonly endpoint = new Endpoint({ name: "outgoing" });
  readonly connects = Object.fromEntries(CONNECT_RESULTS.map((result) => [result, 0])) as Record<
    ConnectResult,
    number
  >;
}

const byName = new Map<string, OutgoingProtocol>();
const compiled = new WeakMap<AnyProtocol, CompiledProtocol>();

export function outgoingProtocol(protocol: AnyProtocol): OutgoingProtocol {
  let found = byName.get(protocol.name);
  if (found === undefined) {
    found = new OutgoingProtocol();
    byName.set(protocol.name, found);
  }
  return found;
}

/** @throws OptionError when the schema of the protocol refuses the options */
export function compiledProtocol(protocol: AnyProtocol, options?: object): CompiledProtocol {
  const found = compiled.get(protocol);
  if (found !== undefined && options === undefined && isPlain(protocol)) return found;
  const instance = outgoingInstance(protocol, options);
  if (found?.instance === instance) return found;
  const instanceOf = (one: AnyProtocol) =>
    one === protocol ? instance : outgoingInstance(one, one.options && options);
  const made = new CompiledProtocol(protocol, { instanceOf });
  compiled.set(protocol, made);
  return made;
}

/** Whether all instances of it are alike. */
function isPlain({ options, worker }: AnyProtocol): boolean {
  return options === undefined && worker === undefined;
}

/** Attempts that are under way. */
let dialing = 0;

/** An attempt begins (1) or ends (-1). */
export function countDial(change: 1 | -1): void {
  dialing += change;
}

/** Descriptors of outgoing connections: those that are open, and those that are being opened. */
export function outgoingDescriptors(): number {
  let open = dialing;
  for (const { endpoint } of byName.values()) open += endpoint.counters.active;
  return open;
}

/** The same numbers, of at most `most` protocols: those after the first `most - 1` are one, called `other`. */
export function limited(counts: readonly OutgoingCounts[], most: number): readonly OutgoingCounts[] {
  if (counts.length <= most) return counts;
  const other = new OutgoingProtocol().connects;
  let active = 0;
  for (const one of counts.slice(most - 1)) {
    active += one.active;
    for (const result of CONNECT_RESULTS) other[result] += one.connects[result];
  }
  return [...counts.slice(0, most - 1), { protocol: "other", active, connects: other }];
}

/** The numbers of all protocols that this OS process has connected with. */
export function outgoingCounts(): OutgoingCounts[] {
  return [...byName].map(([protocol, { endpoint, connects }]) => ({
    ...{ protocol, connects },
    active: endpoint.counters.active,
  }));
}
