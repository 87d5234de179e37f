/** Questions to the tables of the hub, the same over a link and in the same OS process. */
import type { GroupCount, Hub, PidPair } from "./hub.js";
import type { NameHub } from "./name-hub.js";
import { MAX_PRESENT, type PresenceRow } from "./presence-table.js";

export type HubQuery =
  /** Whether it answers. */
  | { readonly ask: "ready" }
  | { readonly ask: "count"; readonly group: string }
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
      return { groups: hub.largest(query.limit), total: hub.groupCount } satisfies HubAnswers["groups"];
    case "whereis": {
      const holder = names.holder(query.name);
      return holder ? rowOf(query.name, holder) : null;
    }
    case "names": {
      const rows = names.list(query.prefix, query.limit).map(({ name, holder }) => rowOf(name, holder));
      return { names: rows, total: names.size } satisfies HubAnswers["names"];
    }
    default:
      return null;
  }
}

function rowOf(
  name: string,
  { port, serial, token }: { readonly port: { readonly worker: number }; serial: number; token: number },
): NameRow {
  return { name, pid: [port.worker, serial], token };
}
