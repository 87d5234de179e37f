/** Lines of a trace in the words of the page. */
import type { TraceLine } from "../../../control/trace.js";
import { count } from "./format.js";

/** What happened. */
export const WORDS: Readonly<Record<TraceLine["what"], string>> = {
  frame_in: "in",
  frame_out: "out",
  state: "state",
  message: "message",
  call: "call",
  event: "event",
  end: "end",
  dropped: "left out",
};

/** `13 B` of a frame, `40 lines` that were left out, or the state that it is in now; else nothing. */
export function aboutLine({ what, state, length }: TraceLine): string {
  if (what === "state") return state ?? "";
  if (length === undefined) return "";
  return what === "dropped" ? `${count(length)} lines` : `${count(length)} B`;
}

/** The page itself asks supervisors, each time that it draws the tree. */
export function isOwnQuestion({ what, text }: TraceLine): boolean {
  return what === "call" && text === "whichChildren()";
}
