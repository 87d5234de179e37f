/** Releases of all listeners: each protocol is compiled and loaded for a trial once, however many listeners name it. */
import { isAbsolute, relative } from "node:path";
import { EXIT, type ListenerConfig, type ProtocolOption } from "../../config/config.js";
import type { OwnLayout } from "../../tcp/metrics/definition.js";
import { ownLayout } from "../../tcp/metrics/own-numbers.js";
import {
  type KnownOptions,
  OptionError,
  refuseUnknown,
  type ShownOption,
} from "../../tcp/protocol/options/options.js";
import { prepareRelease, type Release, ReleaseError } from "./release.js";

/** What one listener serves. */
export interface ListenerReleases {
  /** `undefined`: only what `alpn` names. */
  readonly protocol: Release | undefined;
  /** By the name that is agreed on in the TLS handshake. */
  readonly alpn: ReadonlyMap<string, Release>;
  /** The options that were given for its protocols. */
  readonly given: readonly ProtocolOption[];
  /** What the protocols make of them, for people. */
  readonly values: readonly ShownOption[];
}

export interface Releases {
  /** One per distinct protocol. */
  readonly all: readonly Release[];
  /** By the listener's name. */
  readonly byListener: ReadonlyMap<string, ListenerReleases>;
  /** Metrics and close reasons of the protocols. */
  readonly own: OwnLayout;
}

/** The releases that workers which start now get. */
export class CurrentReleases implements Releases {
  #now: Releases;

  constructor(releases: Releases) {
    this.#now = releases;
  }

  get all(): readonly Release[] {
    return this.#now.all;
  }

  get byListener(): ReadonlyMap<string, ListenerReleases> {
    return this.#now.byListener;
  }

  get own(): OwnLayout {
    return this.#now.own;
  }

  /** Of the same listeners, with the same metrics. */
  replace(releases: Releases): void {
    this.#now = releases;
  }
}

/** Protocols that listeners name, each with its listeners. */
export function protocolsOf(
  listeners: readonly ListenerConfig[],
  fallback: string,
): ReadonlyMap<string, readonly ListenerConfig[]> {
  const protocols = new Map<string, readonly ListenerConfig[]>();
  for (const listener of listeners) {
    const all = [ownProtocol(listener, fallback), ...Object.values(listener.alpn ?? {})];
    for (const named of new Set(all))
      if (named !== undefined) protocols.set(named, [...(protocols.get(named) ?? []), listener]);
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
  for (const [named, users] of protocolsOf(listeners, fallback)) {
    const given = users.map(({ options = [] }) => options);
    prepared.set(named, await prepareRelease(protocolLabel(named, cwd), cwd, exec, given));
  }
  const byListener = releasesByListener(listeners, fallback, prepared);
  refuseUnknownOptions(listeners, byListener);
  return { all: [...prepared.values()], byListener, own: ownOf([...byListener.values()]) };
}

/** @throws ReleaseError when two protocols have a metric of one name */
function ownOf(listeners: readonly ListenerReleases[]): OwnLayout {
  const families = listeners.map(({ protocol, alpn }) =>
    [...new Set([...(protocol ? [protocol] : []), ...alpn.values()])].flatMap(({ own }) => own),
  );
  const known = new Map<string, string>();
  for (const { name, kind, labels, buckets } of families.flatMap((family) =>
    family.flatMap(({ metrics }) => metrics),
  )) {
    const shape = JSON.stringify([kind, labels, buckets]);
    if ((known.get(name) ?? shape) !== shape)
      throw new ReleaseError(
        `two protocols have a metric ${name}, with other labels or buckets: rename one of them`,
      );
    known.set(name, shape);
  }
  return ownLayout(families);
}

/** @param prepared by the name or path that listeners give */
export function releasesByListener(
  listeners: readonly ListenerConfig[],
  fallback: string,
  prepared: ReadonlyMap<string, Release>,
): ReadonlyMap<string, ListenerReleases> {
  const byListener = new Map<string, ListenerReleases>();
  const protocols = protocolsOf(listeners, fallback);
  for (const listener of listeners) {
    const alpn = Object.entries(listener.alpn ?? {}).map(
      ([id, named]) => [id, prepared.get(named) as Release] as const,
    );
    const named = ownProtocol(listener, fallback);
    byListener.set(listener.name, {
      protocol: named === undefined ? undefined : prepared.get(named),
      alpn: new Map(alpn),
      given: listener.options ?? [],
      values: [...protocols].flatMap(([named, users]) => {
        const at = users.indexOf(listener);
        return at === -1 ? [] : ((prepared.get(named) as Release).values[at] ?? []);
      }),
    });
  }
  return byListener;
}

/** @throws ReleaseError for an option that no protocol of the listener has, or none of all listeners */
export function refuseUnknownOptions(
  listeners: readonly ListenerConfig[],
  byListener: ReadonlyMap<string, Pick<ListenerReleases, "protocol" | "alpn">>,
): void {
  const known = listeners.map(({ name }) => {
    const { protocol, alpn } = byListener.get(name) as ListenerReleases;
    return [...(protocol ? [protocol] : []), ...alpn.values()].flatMap((release) => release.options);
  });
  try {
    for (const [at, { options = [] }] of listeners.entries())
      for (const option of options)
        refuseUnknown(option.common ? known.flat() : (known[at] as KnownOptions[]), [option]);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new ReleaseError(error.message, error.given?.text ? EXIT.usage : EXIT.badConfig);
  }
}

/** As messages name the file: relative when it is below the working directory. */
export function protocolLabel(named: string, cwd: string): string {
  if (!isAbsolute(named)) return named;
  const fromHere = relative(cwd, named);
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? named : `./${fromHere}`;
}
