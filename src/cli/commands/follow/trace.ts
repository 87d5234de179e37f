/** `drover trace`: events of a process, line by line, until it ends or Ctrl-C. */
import type { TraceLine } from "../../../control/trace.js";
import { clockTimeMs } from "../../../text/clock-time.js";
import { escapeControls, escapeJsonControls } from "../../../text/escape.js";
import type { ServerEvent } from "../../../text/event-stream.js";
import { follow } from "../../client/event-stream.js";
import type { Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { Output } from "../../terminal/output.js";
import { type Paint, painter, type Style } from "../../terminal/style.js";
import { pidArgument } from "../pid-argument.js";

export async function trace(invocation: Invocation): Promise<string> {
  const { target, positionals, stdout, interrupt, json, columns } = invocation;
  const pid = pidArgument(positionals[0] ?? "");
  const output = new Output(stdout, interrupt);
  const paint = painter(invocation.color);
  const onTerminal = columns !== undefined;
  let ended = false;
  // An idle process has no events: without this line the command would look blocked.
  const onBegin = () => {
    if (onTerminal && !json) void output.write(`${paint("dim", `tracing ${pid} until it ends or Ctrl-C`)}\n`);
  };
  const onEvent = ({ data }: ServerEvent) => {
    const line = JSON.parse(data) as TraceLine;
    ended ||= line.what === "end";
    return output.write(
      `${json ? escapeJsonControls(data) : renderTraceLine(line, paint, output.columns)}\n`,
    );
  };
  try {
    await follow(target, `/trace/${encodeURIComponent(pid)}`, output.signal, onEvent, onBegin);
    if (output.failure) throw output.failure;
    if (!ended && !output.signal.aborted) throw new CommandError(`drover "${target.name}" ended the trace`);
  } finally {
    output.stop();
  }
  // After the ^C that the terminal echoes.
  return interrupt.aborted && onTerminal ? "\n" : "";
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

/** @param columns width of the terminal, if any: longer lines are cut */
export function renderTraceLine(line: TraceLine, paint: Paint, columns = Number.POSITIVE_INFINITY): string {
  const [word, style] = WORDS[line.what] ?? [escapeControls(line.what), "blue"];
  const at = clockTimeMs(line.at);
  const left = `${word.padEnd(7)}  ${escapeControls(line.state ?? "").padEnd(10)}`;
  const width = Math.max(10, columns - at.length - left.length - 4);
  const rest = detailOf(line);
  const shown = rest.length > width ? `${rest.slice(0, width - 1)}…` : rest;
  return `${paint("dim", at)}  ${paint(style, left.slice(0, 7))}${left.slice(7)}  ${shown}`.trimEnd();
}

function detailOf({ what, length, hex, text, group, from }: TraceLine): string {
  if (what === "dropped") return `${length} more lines in this second, over the rate limit`;
  // The text before the hex: people read the text, and a narrow terminal cuts off the end.
  const bytes = length === undefined ? "" : `${length} B  `;
  const pairs = hex === undefined ? "" : `  ${hex.replace(/(..)(?=.)/g, "$1 ")}`;
  const sender = from === undefined ? "" : ` from ${from}`;
  const origin = group === undefined ? "" : `${escapeControls(group)}${sender}: `;
  return `${origin}${bytes}${escapeControls(text ?? "")}${pairs}`;
}
