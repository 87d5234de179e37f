/** What a listener is started with. */
import type { ListenTarget, Transport } from "../../transport/transport.js";
import type { AcceptRates } from "../admission/accept-rates.js";
import type { FullPolicy } from "../admission/full-policy.js";
import type { Endpoint } from "../endpoint.js";
import type { AcceptQuota } from "./accept-quota.js";
import type { SharedMaximum } from "./shared-maximum.js";

export interface ListenerOptions {
  readonly registeredAs: string;
  /** The registered name of the supervisor of its connections. */
  readonly connections: string;
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly backlog: number;
  /** Maximum number of its connections in this OS process. */
  readonly maxConnections: number;
  /** Maximum over all listeners of this OS process. Default: none. */
  readonly shared?: SharedMaximum | undefined;
  /** What it does with clients at its limit. Default: they wait. */
  readonly full?: FullPolicy | undefined;
  /** The frame of a client that is refused at the limit, encoded. Default: none. */
  readonly fullFrame?: Buffer | undefined;
  /** Bounds on new connections in a second. Default: none. */
  readonly rates?: AcceptRates | undefined;
  /** Whether its worker has too much to do or too little memory to accept. Default: never. */
  readonly overloaded?: (() => boolean) | undefined;
  /** Whether it starts suspended. */
  readonly suspended: boolean;
  /** Address of the listening socket, where it is known before `acquire`. */
  readonly address?: { readonly address: string; readonly port: number } | undefined;
  /** Provides the listening socket; called again after the copy was closed, if `renewable`. */
  acquire(): Promise<ListenTarget>;
  /** Told of each accepted socket; may lower `maxConnections` at once. Default: descriptors are not watched. */
  readonly descriptors?: { accepted(fd: number): void } | undefined;
  /** How far it may be ahead of other workers' listeners. Default: unlimited. */
  readonly quota?: AcceptQuota | undefined;
  /** Whether closing and acquiring again loses no client in the backlog. Otherwise the excess is refused. */
  readonly renewable: boolean;
}
