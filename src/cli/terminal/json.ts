/** JSON output of the commands. */
import { escapeJsonControls } from "../../text/escape.js";

/** Indented, safe to show on a terminal, with a line end. */
export function jsonText(value: unknown): string {
  return `${escapeJsonControls(JSON.stringify(value, null, 2))}\n`;
}
