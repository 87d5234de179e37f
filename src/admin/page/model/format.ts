/** Formats of numbers, sizes, durations, times and field names on the page. */
import { durationText } from "../../../text/duration.js";

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `10,000`. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `12.4K`: for axes. */
export function compact(value: number): string {
  return Math.abs(value) < 10 ? String(Math.round(value * 10) / 10) : SHORT.format(value);
}

/** `1.2 MiB`. */
export function bytes(value: number): string {
  let unit = 0;
  let left = value;
  while (left >= 1000 && unit < BYTES.length - 1) {
    left /= 1024;
    unit++;
  }
  const digits = unit === 0 || left >= 100 ? 0 : 1;
  return `${left.toFixed(digits)} ${BYTES[unit]}`;
}

/** `200 KiB`: for the ticks of an axis. */
export function roundBytes(value: number): string {
  return bytes(value).replace(".0 ", " ");
}

/** `480 ms`, `12s`, `3m 20s`, `3h 12m`, `9d 4h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return durationText(ms);
}

/** Names that the command line uses for these fields. */
const FIELD_NAMES: Readonly<Record<string, string>> = { messageQueueLength: "mailbox", outbound: "unsent" };

/** `framesReceived` as `frames received`. */
export function words(name: string): string {
  if (Object.hasOwn(FIELD_NAMES, name)) return FIELD_NAMES[name] as string;
  return name
    .replace(/Ms$|Seconds$/, "")
    .replace(/[A-Z]+/g, (capitals) => ` ${capitals.toLowerCase()}`)
    .replaceAll("_", " ")
    .trim();
}

/** A field of `/info` as text; its name tells the unit. */
export function shown(name: string, value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return measured(name, value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function measured(name: string, value: number): string {
  if (name.endsWith("Ms")) return duration(value);
  if (name.endsWith("Seconds")) return duration(value * 1000);
  if (/bytes|^outbound$|^buffered$/i.test(name)) return bytes(value);
  // Identifiers are printed without digit grouping.
  return /pid|port/i.test(name) ? String(value) : count(value);
}

/** `68 65 6c` from `68656c`. */
export function spacedHex(hex: string): string {
  return hex.replace(/\s+/g, "").replace(/..(?=.)/g, "$& ");
}
