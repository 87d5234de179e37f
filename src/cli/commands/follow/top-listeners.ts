/** Lines of `drover top` for the listeners, where there are several. */
import type { ListenerStats } from "../../../control/stats.js";
import { type Column, fittedTable } from "../../terminal/columns.js";
import type { Paint } from "../../terminal/style.js";
import { bytes, short } from "../../terminal/table.js";
import { rate, type Snapshot, secondsBetween, underTitles } from "./top-view.js";

const LISTENER: readonly Column[] = [
  { title: "listener" },
  { title: "protocol", spare: 3 },
  { title: "address", spare: 4 },
  { title: "state", spare: 1 },
  { title: "conns", right: true },
  { title: "limit", right: true, spare: 5 },
  { title: "queue", right: true, spare: 6 },
  { title: "accepted/s", right: true, spare: 2 },
  { title: "frames/s", right: true },
  { title: "bytes/s", right: true, width: 8 },
];

/** Empty with one listener. */
export function listenerLines(
  now: Snapshot,
  before: Snapshot | undefined,
  columns: number,
  paint: Paint,
): string[] {
  const { listeners } = now.stats;
  if (listeners.length === 1) return [];
  const seconds = secondsBetween(now, before);
  const rows = listeners.map((one) => {
    const past = before?.stats.listeners.find(({ listener }) => listener === one.listener);
    return cells(one, past, seconds);
  });
  return ["", ...underTitles(fittedTable(LISTENER, rows, columns), paint)];
}

function cells(one: ListenerStats, past: ListenerStats | undefined, seconds: number): string[] {
  const frames = (of: ListenerStats) => of.framesReceived + of.framesSent;
  const all = (of: ListenerStats) => of.bytesReceived + of.bytesSent;
  return [
    one.listener,
    one.protocol,
    one.address,
    stateOf(one),
    String(one.active),
    one.maxConnections === null ? "-" : String(one.maxConnections),
    one.acceptQueue === null ? "-" : String(one.acceptQueue),
    rate(one.accepted, past?.accepted, seconds, short),
    rate(frames(one), past && frames(past), seconds, short),
    rate(all(one), past && all(past), seconds, bytes),
  ];
}

function stateOf({ suspended, acceptingWorkers }: ListenerStats): string {
  if (suspended) return "suspended";
  return acceptingWorkers > 0 ? "accepting" : "not accepting";
}
