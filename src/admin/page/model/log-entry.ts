/** Log records as the page shows them. Fields have no guaranteed types, so each is checked. */
import type { LogRecord } from "../../../control/program.js";

export interface Entry {
  /** Counts up; the key of the entry on the page. */
  readonly serial: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: string;
  /** `supervisor`, `crash`, `progress`; `undefined` for other log records. */
  readonly report: string | undefined;
  /** `primary`, `worker 1`. */
  readonly who: string;
  readonly message: string;
  /** The child in a supervisor report: `worker 1 <1.1>`. */
  readonly about: string | undefined;
  readonly record: LogRecord;
}

/** Fields that are shown elsewhere or are the same in all records. */
const SHOWN = ["time", "level", "worker", "msg", "name", "osPid", "report"];
const IMPORTANT = ["warn", "error", "fatal"];

export function entryOf(record: LogRecord, serial: number): Entry {
  const { time, level, worker, msg, report } = record;
  const at = typeof time === "number" ? time : Date.parse(String(time));
  return {
    serial,
    at: Number.isNaN(at) ? 0 : at,
    level: typeof level === "string" ? level : "info",
    report: typeof report === "string" ? report : undefined,
    who: typeof worker === "number" && worker > 0 ? `worker ${worker}` : "primary",
    message: typeof msg === "string" ? msg : "",
    about: offenderText(record.offender),
    record,
  };
}

function offenderText(offender: unknown): string | undefined {
  if (typeof offender !== "object" || offender === null) return undefined;
  const { id, pid } = offender as Record<string, unknown>;
  const text = [id, pid].filter((one) => typeof one === "string").join(" ");
  return text === "" ? undefined : text;
}

/** A report, or a record of level warn or above. */
export function isImportant({ level, report }: Entry): boolean {
  return report !== undefined || IMPORTANT.includes(level);
}

/** The remaining fields, one per line, with the names of SASL. */
export function detailsOf({ record }: Entry): string {
  return Object.entries(record)
    .filter(([key]) => !SHOWN.includes(key))
    .map(([key, value]) => `${key}: ${text(value, "")}`)
    .join("\n");
}

function text(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? value.replaceAll("\n", `\n${indent}  `) : String(value);
  }
  if (Array.isArray(value)) return `[${value.map((one) => text(one, indent)).join(", ")}]`;
  const inner = `${indent}  `;
  return Object.entries(value)
    .map(([key, one]) => `\n${inner}${key}: ${text(one, inner)}`)
    .join("");
}
