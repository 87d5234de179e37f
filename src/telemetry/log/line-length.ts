/**
 * Maximum length of a log line: PIPE_BUF, 4 KiB on Linux. Up to that length the kernel writes a line to a pipe as a
 * whole or not at all; longer lines of two workers mix when the reader is slow.
 */
import { escapeJsonControls } from "../../text/escape.js";
import { truncate } from "./safe-text.js";

const MAX_LINE = 4096;
/** Bytes of each text in a line that is too long: the first of these with which it fits. */
const LIMITS = [2000, 1200, 800, 400, 200, 100, 50];
/** Elements of each list, fields of each object, and lines of a text. */
const MAX_ITEMS = 25;

function fits(line: string): boolean {
  return line.length * 3 <= MAX_LINE || Buffer.byteLength(line) <= MAX_LINE;
}

/** A JSON line of at most 4 KiB: long texts are truncated. @param line ends with a line feed */
export function fitJsonLine(line: string): string {
  if (fits(line)) return line;
  const fields = JSON.parse(line) as Record<string, unknown>;
  for (const limit of LIMITS) {
    const shorter = jsonLine(shortened(fields, limit));
    if (fits(shorter)) return shorter;
  }
  const { level, time, worker, osPid, name, msg } = shortened(fields, 400) as Record<string, unknown>;
  return jsonLine({ level, time, worker, osPid, name, truncated: true, msg });
}

function jsonLine(fields: unknown): string {
  return `${escapeJsonControls(JSON.stringify(fields))}\n`;
}

function shortened(value: unknown, limit: number): unknown {
  if (typeof value === "string") return truncate(value, limit);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const kept = value.slice(0, MAX_ITEMS).map((one) => shortened(one, limit));
    return value.length > MAX_ITEMS ? [...kept, `… (+${value.length - MAX_ITEMS})`] : kept;
  }
  const entries = Object.entries(value);
  const kept =
    entries.length > MAX_ITEMS ? [...entries.slice(0, MAX_ITEMS - 1), ...entries.slice(-1)] : entries;
  return Object.fromEntries(kept.map(([key, inner]) => [truncate(key, limit), shortened(inner, limit)]));
}

/** A line, or a report of several lines, of at most 4 KiB: long lines are truncated. @param text ends with a line feed */
export function fitText(text: string): string {
  if (fits(text)) return text;
  const lines = text.split("\n");
  for (const limit of LIMITS) {
    const shorter = lines.map((line) => truncate(line, limit)).join("\n");
    if (fits(shorter)) return shorter;
  }
  const kept = lines.slice(0, MAX_ITEMS).map((line) => truncate(line, LIMITS.at(-1)));
  return `${kept.join("\n")}\n`;
}
