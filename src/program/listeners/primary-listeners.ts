/** The listeners as the primary gets them: each with its protocol, transport and bound socket. */
import type { PrimaryListenerOptions } from "../../cluster/primary/primary-listener.js";
import type { ListenerReleases, Releases } from "../../cluster/release/releases.js";
import type { ListenerConfig } from "../../config/config.js";
import { addressText } from "../../text/address.js";
import type { Choice } from "../../transport/choose-transport.js";
import type { BoundHandle } from "../../transport/listening-socket.js";

interface Found {
  readonly releases: Releases;
  /** By name of the listener. */
  readonly choices: ReadonlyMap<string, Choice>;
  /** In the order of the listeners. */
  readonly bound: readonly BoundHandle[];
}

export function primaryListeners(
  listeners: readonly ListenerConfig[],
  { releases, choices, bound }: Found,
): PrimaryListenerOptions[] {
  return listeners.map((config, at) => ({
    ...{ config, at, bound: bound[at] as BoundHandle },
    transport: (choices.get(config.name) as Choice).transport.name,
    protocol: protocolText(releases.byListener.get(config.name) as ListenerReleases),
  }));
}

/** Names of its protocols: several where the TLS handshake decides. */
function protocolText({ protocol, alpn }: ListenerReleases): string {
  const all = [...(protocol ? [protocol] : []), ...alpn.values()];
  return [...new Set(all.map(({ name }) => name))].join(", ");
}

/** What is served and where, for the log: `echo on [::]:2222`, of several `devices (echo on [::]:2222), ops (…)`. */
export function servedText(listeners: readonly PrimaryListenerOptions[]): string {
  const texts = listeners.map(({ config: { name }, protocol, bound: { address, port } }) => {
    const text = `${protocol} on ${addressText(address, port)}`;
    return listeners.length === 1 ? text : `${name} (${text})`;
  });
  return texts.join(", ");
}
