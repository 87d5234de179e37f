/** Table for a terminal or a pipe, and the text of its cells. */
import { escapeControls } from "../../text/escape.js";

/**
 * Columns as wide as their widest cell, control characters escaped.
 * @param width of a line: the last column wraps. Default: unlimited
 */
export function table(rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string {
  const safe = rows.map((cells) => cells.map(escapeControls));
  const widths: number[] = [];
  for (const cells of safe) {
    for (const [at, cell] of cells.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return safe
    .flatMap((cells) => {
      const padded = cells.map((cell, at) => cell.padEnd(widths[at]!));
      const left = padded
        .slice(0, -1)
        .map((cell) => `${cell}  `)
        .join("");
      return hanging(left, cells.at(-1) ?? "", width);
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Text is not wrapped into a narrower column. */
const MIN_COLUMN = 20;

/** Text right of `left`, wrapped between words with a hanging indent. */
function hanging(left: string, text: string, lineWidth: number): string[] {
  const width = lineWidth - left.length;
  if (text.length <= width || width < MIN_COLUMN) return [left + text];
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line, at) => (at === 0 ? left : " ".repeat(left.length)) + line);
}

/** Cut to a width, with … at the end. */
export function cut(line: string, width: number): string {
  if (line.length <= width) return line;
  return width > 1 ? `${line.slice(0, width - 1)}…` : line.slice(0, width);
}

/** One line for each field. */
export function fieldTable(value: object): string {
  return table(Object.entries(value).map(([key, inner]) => [key, fieldText(inner)]));
}

/** Strings without quotes, lists of strings with commas, everything else as JSON. */
export function fieldText(value: unknown): string {
  if (Array.isArray(value) && value.every((one) => typeof one === "string"))
    return value.join(", ") || "none";
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `912 B`, `3.4 KiB`, `120 MiB`: three digits at most before the unit. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `7`, `12.3k`, `4.56M`: an abbreviated count. */
export function short(count: number): string {
  if (count < 10_000) return String(Math.round(count));
  return count < 1e6 ? `${(count / 1e3).toFixed(1)}k` : `${(count / 1e6).toFixed(2)}M`;
}
