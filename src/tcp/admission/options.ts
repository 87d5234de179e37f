/** From the options of a listener to its gate. */
import { networkMistake, TrustedNetworks } from "../../proxy/trusted-networks.js";
import { Gate } from "./gate.js";
import { parseRate } from "./rate.js";
import type { AddressAuthority, AddressLimits, GateTerms } from "./terms.js";

/** As in the configuration: a listener's own, or those of the server for all its listeners together. */
export interface AddressOptions {
  /** Connections of one address at once. */
  readonly maxPerAddress?: number | undefined;
  /** New connections of one address a second: `10`, `"10:50"`. */
  readonly addressRate?: number | string | undefined;
  /** Milliseconds for which an address is refused that has exceeded one of these. */
  readonly addressBan?: number | undefined;
}

export interface AccessOptions {
  /** Networks that may connect. */
  readonly allow?: readonly string[] | undefined;
  /** Networks that may not, even if `allow` has them. */
  readonly deny?: readonly string[] | undefined;
}

/** `undefined`: addresses have no limits. */
export function addressLimitsOf(options: AddressOptions): AddressLimits | undefined {
  const { maxPerAddress: maxConnections, addressRate, addressBan: ban } = options;
  if (maxConnections === undefined && addressRate === undefined) return undefined;
  return { maxConnections, rate: addressRate === undefined ? undefined : parseRate(addressRate), ban };
}

/** What a gate goes by. @param authority where addresses have limits */
export function gateTermsOf(
  { allow, deny }: AccessOptions,
  authority: AddressAuthority | undefined,
): GateTerms {
  return { allow: networks(allow), deny: networks(deny), authority };
}

/** @param authority where addresses have limits. @returns `undefined` where everybody is admitted */
export function gateOf(
  listener: string,
  { allow, deny }: AccessOptions,
  authority: AddressAuthority | undefined,
): Gate | undefined {
  const terms = [allow, deny, authority];
  return terms.every((one) => one === undefined) ? undefined : makeGate(listener, { allow, deny }, authority);
}

/** As `gateOf`, for a listener whose operator may ban addresses later: idle until then. */
export function makeGate(
  listener: string,
  { allow, deny }: AccessOptions,
  authority: AddressAuthority | undefined,
): Gate {
  return new Gate(listener, gateTermsOf({ allow, deny }, authority));
}

function networks(entries: readonly string[] | undefined): TrustedNetworks | undefined {
  return entries && new TrustedNetworks(entries);
}

/** Whether a list of networks has the right shape. */
export function isNetworks(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((one) => networkMistake(one) === undefined);
}
