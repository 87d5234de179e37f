/** `drover limit`: shows the limits of the running server, and changes them until it ends. */
import { EXIT } from "../../../config/config.js";
import { LIMITS } from "../../../config/runtime-limits.js";
import type { LimitChange, LimitRow } from "../../../control/limits.js";
import { clockTime } from "../../../text/clock-time.js";
import { plural } from "../../../text/plural.js";
import { get, post } from "../../client/client.js";
import type { CommandFlag, Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

export const LIMIT_FLAGS: readonly CommandFlag[] = [
  {
    name: "listener",
    placeholder: "NAME",
    completes: "listeners",
    sentence: "The limit of this listener, instead of that of the server.",
  },
];

/** First arguments, for shell completion. */
export const LIMIT_WORDS: readonly string[] = [...LIMITS.map(({ name }) => name), "reset"];

/** Response timeout: changes wait for each other, and workers count their connections. */
const TIMEOUT = 15_000;
/** Arguments that change a list, or undo a change. */
const VERBS: readonly string[] = ["add", "remove", "reset"];

export async function limit(invocation: Invocation): Promise<string> {
  const { target, positionals, values, json } = invocation;
  const listener = values.get("listener");
  const body = bodyOf(positionals);
  if (body === undefined) {
    const query = listener === undefined ? "" : `?listener=${encodeURIComponent(listener)}`;
    const [name] = positionals;
    const rows = (await get(target, `/limits${query}`)) as LimitRow[];
    const shown = name === undefined ? rows : named(rows, name, listener);
    return json ? jsonText(shown) : rowsText(shown);
  }
  const timeout = target.timeout ?? TIMEOUT;
  const asked = { ...body, ...(listener !== undefined && { listener }) };
  const changed = (await post({ ...target, timeout }, "/limit", asked)) as LimitChange;
  return json ? jsonText(changed) : changeText(changed);
}

/** `undefined`: nothing is changed. */
function bodyOf([first, second, ...more]: readonly string[]): object | undefined {
  if (first === "reset") {
    if (more.length > 0) throw usage("reset takes one limit, or none for all");
    return { reset: true, ...(second !== undefined && { limit: second }) };
  }
  if (first === undefined || second === undefined) return undefined;
  if (second === "reset" && more.length === 0) return { limit: first, reset: true };
  if (second === "add" || second === "remove") {
    if (more.length === 0) throw usage(`${second} takes networks such as 203.0.113.0/24`);
    return { limit: first, [second]: more.join(",") };
  }
  return { limit: first, value: [second, ...more].join(",") };
}

function named(rows: readonly LimitRow[], name: string, listener: string | undefined): LimitRow[] {
  const found = rows.filter(({ limit }) => limit === name);
  if (found.length > 0) return found;
  if (listener !== undefined && LIMITS.some((limit) => limit.name === name && limit.serverOnly))
    throw usage(`${name} is a limit of each worker, and no listener has its own: leave --listener out`);
  const names = [...new Set(rows.map(({ limit }) => limit))];
  const hint = VERBS.includes(name) ? `name a limit before ${name}` : `there are ${names.join(", ")}`;
  throw usage(`no limit ${JSON.stringify(name)}: ${hint}`);
}

const usage = (message: string) => new CommandError(message, EXIT.usage);

function rowsText(rows: readonly LimitRow[]): string {
  const cells = rows.map((row) => [row.limit, whose(row), row.text, origin(row)]);
  return table([["LIMIT", "OF", "VALUE", "FROM"], ...cells]);
}

function whose({ listener }: LimitRow): string {
  return listener === null ? "server" : `listener ${listener}`;
}

function origin({ origin, changed }: LimitRow): string {
  if (changed === null) return origin;
  return `changed at ${clockTime(changed.at).slice(0, 5)} by ${changed.by}; configured: ${changed.configured}`;
}

function changeText({ changes, workers, notes }: LimitChange): string {
  if (changes.length === 0) return "unchanged: it is in force already\n";
  const lines = changes.map((row) => {
    const of = row.listener === null ? "" : ` of listener ${row.listener}`;
    return `${row.limit}${of}: ${row.text}, previously ${row.before}`;
  });
  const applied = workers.filter(({ state }) => state === "applied").length;
  const ends = changes.some(({ changed }) => changed !== null)
    ? "until the server ends: set it in the configuration to keep it"
    : "as configured";
  lines.push(`in force in ${plural(applied, "worker")}, ${ends}`);
  for (const { worker, state } of workers)
    if (state !== "applied") lines.push(`worker ${worker} is ${state}: ${later(state)}`);
  return `${[...lines, ...notes].join("\n")}\n`;
}

function later(state: string): string {
  if (state === "not answering") return "it applies the change when its event loop runs again";
  return "the next one starts with the change";
}
