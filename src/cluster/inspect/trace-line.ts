/** What a traced process did, as a line: bounded, and safe to show. */

import type { TraceLine } from "../../control/trace.js";
import type { Pid } from "../../otp/process/pid.js";
import { wallTime } from "../../otp/time/clock.js";
import { escapeControls } from "../../text/escape.js";
import { formatValue } from "./state-text.js";

/** Bytes of a frame that are shown. */
const FRAME = 256;
/** Characters of everything else. */
const TEXT = 1_000;

export function traceLine(pid: Pid, what: TraceLine["what"], more: Partial<TraceLine> = {}): TraceLine {
  return { at: wallTime(), pid: pid.toString(), what, ...more };
}

/** A frame can be whatever its framing gives: bytes, text, or an object that only it knows how to encode. */
export function frameParts(frame: unknown): Partial<TraceLine> {
  if (typeof frame === "string") {
    const bytes = Buffer.from(frame.slice(0, FRAME));
    return { length: Buffer.byteLength(frame), ...bytesParts(bytes) };
  }
  if (!(frame instanceof Uint8Array)) return { text: termText(frame) };
  return { length: frame.length, ...bytesParts(frame) };
}

function bytesParts(frame: Uint8Array): Partial<TraceLine> {
  const { buffer, byteOffset, length } = frame;
  const first = Buffer.from(buffer, byteOffset, Math.min(length, FRAME));
  return { hex: first.toString("hex"), text: escapeControls(first.toString()) };
}

export function termText(value: unknown): string {
  return escapeControls(formatValue(value, TEXT));
}
