/** Table of connections. Only the visible rows are in the document. */
import { useRef, useState } from "preact/hooks";
import type { ConnectionList, ConnectionRow } from "../../../../control/connections.js";
import { peerText } from "../../../../text/address.js";
import { useObservable } from "../../live/observable.js";
import { selected } from "../../live/selection.js";
import { info, stats } from "../../live/server-state.js";
import { bytes, count, duration } from "../../model/format.js";
import { State } from "../state-label.js";

export interface Order {
  readonly sort: keyof ConnectionRow;
  readonly order: "asc" | "desc";
}

/** Height of a row in pixels, and numbers of rows: rendered around the visible ones, and visible. */
const ROW = 34;
const AROUND = 8;
const IN_VIEW = 12;

interface Column {
  readonly key: keyof ConnectionRow;
  readonly name: string;
  readonly text?: (row: ConnectionRow) => string;
  /** Hidden on narrow screens. */
  readonly minor?: boolean;
}

const LISTENER: Column = { key: "listener", name: "Listener", text: ({ listener }) => listener };

const COLUMNS: readonly Column[] = [
  { key: "pid", name: "Pid" },
  { key: "state", name: "State" },
  LISTENER,
  { key: "peer", name: "Peer", text: peerText },
  { key: "ageMs", name: "Age", text: ({ ageMs }) => duration(ageMs), minor: true },
  { key: "idleMs", name: "Idle", text: ({ idleMs }) => duration(idleMs) },
  { key: "framesReceived", name: "Frames in", text: (row) => count(row.framesReceived), minor: true },
  { key: "framesSent", name: "Frames out", text: (row) => count(row.framesSent), minor: true },
  { key: "bytesReceived", name: "Bytes in", text: (row) => bytes(row.bytesReceived), minor: true },
  { key: "bytesSent", name: "Bytes out", text: (row) => bytes(row.bytesSent), minor: true },
  { key: "outbound", name: "Unsent", text: ({ outbound }) => bytes(outbound), minor: true },
  { key: "messageQueueLength", name: "Mailbox", text: (row) => count(row.messageQueueLength), minor: true },
];
const OF_GROUPS = (["names", "groups", "missed"] as const).map(
  (key): Column => ({
    key,
    name: key[0]?.toUpperCase() + key.slice(1),
    text: (row) => count(row[key]),
    minor: true,
  }),
);
const TEXTS: readonly (keyof ConnectionRow)[] = ["pid", "listener", "state", "peer"];
const isNumber = ({ key }: Column) => !TEXTS.includes(key);

/** The listener is shown where there are several; groups where a protocol has some. */
function useColumns(): readonly Column[] {
  const several = (useObservable(stats)?.listeners.length ?? 1) > 1;
  const columns = several ? COLUMNS : COLUMNS.filter((column) => column !== LISTENER);
  return useObservable(info)?.groups ? [...columns, ...OF_GROUPS] : columns;
}

interface Props {
  readonly listing: ConnectionList;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
  /** Called when the reader scrolls near the last row and there are more. */
  readonly onEnd: () => void;
}

export function ConnectionRows({ listing, order, onOrder, onEnd }: Props) {
  const [first, setFirst] = useState(0);
  const asked = useRef(0);
  const chosen = useObservable(selected);
  const columns = useColumns();
  const { rows, matched } = listing;
  const from = Math.max(0, Math.min(first, rows.length - IN_VIEW) - AROUND);
  const shown = rows.slice(from, from + IN_VIEW + 2 * AROUND);
  const below = Math.max(0, rows.length - from - shown.length);

  const onScroll = ({ currentTarget }: { currentTarget: HTMLElement }) => {
    const at = Math.floor(currentTarget.scrollTop / ROW);
    setFirst(at);
    // Once per response, not once per scroll event.
    if (at + 2 * IN_VIEW > rows.length && rows.length < matched && asked.current !== rows.length) {
      asked.current = rows.length;
      onEnd();
    }
  };

  if (rows.length === 0) return <p class="empty">No matching connections</p>;
  return (
    <section class="rows" onScroll={onScroll} aria-label="Connection table">
      <table aria-rowcount={matched + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading
                key={column.key}
                column={column}
                number={isNumber(column)}
                order={order}
                onOrder={onOrder}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          <Space rows={from} columns={columns.length} />
          {shown.map((row, at) => (
            <tr
              key={row.pid}
              aria-rowindex={from + at + 2}
              class={row.pid === chosen ? "chosen" : ""}
              onClick={() => selected.set(row.pid)}
            >
              <td>
                <button type="button" class="pid">
                  {row.pid}
                </button>
              </td>
              <td>
                <State state={row.state} />
              </td>
              {columns.slice(2).map((column) => (
                <td
                  key={column.key}
                  class={`${isNumber(column) ? "number" : "mono"}${column.minor ? " minor" : ""}`}
                >
                  {column.text?.(row)}
                </td>
              ))}
            </tr>
          ))}
          <Space rows={below} columns={columns.length} />
        </tbody>
      </table>
    </section>
  );
}

/** Placeholder with the height of the rows that are not rendered. */
function Space({ rows, columns }: { rows: number; columns: number }) {
  if (rows === 0) return null;
  return (
    <tr class="space">
      <td colSpan={columns} style={{ height: `${rows * ROW}px` }} />
    </tr>
  );
}

interface HeadingProps {
  readonly column: Column;
  readonly number: boolean;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
}

function Heading({ column: { key, name, minor }, number, order, onOrder }: HeadingProps) {
  const sorted = order.sort === key;
  // Numbers sort descending first: large values are of interest.
  const first = number ? "desc" : "asc";
  const other = order.order === "asc" ? "desc" : "asc";
  const mark = order.order === "asc" ? "↑" : "↓";
  return (
    <th
      scope="col"
      class={`${number ? "number" : ""}${minor ? " minor" : ""}`}
      aria-sort={sorted ? (order.order === "asc" ? "ascending" : "descending") : "none"}
    >
      <button type="button" onClick={() => onOrder({ sort: key, order: sorted ? other : first })}>
        {name}
        <span class="mark" aria-hidden="true">
          {sorted ? mark : ""}
        </span>
      </button>
    </th>
  );
}
