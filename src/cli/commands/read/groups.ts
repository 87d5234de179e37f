/** `drover groups`, `group`, `names`, `whereis`, `ask` and `publish`. */
import { durationOf, EXIT } from "../../../config/config.js";
import type { GroupList, GroupView, NameList } from "../../../control/groups.js";
import { escapeControls, escapeJsonControls } from "../../../text/escape.js";
import { plural } from "../../../text/plural.js";
import { get, post, TIMEOUT } from "../../client/client.js";
import type { CommandFlag, Invocation, Outcome } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";

export const ASK_FLAGS: readonly CommandFlag[] = [
  { name: "within", placeholder: "DURATION", sentence: "Longest time until the answer. Default: 5s." },
];

/** Time that the server may take beyond that of the ask, in milliseconds. */
const GRACE = 2_000;

export async function groups({ target, json }: Invocation): Promise<string> {
  const list = (await get(target, "/groups")) as GroupList;
  if (json) return jsonText(list);
  const lines = list.groups.map(
    ({ name, members }) => `${String(members).padStart(7)}  ${escapeControls(name)}\n`,
  );
  return `${lines.join("")}${plural(list.total, "group")}\n`;
}

export async function group({ target, json, positionals: [name = ""] }: Invocation): Promise<string> {
  const view = (await get(target, `/group/${encodeURIComponent(name)}`)) as GroupView;
  if (json) return jsonText(view);
  const present = new Map(view.present.map((member) => [member.pid, member]));
  const lines = view.members.map((pid) => `${memberLine(pid, present.get(pid))}\n`);
  return `${lines.join("")}${plural(view.members.length, "member")}\n`;
}

/** Of a group with presence also the key, and the info where there is some. */
function memberLine(pid: string, present: GroupView["present"][number] | undefined): string {
  if (!present) return pid;
  const { key, info } = present;
  const cells = [
    pid.padEnd(12),
    escapeControls(key),
    ...(info === null ? [] : [escapeControls(JSON.stringify(info))]),
  ];
  return cells.join("  ");
}

export async function names({ target, json, positionals: [prefix = ""] }: Invocation): Promise<string> {
  const list = (await get(target, `/names?prefix=${encodeURIComponent(prefix)}`)) as NameList;
  if (json) return jsonText(list);
  const lines = list.names.map(({ name, pid }) => `${pid.padEnd(12)}  ${escapeControls(name)}\n`);
  return `${lines.join("")}${list.names.length} of ${plural(list.total, "name")}\n`;
}

export async function whereis({ target, json, positionals: [name = ""] }: Invocation): Promise<string> {
  const list = (await get(target, `/names?limit=1&prefix=${encodeURIComponent(name)}`)) as NameList;
  const [held] = list.names;
  // The first name that begins with it, in order, is the name itself, or there is none.
  if (held?.name !== name) throw new CommandError(`no process holds the name ${name}`, EXIT.nobody);
  return json ? jsonText(held) : `${held.pid}\n`;
}

export async function ask({
  target,
  values,
  json,
  positionals,
  input,
}: Invocation): Promise<string | Outcome> {
  const [name = "", text = ""] = positionals;
  const within = durationOf(values.get("within") ?? "5s");
  if (within === undefined) throw new CommandError("--within must be a duration such as 5s", EXIT.usage);
  const patient = { ...target, timeout: Math.max(target.timeout ?? TIMEOUT, within + GRACE) };
  const { answer } = (await post(patient, "/ask", {
    name,
    body: bodyOf(await textOf(text, input)),
    within,
  })) as {
    answer: unknown;
  };
  if (!json && typeof answer === "string") return `${escapeControls(answer)}\n`;
  return json ? jsonText(answer) : `${escapeJsonControls(JSON.stringify(answer))}\n`;
}

export async function publish({ target, positionals, input }: Invocation): Promise<string> {
  const [name = "", text = ""] = positionals;
  const { members } = (await post(target, "/publish", {
    group: name,
    body: bodyOf(await textOf(text, input)),
  })) as {
    members?: number;
  };
  const count = members === undefined ? "" : `: ${plural(members, "member")}`;
  return `sent to ${escapeControls(name)}${count}\n`;
}

/** `-`: standard input without its last line break, as an argument has 128 KiB at most. */
async function textOf(text: string, input: Invocation["input"]): Promise<string> {
  if (text !== "-") return text;
  const chunks: Buffer[] = [];
  for await (const chunk of input()) chunks.push(Buffer.from(chunk as string));
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, "");
}

/** JSON where it is an object, an array or a quoted string; else the text as it is: `42` is a text. */
function bodyOf(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(`the message is not JSON: ${(error as Error).message}`, EXIT.usage);
  }
}
