/** Rows of presence: which members of a server have introduced themselves. A row is called `worker.serial/group`. */
import type { Hub } from "../../../groups/hub/hub.js";
import { MAX_INFO, type PresenceRow } from "../../../groups/hub/presence-table.js";
import { atLeast, jsonAt, MalformedRecord, nameIn } from "../../records/malformed-record.js";
import { PEER_KIND } from "../peer/peer-records.js";
import type { RowTable } from "./row-table.js";

type Value = Pick<PresenceRow, "key" | "info">;

/** What a row is called. */
export const presenceName = (group: string, { worker, serial }: Pick<PresenceRow, "worker" | "serial">) =>
  `${worker}.${serial}/${group}`;

/** @throws MalformedRecord when it is none */
function parts(name: string): { readonly group: string; readonly worker: number; readonly serial: number } {
  const match = /^(\d{1,5})\.(\d{1,16})\//.exec(name);
  if (!match) throw new MalformedRecord("no name of a row of presence");
  return {
    group: nameIn("group", name.slice(match[0].length)),
    worker: Number(match[1]),
    serial: Number(match[2]),
  };
}

/** u16 length of key · key · info as JSON. */
export function presenceTable(hub: Hub<Buffer>): RowTable<Value> {
  const { presence } = hub;
  return {
    kind: PEER_KIND.presence,
    *names() {
      for (const [group, row] of presence.ownRows()) yield presenceName(group, row);
    },
    body(name) {
      const { group, ...id } = parts(name);
      const row = hub.isHere(group) ? undefined : presence.own(group, id);
      if (!row) return undefined;
      const key = Buffer.from(row.key);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(key.length);
      return Buffer.concat([length, key, Buffer.from(row.info)]);
    },
    decode(name, body) {
      parts(name);
      const info = 2 + atLeast(body, 2).readUInt16BE(0);
      if (info > body.length || body.length - info > MAX_INFO)
        throw new MalformedRecord("presence of wrong length");
      const key = nameIn("member", body.toString("utf8", 2, info));
      jsonAt(body, info);
      return { key, info: body.toString("utf8", info) };
    },
    set(peer, name, value, why) {
      const { group, ...id } = parts(name);
      const row = { ...id, node: peer.node };
      if (value) presence.set(peer, group, { ...row, ...value });
      else presence.remove(peer, group, row, why === "ended" ? "left" : "node_down");
    },
    *namesOf(peer) {
      for (const [group, row] of presence.rowsOf(peer)) yield presenceName(group, row);
    },
  };
}
