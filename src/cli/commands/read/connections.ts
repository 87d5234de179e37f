/** `drover connections`: connections as a table. */
import type { AddressList, ConnectionList, LastBadFrame } from "../../../control/connections.js";
import type { ProgramInfo } from "../../../control/program.js";
import { peerText } from "../../../text/address.js";
import { durationText } from "../../../text/duration.js";
import { escapeControls } from "../../../text/escape.js";
import { get } from "../../client/client.js";
import type { CommandFlag, Invocation } from "../../command.js";
import { type Column, fittedTable } from "../../terminal/columns.js";
import { jsonText } from "../../terminal/json.js";
import { renderAddresses } from "./addresses.js";
import { trafficCells, trafficColumns } from "./traffic-columns.js";

/** Each is a name in the query string, which the server validates. */
export const CONNECTION_FLAGS: readonly CommandFlag[] = [
  { name: "worker", placeholder: "N", sentence: "Only connections of this worker." },
  {
    name: "listener",
    placeholder: "NAME",
    sentence: "Only connections of this listener.",
    completes: "listeners",
  },
  { name: "state", placeholder: "STATE", sentence: "Only connections in this state." },
  { name: "peer", placeholder: "PREFIX", sentence: "Only peers whose address starts with this: 10.0.0." },
  {
    name: "by",
    placeholder: "WHAT",
    sentence: "Rows: pid (default), or address: clients by address, of IPv6 by /64.",
  },
  {
    name: "sort",
    placeholder: "COLUMN",
    sentence:
      "Sort by pid (default), state, peer, ageMs, idleMs, bytesSent, …; with --by address by connections (default).",
  },
  {
    name: "order",
    placeholder: "ORDER",
    sentence: "Sort order: asc (default) or desc (default of --by address).",
  },
  { name: "limit", placeholder: "N", sentence: "Maximum number of rows, up to 10,000. Default: 100." },
];

export async function connections({ target, values, json, columns }: Invocation): Promise<string> {
  const query = new URLSearchParams();
  for (const { name } of CONNECTION_FLAGS) {
    const value = values.get(name);
    if (value !== undefined) query.set(name, value);
  }
  if (values.get("by") === "address") {
    const found = (await get(target, `/connections?${query}`)) as AddressList;
    return json ? jsonText(found) : renderAddresses(found, columns);
  }
  const list = get(target, `/connections?${query}`) as Promise<ConnectionList>;
  if (json) return jsonText(await list);
  const [found, { listeners }] = await Promise.all([list, get(target, "/info") as Promise<ProgramInfo>]);
  return renderConnections(found, columns, listeners.length > 1);
}

const LISTENER: Column = { title: "listener" };

/** Only where a connection is in a group or holds a name. */
const MEMBERSHIP: readonly Column[] = [
  { title: "names", right: true },
  { title: "groups", right: true },
  { title: "missed", right: true },
];

const COLUMNS: readonly Column[] = [
  { title: "pid" },
  LISTENER,
  { title: "state" },
  { title: "peer" },
  { title: "age", right: true },
  ...trafficColumns([undefined, 1, 2, 3, 4, 5]),
  { title: "mailbox", right: true, spare: 6 },
];

/**
 * @param columns width of the terminal, if any: columns that do not fit are left out
 * @param several whether the server has several listeners: then there is a column for them
 */
export function renderConnections(
  { rows, matched, total, missing, lastBadFrame }: ConnectionList,
  columns: number | undefined,
  several: boolean,
): string {
  const members = rows.some(({ names, groups, missed }) => names + groups + missed > 0);
  const shown = [
    ...(several ? COLUMNS : COLUMNS.filter((column) => column !== LISTENER)),
    ...(members ? MEMBERSHIP : []),
  ];
  const cells = rows.map((row) => [
    row.pid,
    ...(several ? [row.listener] : []),
    row.state,
    peerText(row),
    durationText(row.ageMs),
    ...trafficCells(row),
    String(row.messageQueueLength),
    ...(members ? [row.names, row.groups, row.missed].map(String) : []),
  ]);
  const of = matched === total ? "" : `, of ${total} in all`;
  const more = matched > rows.length ? `: --limit ${Math.min(matched, 10_000)} shows more` : "";
  const lines = [
    ...(rows.length > 0 ? fittedTable(shown, cells, columns).map((line) => `${line}\n`) : []),
    `${rows.length} of ${matched} connections${of}${more}\n`,
    ...missing.map((worker) => `worker ${worker} does not answer: its connections are not listed\n`),
    ...(lastBadFrame ? [badFrameText(lastBadFrame)] : []),
  ];
  return lines.join("");
}

function badFrameText({ agoMs, pid, protocol, peer, code, message }: LastBadFrame): string {
  const what = escapeControls(message);
  return `last bad frame: ${durationText(agoMs)} ago, ${pid} from ${peer} (${protocol}, ${code}): ${what}\n`;
}
