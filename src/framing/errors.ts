/** Framing errors that several framings throw, with one wording. */

import { FramingError } from "./framing.js";

const WRONG_PROTOCOL = "if not, the peer speaks another protocol";

/** A received header declares more than the limit. */
export function declaredTooLong(name: string, length: number, limit: number, option: string): FramingError {
  const fact = `${name}: the peer declares a frame of ${length} bytes and the limit is ${limit}`;
  return new FramingError("frame_too_long", `${fact}; raise ${option} if that is right; ${WRONG_PROTOCOL}`);
}

/** A frame without a declared length is longer than the limit. */
export function receivedTooLong(name: string, what: string, limit: number, option: string): FramingError {
  const fact = `${name}: the peer sends ${what} of more than ${limit} bytes`;
  return new FramingError("frame_too_long", `${fact}; raise ${option} if that is right; ${WRONG_PROTOCOL}`);
}

/** Received bytes that the framing does not allow. */
export function frameInvalid(name: string, fact: string): FramingError {
  return new FramingError("frame_invalid", `${name}: ${fact}; the peer speaks another protocol or is faulty`);
}

/** @param fix what to type for a higher limit, if there is one */
export function sendTooLong(name: string, length: number, limit: number, fix?: string): FramingError {
  const raise = fix === undefined ? "" : `, or raise the limit on both sides with ${fix}`;
  const fact = `${name}: the frame has ${length} bytes and the limit is ${limit}`;
  return new FramingError("send_too_long", `${fact}; split it${raise}`);
}

export function sendInvalid(name: string, fact: string): FramingError {
  return new FramingError("send_invalid", `${name}: ${fact}`);
}
