/** Columns of the traffic of a connection, or of all connections of an address. */
import type { AddressRow } from "../../../control/connections.js";
import { durationText } from "../../../text/duration.js";
import type { Column } from "../../terminal/columns.js";
import { bytes } from "../../terminal/table.js";

const TITLES = ["idle", "frames in", "out", "bytes in", "out", "unsent"] as const;

/** @param spare by column: order of omission where the width is too small; `undefined`: never left out */
export function trafficColumns(spare: readonly (number | undefined)[]): Column[] {
  return TITLES.map((title, at) => {
    const order = spare[at];
    return { title, right: true, ...(order !== undefined && { spare: order }) };
  });
}

type Traffic = Pick<
  AddressRow,
  "idleMs" | "framesReceived" | "framesSent" | "bytesReceived" | "bytesSent" | "outbound"
>;

export function trafficCells(row: Traffic): string[] {
  return [
    durationText(row.idleMs),
    String(row.framesReceived),
    String(row.framesSent),
    bytes(row.bytesReceived),
    bytes(row.bytesSent),
    bytes(row.outbound),
  ];
}
