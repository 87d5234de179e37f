/**
 * Says what a connection begins like, when its first frame cannot be read: a listener and what connects to it are
 * configured differently, most likely, and the framing's own message does not tell.
 */
import { LOOKED_AT, looksLike } from "../../text/looks-like.js";
import type { OpeningTerms } from "../opening/terms.js";

export interface FirstBytes {
  /** To be added to the message. */
  readonly hint: string;
  /** Whether the configuration is wrong, not only the client. */
  readonly misconfigured: boolean;
}

/** @param bytes received of the first frame */
export function firstBytesOf(
  bytes: Uint8Array | undefined,
  opening: OpeningTerms | undefined,
): FirstBytes | undefined {
  const seen = bytes && looksLike(bytes.subarray(0, LOOKED_AT));
  if (seen === undefined) return undefined;
  const advice = adviceFor(seen, opening);
  return { hint: `; it begins like ${seen}${advice ?? ""}`, misconfigured: advice !== undefined };
}

function adviceFor(seen: string, opening: OpeningTerms | undefined): string | undefined {
  if (seen.includes("PROXY") && opening?.proxy !== undefined) return ", and one was read already";
  if (seen.includes("PROXY"))
    return ", which this listener does not expect: set proxy.from (--proxy-from), or let the proxy send none";
  if (seen.includes("TLS") && opening?.startTls === undefined)
    return ", which this listener does not speak: set tls (--tls-cert), or let the client use none";
  return undefined;
}
