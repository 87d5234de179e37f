/** Questions to the tables of the hub, the same over a link and in the same OS process. */
import type { GroupCount, Hub, PidPair } from "./hub.js";
import type { NameHub } from "./name-hub.js";
import { MAX_PRESENT, type PresenceRow } from "./presence-table.js";

export type HubQuery =
  /** Whether it answers. */
  | { readonly ask: "ready" }
  | { readonly ask: "count"; readonly group: string }
  /** The exchange asks the other servers too, in `exchange/nodes/`. */
  | { readonly ask: "members"; readonly group: string }
  /** Members that have introduced themselves. */
  | { readonly ask: "presence"; readonly group: string }
  | { readonly ask: "groups"; readonly limit: number }
  | { readonly ask: "whereis"; readonly name: string }
  | { readonly ask: "names"; readonly prefix: string; readonly limit: number };

export interface NameRow {
  readonly name: string;
  readonly pid: PidPair;
  readonly token: number;
}

export interface HubAnswers {
  readonly ready: true;
  readonly count: number;
  readonly members: readonly PidPair[];
  /** `null`: too many. */
  readonly presence: readonly PresenceRow[] | null;
  readonly groups: { readonly groups: readonly GroupCount[]; readonly total: number };
  /** `null`: no process holds it. */
  readonly whereis: NameRow | null;
  readonly names: { readonly names: readonly NameRow[]; readonly total: number };
}

type AnyNames = NameHub<any>["names"];

/** @returns `null` for a question that is not known, from a worker of another version */
export function answerQuery(hub: Hub<any>, { names }: NameHub<any>, query: HubQuery): unknown {
  switch (query.ask) {
    case "ready":
      return true;
    case "count":
      return hub.count(query.group);
    case "members":
      return hub.members(query.group);
    case "presence":
      return hub.presence.count(query.group) > MAX_PRESENT ? null : hub.presence.list(query.group);
    case "groups":
      return { groups: hub.largest(query.limit), total: hub.allGroups } satisfies HubAnswers["groups"];
    case "whereis":
      return findName(names, query.name);
    case "names": {
      const rows = listNames(names, query.prefix, query.limit);
      return { names: rows, total: names.size } satisfies HubAnswers["names"];
    }
    default:
      return null;
  }
}

/** The holder of a name, on whichever server. */
function findName(names: AnyNames, name: string): NameRow | null {
  const peer = names.peerHolder(name);
  if (peer) return { name, pid: [peer.worker, peer.serial, peer.peer.node], token: peer.token };
  const holder = names.holder(name);
  return holder ? { name, pid: [holder.port.worker, holder.serial], token: holder.token } : null;
}

/** Names that begin with `prefix`, sorted, each with its holder. */
function listNames(names: AnyNames, prefix: string, limit: number): NameRow[] {
  const rows: NameRow[] = [];
  for (const name of [...names.all()].filter((one) => one.startsWith(prefix)).sort()) {
    if (rows.length === limit) break;
    const row = findName(names, name);
    if (row) rows.push(row);
  }
  return rows;
}
