/** `drover connections`: rows of a table. */
import type { ConnectionList } from "../../control/connections.js";
import { get } from "../client/client.js";
import type { Asked, CommandFlag } from "../command.js";
import { type Column, fitted } from "../terminal/columns.js";
import { printableJson } from "../terminal/printable.js";
import { bytes, elapsed } from "../terminal/table.js";

/** Each is a name of the query, which the server judges. */
export const CONNECTION_FLAGS: readonly CommandFlag[] = [
  { name: "worker", placeholder: "N", sentence: "Those of one worker." },
  { name: "state", placeholder: "STATE", sentence: "Those in one state." },
  { name: "peer", placeholder: "PREFIX", sentence: "Those whose address begins like this: 10.0.0." },
  {
    name: "sort",
    placeholder: "COLUMN",
    sentence: "By pid (default), state, peer, ageMs, idleMs, bytesSent, …",
  },
  { name: "order", placeholder: "ORDER", sentence: "asc (default) or desc." },
  { name: "limit", placeholder: "N", sentence: "How many, up to 10,000. Default: 100." },
];

export async function connections({ target, values, json, columns }: Asked): Promise<string> {
  const query = new URLSearchParams();
  for (const { name } of CONNECTION_FLAGS) {
    const value = values.get(name);
    if (value !== undefined) query.set(name, value);
  }
  const list = (await get(target, `/connections?${query}`)) as ConnectionList;
  return json ? `${printableJson(list)}\n` : renderConnections(list, columns);
}

const COLUMNS: readonly Column[] = [
  { title: "pid" },
  { title: "state" },
  { title: "peer" },
  { title: "age", right: true },
  { title: "idle", right: true },
  { title: "frames in", right: true, spare: 1 },
  { title: "out", right: true, spare: 2 },
  { title: "bytes in", right: true, spare: 3 },
  { title: "out", right: true, spare: 4 },
  { title: "unsent", right: true, spare: 5 },
  { title: "mailbox", right: true, spare: 6 },
];

/** @param columns of the terminal, when there is one: what does not fit is left out */
export function renderConnections(
  { rows, matched, total, missing }: ConnectionList,
  columns: number | undefined,
): string {
  const cells = rows.map((row) => [
    row.pid,
    row.state,
    row.peer,
    elapsed(row.ageMs / 1000),
    elapsed(row.idleMs / 1000),
    String(row.framesReceived),
    String(row.framesSent),
    bytes(row.bytesReceived),
    bytes(row.bytesSent),
    bytes(row.outbound),
    String(row.messageQueueLength),
  ]);
  const of = matched === total ? "" : `, of ${total} in all`;
  const more = matched > rows.length ? `: --limit ${Math.min(matched, 10_000)} shows more` : "";
  const lines = [
    ...(rows.length > 0 ? fitted(COLUMNS, cells, columns).map((line) => `${line}\n`) : []),
    `${rows.length} of ${matched} connections${of}${more}\n`,
    ...missing.map((worker) => `worker ${worker} does not answer: its connections are missing\n`),
  ];
  return lines.join("");
}
