/** Whom a listener admits, by address: its terms, and why a client is refused. */
import type { TrustedNetworks } from "../../proxy/trusted-networks.js";

/** Bounds on a rate: so many on average, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Limits on one address: an IPv4 address, or a /64 of IPv6. */
export interface AddressLimits {
  /** Connections at once. Default: no limit. */
  readonly maxConnections?: number | undefined;
  /** New connections. Default: no limit. */
  readonly rate?: Rate | undefined;
  /** Milliseconds for which an address is refused that has exceeded one of these. Default 0: while it exceeds it. */
  readonly ban?: number | undefined;
}

/** Values of the label `reason` of drover_connections_refused_total that an address gets. */
export const ADDRESS_REFUSALS = ["denied", "banned", "address_connections", "address_rate"] as const;
export type AddressRefuseReason = (typeof ADDRESS_REFUSALS)[number];

/** A banned address, or /64 of IPv6. */
export interface AddressBan {
  readonly address: string;
  /** Milliseconds that are left. */
  readonly ms: number;
}

/** Number of open connections of a group of addresses. */
export type HeldAddress = readonly [listener: string, group: string, count: number];

export interface AddressRefusal {
  readonly reason: AddressRefuseReason;
  /** Milliseconds for which the same verdict holds. */
  readonly ms: number;
}

/** Decides for all workers. */
export interface AddressAuthority {
  /** @param done called with why the client is refused, or without: then it is counted until `give` */
  take(listener: string, group: string, done: (refusal: AddressRefusal | undefined) => void): void;
  give(listener: string, group: string): void;
}

export interface GateTerms {
  /** The only networks that may connect. Default: all. */
  readonly allow?: TrustedNetworks | undefined;
  /** Networks that may not. Default: none. */
  readonly deny?: TrustedNetworks | undefined;
  /** `undefined`: addresses have no limits. */
  readonly authority?: AddressAuthority | undefined;
}
