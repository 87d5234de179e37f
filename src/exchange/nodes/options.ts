/** Options of the exchange that concern other servers: plain data, from the primary's configuration over IPC. */

/** How NATS is reached. */
export interface NatsOptions {
  /** `nats://` or `tls://` addresses without credentials; tried in turn. */
  readonly servers: readonly string[];
  /** Main file of the NATS client, as `findClient` found it. */
  readonly client: string;
  /** Path of a credentials file. */
  readonly creds?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** Paths of PEM files. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The servers that share groups and names, and this one among them. */
export interface NodesOptions {
  readonly nats: NatsOptions;
  /** Servers of the same cluster share groups and names. */
  readonly cluster: string;
  /** Name of this server in the cluster: no two of it have the same. */
  readonly node: string;
  /** Milliseconds of silence after which another server counts as gone. */
  readonly nodeTimeout: number;
  /** Whether NATS clients other than drover may ask, send and publish. */
  readonly outside: boolean;
  /** Largest message that they may send, in bytes. */
  readonly maxMessage: number;
}
