/** From the options of a listener to what its connections go through first. */
import { networkMistake, TrustedNetworks } from "../../proxy/trusted-networks.js";
import type { TlsStart } from "../../tls/options.js";
import type { SecureTerms } from "../../transport/secure/terms.js";
import type { Transport } from "../../transport/transport.js";
import type { Gate } from "../admission/gate.js";
import type { Counters } from "../observe/counters.js";
import { CountedHandshake } from "./counted-handshake.js";
import type { OpeningTerms, StartTls } from "./terms.js";

/** Every connection must begin with a PROXY header (version 1 or 2), which names the client. */
export interface ProxyOptions {
  /**
   * Networks of the proxies: `["10.0.0.0/8", "fd00::1"]`, and `"unix"` for all UNIX sockets. Whoever connects from
   * there decides what `conn.peer` is; any other connection is closed unread (`proxy_untrusted`).
   */
  readonly from: readonly string[];
}

export interface OpeningOptions {
  readonly proxy?: ProxyOptions | undefined;
  /** Asked behind a PROXY header with the client's address; the listener asks it where there is none. */
  readonly gate?: Gate | undefined;
  readonly startTls?: StartTls | undefined;
  /** When it begins. Default `at_once`. */
  readonly tlsStart?: TlsStart | undefined;
}

export interface OpeningAndTls {
  /** `undefined` for a listener that is plain at first. */
  readonly opening: OpeningTerms | undefined;
  /** What `startTls()` of a protocol does. */
  readonly startTls: StartTls | undefined;
  readonly gate: Gate | undefined;
}

/** What an endpoint needs for its connections. */
export function openingOf({ proxy, gate, startTls, tlsStart }: OpeningOptions): OpeningAndTls {
  const atOnce = tlsStart === "by_protocol" ? undefined : startTls;
  const plain = proxy === undefined && atOnce === undefined;
  return {
    opening: plain
      ? undefined
      : { proxy: proxy && new TrustedNetworks(proxy.from), gate: proxy && gate, startTls: atOnce },
    startTls: atOnce === undefined ? startTls : undefined,
    gate,
  };
}

/** Handshakes with the terms that the listener has when each begins. */
export function startTlsOf(
  transport: () => Transport,
  tls: { readonly terms: SecureTerms },
  counters: () => Counters,
): StartTls {
  return (socket, received, owner) =>
    transport().secure(socket, tls.terms, received, new CountedHandshake(owner, counters().handshakes));
}

/** Whether `proxy` has the right shape. */
export function isProxyOptions(value: unknown): value is ProxyOptions {
  if (typeof value !== "object" || value === null) return false;
  const { from, ...more } = value as { from?: unknown };
  if (!Array.isArray(from) || from.length === 0 || Object.keys(more).length > 0) return false;
  return from.every((entry) => networkMistake(entry) === undefined);
}
