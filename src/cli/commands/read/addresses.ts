/** Table of `drover connections --by address`. */
import type { AddressList } from "../../../control/connections.js";
import { durationText } from "../../../text/duration.js";
import { plural } from "../../../text/plural.js";
import { type Column, fittedTable } from "../../terminal/columns.js";
import { trafficCells, trafficColumns } from "./traffic-columns.js";

const COLUMNS: readonly Column[] = [
  { title: "address" },
  { title: "connections", right: true },
  { title: "oldest", right: true, spare: 5 },
  ...trafficColumns([4, 1, 2, 3, 3, 6]),
];

/** @param columns width of the terminal, if any: columns that do not fit are left out */
export function renderAddresses(list: AddressList, columns: number | undefined): string {
  const { rows, addresses, complete, matched, total, missing } = list;
  const cells = rows.map((row) => [
    row.address,
    String(row.connections),
    durationText(row.oldestMs),
    ...trafficCells(row),
  ]);
  const of = matched === total ? "" : ` (of ${total} in all)`;
  const more = addresses > rows.length ? `: --limit ${Math.min(addresses, 10_000)} shows more` : "";
  const least = complete ? "" : "at least ";
  const lines = [
    ...(rows.length > 0 ? fittedTable(COLUMNS, cells, columns).map((line) => `${line}\n`) : []),
    `${rows.length} of ${least}${addresses} ${addresses === 1 ? "address" : "addresses"}, ${plural(matched, "connection")}${of}${more}\n`,
    ...missing.map((worker) => `worker ${worker} does not answer: its connections are not counted\n`),
  ];
  return lines.join("");
}
