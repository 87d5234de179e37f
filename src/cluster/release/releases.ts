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
  const prepare = async (named: string): Promise<Release> => {
    const release = prepared.get(named) ?? (await prepareRelease(labelOf(named, cwd), cwd, exec));
    prepared.set(named, release);
    return release;
  };
  const byListener = new Map<string, ListenerReleases>();
  for (const { name, protocol, alpn } of listeners) {
    const negotiated = new Map<string, Release>();
    for (const [id, named] of Object.entries(alpn ?? {})) negotiated.set(id, await prepare(named));
    const named = protocol ?? (alpn === undefined ? fallback : undefined);
    const release = named === undefined ? undefined : await prepare(named);
    byListener.set(name, { protocol: release, alpn: negotiated });
  }
  return { all: [...prepared.values()], byListener };
}

/** As messages name the file: relative when it is below the working directory. */
function labelOf(named: string, cwd: string): string {
  if (!isAbsolute(named)) return named;
  const fromHere = relative(cwd, named);
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? named : `./${fromHere}`;
}
