/** `drover drain`: begins it, and shows how it goes until nobody is connected any more. */
import { scheduler } from "node:timers/promises";
import { durationOf, EXIT } from "../../config/config.js";
import type { Draining } from "../../control/program.js";
import { get, post } from "../client/client.js";
import type { Asked, Outcome } from "../command.js";
import { CommandError } from "../errors.js";
import { elapsed, table } from "../terminal/table.js";
import { jsonText } from "./actions.js";

/** How often it asks, in milliseconds. */
const FIRST = 50;
const ON_TERMINAL = 200;
const ELSEWHERE = 1_000;
/** Of those who had not finished; `--json` has more. */
const MOST_NAMED = 20;
/** Some were cut, or it was ended before it was over. */
const NOT_ALL_FINISHED = 1;
/** As shells have it: ended by SIGINT. */
const INTERRUPTED = 130;

export async function drain(asked: Asked): Promise<string | Outcome> {
  const { target, values, json, columns, interrupt } = asked;
  const given = values.get("deadline");
  const body = given === undefined ? {} : { deadlineMs: deadline(given) };
  let now = (await post(target, "/drain", body)) as Draining;
  let reading = true;
  // What the workers say to it is there in a moment.
  let pause = FIRST;
  while (now.status === "draining" && reading) {
    await scheduler.wait(pause, { signal: interrupt }).catch(() => {});
    if (interrupt.aborted) return interrupted(columns);
    now = (await get(target, "/drain")) as Draining;
    if (now.status === "draining" && !json)
      reading = await asked.print(columns === undefined ? `${line(now)}\n` : `\r\x1b[K${bar(now, columns)}`);
    pause = columns === undefined ? ELSEWHERE : ON_TERMINAL;
  }
  // Who watched has gone; the drain goes on.
  if (!reading) return "";
  const exitCode = now.status === "drained" && now.cut === 0 ? EXIT.ok : NOT_ALL_FINISHED;
  if (json) return { text: jsonText(now), exitCode };
  return { text: `${columns === undefined ? "" : "\r\x1b[K"}${result(now)}`, exitCode };
}

function deadline(text: string): number {
  const ms = durationOf(text);
  if (ms !== undefined) return ms;
  throw new CommandError(
    `--deadline: expected a duration such as 25s or 2m, got ${JSON.stringify(text)}`,
    EXIT.usage,
  );
}

function interrupted(columns: number | undefined): Outcome {
  const text = `${columns === undefined ? "" : "\n"}the drain goes on: \`drover drain\` watches it again, \`drover resume\` ends it\n`;
  return { text, exitCode: INTERRUPTED };
}

function line({ before, active, remainingMs }: Draining): string {
  const rest = remainingMs > 0 ? `${elapsed(remainingMs / 1000)} to the deadline` : "told to stop";
  return `draining: ${active} of ${before} connected, ${rest}`;
}

/** As wide as there is room for beside the numbers. */
function bar(now: Draining, columns: number): string {
  const text = line(now);
  const width = Math.min(40, columns - text.length - 4);
  if (width < 5) return text.slice(0, Math.max(0, columns - 1));
  const gone = now.before === 0 ? 1 : Math.min(1, Math.max(0, 1 - now.active / now.before));
  const full = Math.round(gone * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}] ${text}`;
}

function result({ status, before, cut, unfinished }: Draining): string {
  if (status !== "drained") return "the drain was ended before it was over: the server accepts again\n";
  if (cut === 0) return `drained: ${before === 0 ? "nobody was connected" : `all ${before} have finished`}\n`;
  const named = unfinished.slice(0, MOST_NAMED);
  const rows = named.map(({ pid, state, peer, ageMs, idleMs }) => {
    return [`  ${pid}`, state, peer, `age ${elapsed(ageMs / 1000)}`, `idle ${elapsed(idleMs / 1000)}`];
  });
  const more = cut > named.length ? `  … and ${cut - named.length} more\n` : "";
  return `drained: ${cut} of ${before} had not finished at the deadline and were told to stop\n${table(rows)}${more}`;
}
