/** Formats a log line for `--log-format pretty`: `16:08:22.879 INFO  worker 1  listening on [::]:2222  listener=main`. */
import { clockTimeMs } from "../../text/clock-time.js";
import { escapeControls } from "../../text/escape.js";
import type { Fields } from "./fields.js";
import type { LineLevel } from "./levels.js";

/** SGR colour codes. */
const COLORS: Readonly<Record<LineLevel, number>> = {
  trace: 90,
  debug: 90,
  info: 32,
  warn: 33,
  error: 31,
  fatal: 35,
};
/** Values printed without quotes. */
const UNQUOTED = /^[^\s"=]+$/;

export interface PrettyLine {
  /** Wall-clock milliseconds. */
  readonly time: number;
  readonly level: LineLevel;
  readonly worker: number;
  readonly message: string;
  readonly fields: Fields;
}

/** One line, followed by one line per stack frame of an error among the fields. */
export function prettyLine({ time, level, worker, message, fields }: PrettyLine, color: boolean): string {
  const at = clockTimeMs(time);
  const label = level.toUpperCase().padEnd(5);
  const levelText = color ? `\x1b[${COLORS[level]}m${label}\x1b[0m` : label;
  const origin = worker === 0 ? "primary" : `worker ${worker}`;
  const pairs: string[] = [];
  const frames: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    const stack = stackOf(value);
    if (stack) frames.push(...stack.split("\n").map((frame) => `    ${escapeControls(frame.trim())}\n`));
    else pairs.push(`  ${escapeControls(`${key}=${valueText(value)}`)}`);
  }
  return `${at} ${levelText} ${origin}  ${escapeControls(message)}${pairs.join("")}\n${frames.join("")}`;
}

function stackOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("stack" in value)) return undefined;
  return typeof value.stack === "string" ? value.stack : undefined;
}

function valueText(value: unknown): string {
  if (typeof value === "string") return UNQUOTED.test(value) ? value : JSON.stringify(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "unprintable";
  }
}
