/** Releases of all listeners: each protocol is compiled and loaded for a trial once, however many listeners name it. */
import { isAbsolute, relative } from "node:path";
import type { ListenerConfig } from "../../config/config.js";
import { prepareRelease, type Release } from "./release.js";

/** What one listener serves. */
export interface ListenerReleases {
  /** `undefined`: only what `alpn` names. */
  readonly protocol: Release | undefined;
  /** By the name that is agreed on in the TLS handshake. */
  readonly alpn: ReadonlyMap<string, Release>;
}

export interface Releases {
  /** One per distinct protocol. */
  readonly all: readonly Release[];
  /** By the listener's name. */
  readonly byListener: ReadonlyMap<string, ListenerReleases>;
}

/** Protocols that listeners name, each with the names of its listeners. */
export function protocolsOf(
  listeners: readonly ListenerConfig[],
  fallback: string,
): ReadonlyMap<string, readonly string[]> {
  const protocols = new Map<string, readonly string[]>();
  for (const listener of listeners) {
    const all = [ownProtocol(listener, fallback), ...Object.values(listener.alpn ?? {})];
    for (const named of new Set(all))
      if (named !== undefined) protocols.set(named, [...(protocols.get(named) ?? []), listener.name]);
  }
  return protocols;
}

function ownProtocol({ protocol, alpn }: ListenerConfig, fallback: string): string | undefined {
  return protocol ?? (alpn === undefined ? fallback : undefined);
}

/**
 * @param fallback protocol of a listener that names none: a built-in name, or a path
 * @param exec the program: run as a thread, it loads the modules for a trial
 * @throws ReleaseError when there is no such protocol, or it does not compile, load or export one
 */
export async function prepareReleases(
  listeners: readonly ListenerConfig[],
  fallback: string,
  cwd: string,
  exec: string,
): Promise<Releases> {
  const prepared = new Map<string, Release>();
  for (const named of protocolsOf(listeners, fallback).keys())
    prepared.set(named, await prepareRelease(protocolLabel(named, cwd), cwd, exec));
  const byListener = new Map<string, ListenerReleases>();
  for (const listener of listeners) {
    const alpn = Object.entries(listener.alpn ?? {}).map(
      ([id, named]) => [id, prepared.get(named) as Release] as const,
    );
    const named = ownProtocol(listener, fallback);
    byListener.set(listener.name, {
      protocol: named === undefined ? undefined : prepared.get(named),
      alpn: new Map(alpn),
    });
  }
  return { all: [...prepared.values()], byListener };
}

/** As messages name the file: relative when it is below the working directory. */
export function protocolLabel(named: string, cwd: string): string {
  if (!isAbsolute(named)) return named;
  const fromHere = relative(cwd, named);
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? named : `./${fromHere}`;
}
