/**
 * What may be handed to `send` where a frame is bytes: a view of bytes, or a string, which is sent as UTF-8
 * (half of a surrogate pair becomes U+FFFD, as everywhere in Node).
 */

import { isUint8Array } from "node:util/types";
import { FramingError } from "./framing.js";

export type Payload = Uint8Array | string;

/**
 * Bytes of the payload on the wire.
 * @throws FramingError `send_invalid` for anything else: a length of `NaN` would spoil what other frames of
 * the same turn have written.
 */
export function payloadLength(name: string, payload: Payload): number {
  if (typeof payload === "string") return Buffer.byteLength(payload);
  // Not `instanceof`: a test runner may give the test a realm, and so a Uint8Array, of its own.
  if (isUint8Array(payload)) return payload.length;
  const what = payload === null ? "null" : typeof payload;
  const hint = "write JSON.stringify(value) to send it as JSON";
  throw new FramingError(
    "send_invalid",
    `${name} sends a Buffer, a Uint8Array or a string, not ${what}; ${hint}`,
  );
}

/** Writes the payload at `offset`, where there is room for it. Returns the offset after it. */
export function writePayload(payload: Payload, target: Buffer, offset: number): number {
  if (typeof payload === "string") return offset + target.write(payload, offset);
  target.set(payload, offset);
  return offset + payload.length;
}
