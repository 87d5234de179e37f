/** What the checks before the start have found, and the options of the primary that are made of it. */
import type { PrimaryOptions } from "../cluster/primary/options.js";
import type { PrimaryListenerOptions } from "../cluster/primary/primary-listener.js";
import type { CurrentReleases, Releases } from "../cluster/release/releases.js";
import { explainAll, type GivenToken, type Loaded, type NotifySocket } from "../config/config.js";
import type { NodesOptions } from "../exchange/nodes/options.js";
import { Metrics } from "../telemetry/metrics/metrics.js";
import { maxDescriptors } from "../telemetry/metrics/os-process.js";
import { addressText } from "../text/address.js";
import type { CredentialStore } from "../tls/credentials/credential-store.js";
import type { Choice } from "../transport/choose-transport.js";
import type { BoundHandle } from "../transport/listening-socket.js";
import { connectionRoom } from "./descriptor-limit.js";
import { explainOptions } from "./explain-options.js";
import { primaryListeners } from "./listeners/primary-listeners.js";

/** Result of the checks that come before the start. */
export interface Prepared {
  readonly version: string;
  /** The file that workers run. */
  readonly exec: string;
  readonly loaded: Loaded;
  readonly releases: CurrentReleases;
  /** Compiles the protocols again: `drover dev`. */
  readonly prepare: (() => Promise<Releases>) | undefined;
  /** Transports, by name of the listener. */
  readonly choices: ReadonlyMap<string, Choice>;
  /** Certificates of the listeners with TLS. */
  readonly credentials: CredentialStore;
  readonly given: GivenToken;
  /** The cluster over NATS; `undefined` without `--nats`. */
  readonly nodes: NodesOptions | undefined;
  /** Descriptors of listening sockets inherited from systemd, by name of the listener. */
  readonly inherited: ReadonlyMap<string, number>;
  /** `undefined` where systemd does not ask to be notified. */
  readonly notify: NotifySocket | undefined;
}

/** What the primary gets of the program that runs it. */
type Callers = Required<Pick<PrimaryOptions, "log" | "color" | "admin" | "onStop" | "onRefused">>;

/** @param bound sockets, in the order of the listeners */
export function primaryOptions(
  { version, exec, loaded, releases, choices, nodes, credentials, prepare }: Prepared,
  bound: readonly BoundHandle[],
  callers: Callers,
): PrimaryOptions {
  const { config } = loaded;
  const listeners = primaryListeners(config.listeners, { releases, choices, bound });
  const [{ transport }] = listeners as [PrimaryListenerOptions];
  const room = connectionRoom(maxDescriptors());
  return {
    ...{ config, version, exec, transport, listeners, releases, nodes, credentials },
    maxConnections: (workers) => workers * room,
    guarded: prepare === undefined,
    metrics: new Metrics({
      own: releases.own,
      groups: releases.all.some(({ groups }) => groups),
      ...{ version, transport },
      node: process.version,
      listeners: listeners.map(({ config: { name, tls, proxy }, protocol, bound: { address, port } }) => ({
        ...{ name, protocol, address: addressText(address, port) },
        ...{ tls: tls !== undefined, proxy: proxy !== undefined },
      })),
      handlerLatency: config.handlerLatency === "on",
    }),
    explain: () => [...explainAll(loaded), ...explainOptions(loaded, releases)],
    ...callers,
  };
}
