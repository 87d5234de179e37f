/** List of connections, and of their addresses: rows, query and result. */

/** One connection as a row of a table. Totals count from the start of the connection. */
export interface ConnectionRow {
  readonly pid: string;
  readonly worker: number;
  /** Name of the listener that accepted it. */
  readonly listener: string;
  readonly state: string;
  /** The client: `10.0.0.7:51234`. */
  readonly peer: string;
  /** The proxy whose PROXY header named it; absent for the others. */
  readonly via?: string;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes sent that the kernel has not taken. */
  readonly outbound: number;
  readonly messageQueueLength: number;
  /** Names that it holds, groups that it is in, and messages of groups that it has lost since its start. */
  readonly names: number;
  readonly groups: number;
  readonly missed: number;
}

export const CONNECTION_COLUMNS = [
  "pid",
  "worker",
  "listener",
  "state",
  "peer",
  "ageMs",
  "idleMs",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "outbound",
  "messageQueueLength",
  "names",
  "groups",
  "missed",
] as const satisfies readonly (keyof ConnectionRow)[];

export interface ConnectionQuery {
  readonly worker?: number;
  /** Name of a listener. */
  readonly listener?: string;
  /** Exact name of a state. */
  readonly state?: string;
  /** Prefix of the peer's address. */
  readonly peer?: string;
  readonly sort: (typeof CONNECTION_COLUMNS)[number];
  readonly order: "asc" | "desc";
  readonly limit: number;
}

export interface ConnectionList {
  readonly total: number;
  /** Connections that match the query; `rows` may be fewer. */
  readonly matched: number;
  readonly rows: readonly ConnectionRow[];
  /** Workers that did not answer in time; their connections are missing from `rows`. */
  readonly missing: readonly number[];
  /** The last frame that was none, of the workers and the listener that were asked for; absent: there was none. */
  readonly lastBadFrame?: LastBadFrame | undefined;
}

/** A frame that the framing has refused; its connection has ended. */
export interface LastBadFrame {
  /** Milliseconds ago. */
  readonly agoMs: number;
  readonly pid: string;
  readonly listener: string;
  readonly protocol: string;
  readonly peer: string;
  /** `frame_invalid`, `frame_too_long` */
  readonly code: string;
  readonly message: string;
}

/** The connections of one client address, or of one /64 of IPv6. */
export interface AddressRow {
  /** `10.0.0.7`, `2001:db8:0:1::/64`, or the path of a UNIX socket. */
  readonly address: string;
  readonly connections: number;
  /** Age of the oldest one. */
  readonly oldestMs: number;
  /** Time since the last frame of any of them. */
  readonly idleMs: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes sent that the kernel has not taken. */
  readonly outbound: number;
}

export const ADDRESS_COLUMNS = [
  "connections",
  "address",
  "oldestMs",
  "idleMs",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "outbound",
] as const satisfies readonly (keyof AddressRow)[];

/** Addresses that a worker reports at most, those with most connections first. */
export const MAX_ADDRESSES = 10_000;

export interface AddressQuery extends Pick<ConnectionQuery, "worker" | "listener" | "state" | "peer"> {
  readonly sort: (typeof ADDRESS_COLUMNS)[number];
  readonly order: "asc" | "desc";
  readonly limit: number;
}

export interface AddressList extends Pick<ConnectionList, "total" | "matched" | "missing"> {
  /** Different addresses; a lower bound where `complete` is false. */
  readonly addresses: number;
  /** False: a worker has more than 10,000 addresses, and those with fewest connections are left out. */
  readonly complete: boolean;
  readonly rows: readonly AddressRow[];
}
