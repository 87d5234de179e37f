/** `drover events`: the log and the life of the workers, as they happen or as far as they are kept. */
import type { LogRecord } from "../../../control/program.js";
import { clockTimeMs } from "../../../text/clock-time.js";
import { escapeControls, escapeJsonControls } from "../../../text/escape.js";
import { plural } from "../../../text/plural.js";
import { get } from "../../client/client.js";
import { follow } from "../../client/event-stream.js";
import type { CommandFlag, Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { Output } from "../../terminal/output.js";
import { type Paint, painter, type Style } from "../../terminal/style.js";

export const EVENT_FLAGS: readonly CommandFlag[] = [
  { name: "follow", sentence: "Go on with new records until Ctrl-C; short form -f." },
  { name: "level", placeholder: "LEVEL", sentence: "Only records of this level and above. Default: info." },
  { name: "worker", placeholder: "N", sentence: "Only records of this worker; 0 is the primary." },
  { name: "protocol", placeholder: "NAME", sentence: "Only records of connections of this protocol." },
  { name: "text", placeholder: "TEXT", sentence: "Only records with this text in any field." },
];

export async function events(invocation: Invocation): Promise<string> {
  const { target, values, switches, json, stdout, interrupt, color, columns } = invocation;
  const query = new URLSearchParams();
  for (const { name, placeholder } of EVENT_FLAGS) {
    const value = values.get(name);
    if (placeholder !== undefined && value !== undefined) query.set(name, value);
  }
  const paint = painter(color);
  const text = (record: LogRecord, width?: number) =>
    `${json ? escapeJsonControls(JSON.stringify(record)) : renderRecord(record, paint, width)}\n`;
  if (!switches.has("follow")) {
    const records = (await get(target, `/records?${query}`)) as readonly LogRecord[];
    return records.map((record) => text(record, columns)).join("");
  }
  const output = new Output(stdout, interrupt);
  try {
    await follow(target, `/records/follow?${query}`, output.signal, ({ name, data }) =>
      output.write(name === "record" ? text(JSON.parse(data), output.columns) : lostText(data, json)),
    );
    if (output.failure) throw output.failure;
    if (!output.signal.aborted) throw new CommandError(`drover "${target.name}" ended the events`);
  } finally {
    output.stop();
  }
  // After the ^C that the terminal echoes.
  return interrupt.aborted && columns !== undefined ? "\n" : "";
}

function lostText(data: string, json: boolean): string {
  if (json) return `${escapeJsonControls(data)}\n`;
  const { lost } = JSON.parse(data) as { lost: number };
  return `${plural(lost, "record")} lost: this command was read too slowly\n`;
}

const STYLES: Readonly<Record<string, Style>> = {
  warn: "yellow",
  error: "red",
  fatal: "magenta",
  info: "green",
};
/** Shown elsewhere in the line, or the same in all. */
const SHOWN: readonly string[] = ["level", "time", "worker", "osPid", "name", "msg"];

/** One line, then the stack of an error. @param columns width of the terminal, if any: the line is cut */
export function renderRecord(record: LogRecord, paint: Paint, columns = Number.POSITIVE_INFINITY): string {
  const { level, time, worker, msg } = record;
  const at = clockTimeMs(Date.parse(String(time)));
  const origin = worker === 0 ? "primary" : `worker ${escapeControls(String(worker))}`;
  const label = escapeControls(String(level)).toUpperCase().padEnd(5);
  const pairs = Object.entries(record)
    .filter(([key]) => !SHOWN.includes(key))
    .flatMap(([key, value]) => (stackOf(value) === undefined ? `  ${key}=${valueText(value)}` : []));
  const text = escapeControls(`${origin}  ${String(msg ?? "")}${pairs.join("")}`);
  const width = Math.max(10, columns - at.length - label.length - 2);
  const shown = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  const frames = Object.values(record).flatMap((value) => stackOf(value)?.split("\n") ?? []);
  const lines = frames.map((frame) => `\n    ${escapeControls(frame.trim())}`).join("");
  return `${paint("dim", at)} ${paint(STYLES[String(level)] ?? "dim", label)} ${shown}${lines}`;
}

function stackOf(value: unknown): string | undefined {
  const { stack } = (typeof value === "object" && value !== null ? value : {}) as { stack?: unknown };
  return typeof stack === "string" ? stack : undefined;
}

function valueText(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? "");
}
