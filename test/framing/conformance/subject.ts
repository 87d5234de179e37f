/** A framing with what the conformance suite has to know about it. */

import type fc from "fast-check";
import type { Framing } from "../../../src/framing/framing.js";

export interface Subject<In, Out> {
  framing: Framing<In, Out>;
  /** Frames to send: short and long ones, an empty one among them. */
  samples: Out[];
  arbitrary: fc.Arbitrary<Out>;
  /** A frame as a plain value, the same for what is sent and for what is then received. */
  value(frame: In | Out): string;
  /** False where a frame ends wherever TCP has cut it. */
  bounded: boolean;
  limit?: Limit<Out>;
  /** Values that are no frames, where it is not the usual list. */
  unframable?: readonly unknown[];
}

/** Around the greatest length. */
export interface Limit<Out> {
  longest: Out;
  /** Bytes that are refused once `refusedAfter` of them have come, and not before. */
  tooLong: Buffer;
  refusedAfter: number;
  unsendable: Out;
}

/** The frames as plain values; in one piece where the framing has no boundaries to compare. */
export function plain<In, Out>(subject: Subject<In, Out>, frames: readonly (In | Out)[]): string | string[] {
  const values = frames.map((frame) => subject.value(frame));
  return subject.bounded ? values : values.join("");
}
