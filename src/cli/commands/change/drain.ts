/** `drover drain`: stops accepting and shows the progress until all connections have ended. */
import { scheduler } from "node:timers/promises";
import { durationOf, EXIT } from "../../../config/config.js";
import type { Draining } from "../../../control/program.js";
import { durationText } from "../../../text/duration.js";
import { get, post } from "../../client/client.js";
import type { Invocation, Outcome } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

/** Milliseconds between two requests for the progress. */
const FIRST_POLL = 50;
const POLL_ON_TERMINAL = 200;
const POLL = 1_000;
/** Rows of unfinished connections; `--json` has all of the answer. */
const MAX_LISTED = 20;

/** Returns the cursor to the start of the line and clears it. */
const CLEAR_LINE = "\r\x1b[K";

export async function drain(invocation: Invocation): Promise<string | Outcome> {
  const { target, positionals, values, json, columns, interrupt } = invocation;
  const given = values.get("deadline");
  const [listener] = positionals;
  const query = listener === undefined ? "" : `?${new URLSearchParams({ listener })}`;
  const body = {
    ...(given !== undefined && { deadlineMs: deadline(given) }),
    ...(listener !== undefined && { listener }),
  };
  let now = (await post(target, "/drain", body)) as Draining;
  let reading = true;
  // An idle server is drained as soon as its workers have answered.
  let pause = FIRST_POLL;
  while (now.status === "draining" && reading) {
    await scheduler.wait(pause, { signal: interrupt }).catch(() => {});
    if (interrupt.aborted) return interrupted(columns, listener);
    now = (await get(target, `/drain${query}`)) as Draining;
    if (now.status === "draining" && !json)
      reading = await invocation.print(
        columns === undefined ? `${progress(now)}\n` : `${CLEAR_LINE}${progressBar(now, columns)}`,
      );
    pause = columns === undefined ? POLL : POLL_ON_TERMINAL;
  }
  // Standard output is closed; the drain goes on.
  if (!reading) return "";
  const exitCode = now.status === "drained" && now.cut === 0 ? EXIT.ok : EXIT.failed;
  if (json) return { text: jsonText(now), exitCode };
  return { text: `${columns === undefined ? "" : CLEAR_LINE}${result(now, listener)}`, exitCode };
}

function deadline(text: string): number {
  const ms = durationOf(text);
  if (ms !== undefined) return ms;
  throw new CommandError(
    `--deadline: expected a duration such as 25s or 2m, got ${JSON.stringify(text)}`,
    EXIT.usage,
  );
}

function interrupted(columns: number | undefined, listener: string | undefined): Outcome {
  const name = listener === undefined ? "" : ` ${listener}`;
  const text = `${columns === undefined ? "" : "\n"}the drain continues: \`drover drain${name}\` shows its progress, \`drover resume${name}\` cancels it\n`;
  return { text, exitCode: EXIT.interrupted };
}

function progress({ before, active, remainingMs }: Draining): string {
  const rest =
    remainingMs > 0 ? `deadline in ${durationText(remainingMs)}` : "deadline reached, stopping them";
  return `draining: ${active} of ${before} connections left, ${rest}`;
}

/** The bar takes the width that the numbers leave, up to 40 characters. */
function progressBar(now: Draining, columns: number): string {
  const text = progress(now);
  const width = Math.min(40, columns - text.length - 4);
  if (width < 5) return text.slice(0, Math.max(0, columns - 1));
  const done = now.before === 0 ? 1 : Math.min(1, Math.max(0, 1 - now.active / now.before));
  const full = Math.round(done * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}] ${text}`;
}

function result({ status, before, cut, unfinished }: Draining, listener: string | undefined): string {
  const what = listener === undefined ? "the server" : `the listener ${listener}`;
  if (status !== "drained") return `drain cancelled: ${what} accepts connections again\n`;
  if (cut === 0)
    return `drained: ${before === 0 ? "no connections" : `all ${before} connections finished`}\n`;
  const listed = unfinished.slice(0, MAX_LISTED);
  const rows = listed.map(({ pid, state, peer, ageMs, idleMs }) => {
    return [`  ${pid}`, state, peer, `age ${durationText(ageMs)}`, `idle ${durationText(idleMs)}`];
  });
  const more = cut > listed.length ? `  … and ${cut - listed.length} more\n` : "";
  return `drained: ${cut} of ${before} connections did not finish before the deadline and were told to stop\n${table(rows)}${more}`;
}
