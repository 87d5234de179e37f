/** `drover trace`: what a process does, line by line, until it ends or somebody presses Ctrl-C. */
import type { TraceLine } from "../../control/trace.js";
import { follow } from "../client/event-stream.js";
import type { Asked } from "../command.js";
import { CommandError } from "../errors.js";
import { Output } from "../terminal/output.js";
import { printable } from "../terminal/printable.js";
import { type Paint, painter, type Style } from "../terminal/style.js";
import { pidFrom } from "./actions.js";

export async function trace({ target, positionals: [text = ""], ...asked }: Asked): Promise<string> {
  const pid = pidFrom(text);
  const output = new Output(asked.stdout, asked.interrupt);
  const paint = painter(asked.color);
  const onTerminal = asked.columns !== undefined;
  let ended = false;
  // Of a process that does nothing no line comes, and somebody looks at it.
  const onBegin = () => {
    if (onTerminal && !asked.json)
      void output.write(`${paint("dim", `tracing ${pid}, until it ends or Ctrl-C`)}\n`);
  };
  const onEvent = (_name: string, data: string) => {
    const line = JSON.parse(data) as TraceLine;
    ended ||= line.what === "end";
    return output.write(`${asked.json ? printable(data) : renderTraceLine(line, paint, output.columns)}\n`);
  };
  try {
    await follow(target, `/trace/${encodeURIComponent(pid)}`, output.signal, onEvent, onBegin);
    if (output.failure) throw output.failure;
    if (!ended && !output.signal.aborted) throw new CommandError(`drover "${target.name}" ended the trace`);
  } finally {
    output.stop();
  }
  // Behind the ^C that the terminal shows.
  return asked.interrupt.aborted && onTerminal ? "\n" : "";
}

const WORDS: Readonly<Record<string, readonly [word: string, style: Style]>> = {
  frame_in: ["in", "green"],
  frame_out: ["out", "cyan"],
  state: ["state", "yellow"],
  message: ["message", "magenta"],
  call: ["call", "magenta"],
  event: ["event", "blue"],
  dropped: ["dropped", "red"],
  end: ["end", "red"],
};

/** @param columns of the terminal, when there is one: longer lines are cut */
export function renderTraceLine(line: TraceLine, paint: Paint, columns = Number.POSITIVE_INFINITY): string {
  const [word, style] = WORDS[line.what] ?? [printable(line.what), "blue"];
  const at = clockTime(line.at);
  const left = `${word.padEnd(7)}  ${printable(line.state ?? "").padEnd(10)}`;
  const room = Math.max(10, columns - at.length - left.length - 4);
  const rest = restOf(line);
  const shown = rest.length > room ? `${rest.slice(0, room - 1)}…` : rest;
  return `${paint("dim", at)}  ${paint(style, left.slice(0, 7))}${left.slice(7)}  ${shown}`.trimEnd();
}

function restOf({ what, length, hex, text }: TraceLine): string {
  if (what === "dropped") return `${length} more lines in this second were left out`;
  // The text comes first: it is what people read, and where the line is cut.
  const bytes = length === undefined ? "" : `${length} B  `;
  const pairs = hex === undefined ? "" : `  ${hex.replace(/(..)(?=.)/g, "$1 ")}`;
  return `${bytes}${printable(text ?? "")}${pairs}`;
}

/** `16:08:22.879`, in local time. */
function clockTime(at: number): string {
  const time = new Date(at);
  const [hours, minutes, seconds] = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${hours}:${minutes}:${seconds}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
