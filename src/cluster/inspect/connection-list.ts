/**
 * Connection list: each worker filters, sorts and cuts the list of its own connections, the primary merges the lists.
 * A peer address costs a system call, so it is read only for rows in the result, unless the query needs it for all.
 */

import type {
  ConnectionList,
  ConnectionQuery,
  ConnectionRow,
  LastBadFrame,
} from "../../control/connections.js";
import { type Pid, parsePid } from "../../otp/process/pid.js";
import { type Process, processOf } from "../../otp/process/process.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { wallTime } from "../../otp/time/clock.js";
import type { Connection } from "../../tcp/connection/connection.js";
import type { Endpoint } from "../../tcp/endpoint.js";
import { addressText } from "../../text/address.js";

/** Groups and names of the processes of a worker: the primary has none, and does not load them. */
export interface Memberships {
  groupCount(process: Process): number;
  nameCount(process: Process): number;
}

/** An item with its sort key. */
interface Ranked<T> {
  readonly key: number | string;
  readonly pid: Pid;
  readonly item: T;
}

type Compare = (one: Ranked<unknown>, other: Ranked<unknown>) => number;

/**
 * The connections of this OS process.
 * @param supervisors of the connections of each listener
 * @param endpoints of the listeners
 */
export function listConnections(
  supervisors: readonly DynamicSupervisor<[]>[],
  query: ConnectionQuery,
  memberships: Memberships,
  endpoints: readonly Endpoint[] = [],
): ConnectionList {
  const compare = comparator(query);
  const key = keyOf(query.sort, memberships);
  let kept: Ranked<Connection>[] = [];
  let [total, matched] = [0, 0];
  for (const item of localConnections(supervisors)) {
    total++;
    if (!matches(item, query)) continue;
    matched++;
    kept.push({ key: key(item), pid: item.pid, item });
    // Bounds memory by the limit of the query, not by the number of connections.
    if (kept.length >= 2 * query.limit + 1_000) kept = kept.sort(compare).slice(0, query.limit);
  }
  const rows = kept.sort(compare).slice(0, query.limit);
  return {
    ...{ total, matched, missing: [] },
    rows: rows.map(({ item }) => rowOf(item, memberships)),
    lastBadFrame: newest(endpoints.flatMap((endpoint) => badFrameOf(endpoint, query) ?? [])),
  };
}

function badFrameOf({ name, badFrame }: Endpoint, { listener }: ConnectionQuery): LastBadFrame | undefined {
  if (badFrame === undefined || (listener ?? name) !== name) return undefined;
  const { at, pid, protocol, peer, code, message } = badFrame;
  return {
    ...{ agoMs: Math.max(0, wallTime() - at), pid: pid.toString(), listener: name, protocol },
    ...{ peer: addressText(peer.address, peer.port), code, message },
  };
}

function newest(frames: readonly LastBadFrame[]): LastBadFrame | undefined {
  return frames.toSorted((one, other) => one.agoMs - other.agoMs)[0];
}

/** Merges the lists of all workers. @param missing workers that did not answer */
export function mergeLists(
  lists: readonly ConnectionList[],
  query: ConnectionQuery,
  missing: readonly number[],
): ConnectionList {
  const ranked = lists.flatMap(({ rows }) =>
    rows.map((item) => ({ key: keyOfRow(item, query), pid: parsePid(item.pid) as Pid, item })),
  );
  return {
    total: lists.reduce((sum, list) => sum + list.total, 0),
    matched: lists.reduce((sum, list) => sum + list.matched, 0),
    rows: ranked
      .sort(comparator(query))
      .slice(0, query.limit)
      .map(({ item }) => item),
    missing,
    lastBadFrame: newest(lists.flatMap(({ lastBadFrame }) => lastBadFrame ?? [])),
  };
}

/** Connections that have a socket. */
export function localConnections(supervisors: readonly DynamicSupervisor<[]>[]): Connection[] {
  const pids = supervisors.flatMap((supervisor) => supervisor.children());
  const processes = pids.map((pid) => processOf(pid) as Connection | undefined);
  return processes.filter((one): one is Connection => one !== undefined && !one.waiting);
}

export function matches(
  one: Connection,
  { state, peer, worker, listener }: Pick<ConnectionQuery, "state" | "peer" | "worker" | "listener">,
): boolean {
  if (worker !== undefined && one.pid.worker !== worker) return false;
  if (listener !== undefined && one.endpoint.name !== listener) return false;
  if (state !== undefined && one.state !== state) return false;
  return peer === undefined || peerOf(one).startsWith(peer);
}

/** Sorts by key, then by pid, so that the same query gives the same order. */
function comparator({ order }: ConnectionQuery): Compare {
  const sign = order === "desc" ? -1 : 1;
  return (one, other) => {
    if (one.key !== other.key) return one.key < other.key ? -sign : sign;
    return sign * (one.pid.worker - other.pid.worker || one.pid.serial - other.pid.serial);
  };
}

function keyOf(sort: ConnectionQuery["sort"], memberships: Memberships): Key {
  if (sort === "groups") return (one) => memberships.groupCount(one);
  if (sort === "names") return (one) => memberships.nameCount(one);
  return KEYS[sort];
}

type Key = (one: Connection) => number | string;

const KEYS: Readonly<Record<Exclude<ConnectionQuery["sort"], "groups" | "names">, Key>> = {
  pid: () => 0,
  worker: ({ pid }) => pid.worker,
  listener: ({ endpoint }) => endpoint.name,
  state: ({ state }) => state,
  peer: peerOf,
  ageMs: ({ age }) => age,
  idleMs: ({ idleFor }) => idleFor,
  framesReceived: ({ framesReceived }) => framesReceived,
  framesSent: ({ framesSent }) => framesSent,
  bytesReceived: ({ bytesReceived }) => bytesReceived,
  bytesSent: ({ bytesSent }) => bytesSent,
  outbound: ({ outbound }) => outbound,
  messageQueueLength: ({ messageQueueLength }) => messageQueueLength,
  missed: ({ missedInAll }) => missedInAll,
};

function keyOfRow(row: ConnectionRow, { sort }: ConnectionQuery): number | string {
  return sort === "pid" ? 0 : row[sort];
}

function peerOf({ peer }: Connection): string {
  return addressText(peer.address, peer.port);
}

function rowOf(one: Connection, memberships: Memberships): ConnectionRow {
  const { pid, state, framesReceived, framesSent, bytesReceived, bytesSent, outbound, messageQueueLength } =
    one;
  return {
    pid: pid.toString(),
    worker: pid.worker,
    listener: one.endpoint.name,
    state,
    peer: peerOf(one),
    ...(one.via !== undefined && { via: addressText(one.via.address, one.via.port) }),
    ageMs: one.age,
    idleMs: one.idleFor,
    framesReceived,
    framesSent,
    bytesReceived,
    bytesSent,
    outbound,
    messageQueueLength,
    names: memberships.nameCount(one),
    groups: memberships.groupCount(one),
    missed: one.missedInAll,
  };
}
