/** Text of trace lines on the page. */
import type { TraceLine } from "../../../control/trace.js";
import { count } from "./format.js";

/** Label of each kind of line. */
export const WORDS: Readonly<Record<TraceLine["what"], string>> = {
  frame_in: "in",
  frame_out: "out",
  state: "state",
  message: "message",
  call: "call",
  event: "event",
  end: "end",
  dropped: "dropped",
};

/** `13 B` for a frame, `40 lines` for dropped lines, the new state for a state change, else empty. */
export function lineSummary({ what, state, length }: TraceLine): string {
  if (what === "state") return state ?? "";
  if (length === undefined) return "";
  return what === "dropped" ? `${count(length)} lines` : `${count(length)} B`;
}

/** The page itself calls supervisors for every update of the tree; these calls are hidden. */
export function isOwnRequest({ what, text }: TraceLine): boolean {
  return what === "call" && text === "whichChildren()";
}
