/** Closes connections of a worker that has too little memory: those that hold most bytes, then the longest idle. */
import { processOf } from "../../../otp/process/process.js";
import { Connection } from "../../../tcp/connection/connection.js";
import type { WorkerListener } from "../listeners/worker-listener.js";

/** Part of the connections that one call closes. */
const PART = 0.05;
/** Bytes received or to be sent that a connection is closed for, however short it was idle. */
const LARGE = 64 * 1024;

/** @returns the number of connections that it has told to end */
export function shedConnections(
  listeners: readonly Pick<WorkerListener, "connections">[],
  why: string,
): number {
  const all = listeners.flatMap(({ connections }) => connectionsUnder(connections?.children() ?? []));
  const rated = all.map((one) => ({ one, bytes: one.outbound + one.buffered, idle: one.idleFor }));
  rated.sort((a, b) => large(b.bytes) - large(a.bytes) || b.idle - a.idle);
  const chosen = rated.slice(0, Math.ceil(all.length * PART));
  for (const { one } of chosen) one.endForOverload(why);
  return chosen.length;
}

function connectionsUnder(pids: readonly Parameters<typeof processOf>[0][]): Connection[] {
  return pids.flatMap((pid) => {
    const process = processOf(pid);
    return process instanceof Connection && !process.isEnding ? process : [];
  });
}

function large(bytes: number): number {
  return bytes >= LARGE ? bytes : 0;
}
