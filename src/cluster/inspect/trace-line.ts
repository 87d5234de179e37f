/** Lines of a trace: bounded in length, control characters escaped. */

import type { TraceLine } from "../../control/trace.js";
import type { Pid } from "../../otp/process/pid.js";
import { wallTime } from "../../otp/time/clock.js";
import { escapeControls } from "../../text/escape.js";
import { formatValue } from "./state-text.js";

/** Bytes shown of a frame. */
const FRAME_BYTES = 256;
/** Characters shown of any other value. */
const TEXT_LENGTH = 1_000;

export function traceLine(pid: Pid, what: TraceLine["what"], more: Partial<TraceLine> = {}): TraceLine {
  return { at: wallTime(), pid: pid.toString(), what, ...more };
}

/** A frame is whatever its framing decodes: bytes, text, or an object that only the framing can encode. */
export function frameParts(frame: unknown): Partial<TraceLine> {
  if (typeof frame === "string") {
    const bytes = Buffer.from(frame.slice(0, FRAME_BYTES));
    return { length: Buffer.byteLength(frame), ...bytesParts(bytes) };
  }
  if (!(frame instanceof Uint8Array)) return { text: valueText(frame) };
  return { length: frame.length, ...bytesParts(frame) };
}

function bytesParts(frame: Uint8Array): Partial<TraceLine> {
  const { buffer, byteOffset, length } = frame;
  const first = Buffer.from(buffer, byteOffset, Math.min(length, FRAME_BYTES));
  return { hex: first.toString("hex"), text: escapeControls(first.toString()) };
}

export function valueText(value: unknown): string {
  return escapeControls(formatValue(value, TEXT_LENGTH));
}
