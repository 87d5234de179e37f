/**
 * Payload of a sent frame for `packet`, `raw` and the like: bytes, or a string that is sent as UTF-8 (a lone surrogate becomes
 * U+FFFD, as everywhere in Node).
 */

import { isUint8Array } from "node:util/types";
import { FramingError } from "./framing.js";

export type Payload = Uint8Array | string;

/**
 * Length of the payload in bytes.
 * @throws FramingError `send_invalid` for any other type: a length of `NaN` would corrupt the shared output buffer.
 */
export function payloadLength(name: string, payload: Payload): number {
  if (typeof payload === "string") return Buffer.byteLength(payload);
  // Not `instanceof`: a test runner may run tests in another realm, with another Uint8Array.
  if (isUint8Array(payload)) return payload.length;
  const what = payload === null ? "null" : typeof payload;
  const hint = "write JSON.stringify(value) to send it as JSON";
  throw new FramingError(
    "send_invalid",
    `${name} sends a Buffer, a Uint8Array or a string, not ${what}; ${hint}`,
  );
}

/**
 * The frame, if it is bytes.
 * @throws FramingError `send_invalid` for any other type
 */
export function onlyBytes(name: string, frame: unknown): Uint8Array {
  if (isUint8Array(frame)) return frame;
  const what = frame === null ? "null" : typeof frame;
  throw new FramingError("send_invalid", `${name} sends a Buffer or a Uint8Array, not ${what}`);
}

/** Writes the payload at `offset`, where `payloadLength` bytes are free. Returns the offset after it. */
export function writePayload(payload: Payload, target: Buffer, offset: number): number {
  if (typeof payload === "string") return offset + target.write(payload, offset);
  target.set(payload, offset);
  return offset + payload.length;
}
