/** Text in columns. */
import { printable } from "./printable.js";

/**
 * Columns as wide as their widest cell; cells come out printable.
 * @param room characters in a line: where the last column is longer, it goes on below. Default: no end
 */
export function table(rows: readonly (readonly string[])[], room = Number.POSITIVE_INFINITY): string {
  const safe = rows.map((cells) => cells.map(printable));
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
      return hanging(left, cells.at(-1) ?? "", room);
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** In a narrower column there is nothing to be gained. */
const LEAST_ROOM = 20;

/** A text behind what stands left of it, broken between words. */
function hanging(left: string, text: string, room: number): string[] {
  const width = room - left.length;
  if (text.length <= width || width < LEAST_ROOM) return [left + text];
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line, at) => (at === 0 ? left : " ".repeat(left.length)) + line);
}

/** With a sign where something is missing. */
export function cut(line: string, room: number): string {
  if (line.length <= room) return line;
  return room > 1 ? `${line.slice(0, room - 1)}…` : line.slice(0, room);
}

/** One line for each member, as it is: text without quotes, lists of it with commas, everything else as JSON. */
export function record(value: object): string {
  return table(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
}

export function shown(value: unknown): string {
  if (Array.isArray(value) && value.every((one) => typeof one === "string"))
    return value.join(", ") || "none";
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** `4s`, `12m 5s`, `3h 2m`, `2d 4h`: the two largest units. */
export function elapsed(seconds: number): string {
  const whole = Math.floor(seconds);
  const units = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  const parts = first === -1 ? units.slice(-1) : units.slice(first, first + 2);
  const said = parts.filter(([count], at) => at === 0 || count > 0);
  return said.map(([count, unit]) => `${count}${unit}`).join(" ");
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

/** `7`, `12.3k`, `4.56M`: a count, short. */
export function short(count: number): string {
  if (count < 10_000) return String(Math.round(count));
  return count < 1e6 ? `${(count / 1e3).toFixed(1)}k` : `${(count / 1e6).toFixed(2)}M`;
}
