/** Connections by address: each worker counts its own, the primary adds the counts up. */
import {
  type AddressList,
  type AddressQuery,
  type AddressRow,
  MAX_ADDRESSES,
} from "../../control/connections.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { addressGroup } from "../../text/address-group.js";
import { localConnections, matches } from "./connection-list.js";

type Counted = { -readonly [Key in keyof AddressRow]: AddressRow[Key] };

/** The addresses of this OS process. @param supervisors of the connections of each listener */
export function listAddresses(
  supervisors: readonly DynamicSupervisor<[]>[],
  query: AddressQuery,
): AddressList {
  const counted = new Map<string, Counted>();
  let [total, matched] = [0, 0];
  for (const one of localConnections(supervisors)) {
    total++;
    if (!matches(one, query)) continue;
    matched++;
    const { age, idleFor, framesReceived, framesSent, bytesReceived, bytesSent, outbound } = one;
    add(counted, {
      ...{ address: addressGroup(one.peer.address), connections: 1, oldestMs: age, idleMs: idleFor },
      ...{ framesReceived, framesSent, bytesReceived, bytesSent, outbound },
    });
  }
  const rows = [...counted.values()];
  const most = rows.length > MAX_ADDRESSES ? sorted(rows, MOST).slice(0, MAX_ADDRESSES) : rows;
  return { total, matched, addresses: rows.length, complete: most === rows, rows: most, missing: [] };
}

/** Adds up the lists of all workers. @param missing workers that did not answer */
export function mergeAddresses(
  lists: readonly AddressList[],
  query: AddressQuery,
  missing: readonly number[],
): AddressList {
  const counted = new Map<string, Counted>();
  for (const { rows } of lists) for (const row of rows) add(counted, row);
  const sum = (of: (list: AddressList) => number) => lists.reduce((all, list) => all + of(list), 0);
  return {
    total: sum(({ total }) => total),
    matched: sum(({ matched }) => matched),
    addresses: counted.size,
    complete: lists.every(({ complete }) => complete),
    rows: sorted([...counted.values()], query).slice(0, query.limit),
    missing,
  };
}

const MOST = { sort: "connections", order: "desc" } as const;

function add(counted: Map<string, Counted>, row: AddressRow): void {
  const all = counted.get(row.address);
  if (all === undefined) {
    counted.set(row.address, { ...row });
    return;
  }
  all.connections += row.connections;
  all.oldestMs = Math.max(all.oldestMs, row.oldestMs);
  all.idleMs = Math.min(all.idleMs, row.idleMs);
  all.framesReceived += row.framesReceived;
  all.framesSent += row.framesSent;
  all.bytesReceived += row.bytesReceived;
  all.bytesSent += row.bytesSent;
  all.outbound += row.outbound;
}

/** Sorts by column, then by address, so that the same query gives the same order. */
function sorted(rows: AddressRow[], { sort, order }: Pick<AddressQuery, "sort" | "order">): AddressRow[] {
  const sign = order === "desc" ? -1 : 1;
  return rows.sort((one, other) => {
    if (one[sort] !== other[sort]) return one[sort] < other[sort] ? -sign : sign;
    return one.address < other.address ? -1 : 1;
  });
}
