/**
 * Rows that one server tells the others: a name with a value, written only by the server that owns it. What is told of a
 * row is its present value, never a difference: a row that is told twice, or late, does no harm.
 */
import type { Hub, HubPeer } from "../../../groups/hub/hub.js";
import type { NameHub, NameHubPeer } from "../../../groups/hub/name-hub.js";
import type { ToldName } from "../../../groups/hub/peer-names.js";
import type { PresenceOwner } from "../../../groups/hub/presence-table.js";
import { atLeast, count, nameIn, serialAt } from "../../records/malformed-record.js";
import { PEER_KIND } from "../peer/peer-records.js";

/** Another server, as the tables see it. */
export interface RowPeer extends HubPeer<Buffer>, NameHubPeer<Buffer>, PresenceOwner {}

/** One kind of rows, of this server and of the others. V is what a row says. */
export interface RowTable<V = unknown> {
  readonly kind: number;
  /** Names of the rows of this server. Rows may come and go while it is read. */
  names(): Iterable<string>;
  /** Body of a row of this server; `undefined`: there is none. */
  body(name: string): Buffer | undefined;
  /** @throws MalformedRecord when another server cannot have sent that */
  decode(name: string, body: Buffer): V;
  /**
   * A row of another server.
   * @param value `undefined`: there is none any more
   * @param why it has `ended`, or the server is `lost`
   */
  set(peer: RowPeer, name: string, value: V | undefined, why: "ended" | "lost"): void;
  /** Names of the rows of another server. */
  namesOf(peer: RowPeer): Iterable<string>;
}

/** Rows of one server that are accepted, in one table. */
export const MAX_ROWS = 1_000_000;

/** How many members a group has on a server. */
export function groupTable(hub: Hub<Buffer>): RowTable<number> {
  return {
    kind: PEER_KIND.group,
    names: () => hub.ownGroups(),
    body(name) {
      const members = hub.isHere(name) ? 0 : hub.ownCount(name);
      if (members === 0) return undefined;
      const body = Buffer.alloc(8);
      body.writeDoubleBE(members);
      return body;
    },
    decode(name, body) {
      nameIn("group", name);
      return count(atLeast(body, 8).readDoubleBE(0));
    },
    set: (peer, name, members) => hub.peers.set(peer, name, members ?? 0),
    namesOf: (peer) => hub.peers.groupsOf(peer),
  };
}

/** Which names processes of a server hold: token · u16 worker · serial · u8 whether the claim is pending. */
export function nameTable({ names }: NameHub<Buffer>): RowTable<ToldName> {
  return {
    kind: PEER_KIND.name,
    names: () => names.ownNames(),
    body(name) {
      const own = names.own(name);
      if (!own) return undefined;
      const body = Buffer.alloc(19);
      body.writeDoubleBE(own.token);
      body.writeUInt16BE(own.worker, 8);
      body.writeDoubleBE(own.serial, 10);
      body.writeUInt8(Number(own.pending), 18);
      return body;
    },
    decode(name, body) {
      nameIn("name", name);
      atLeast(body, 19);
      return {
        token: count(body.readDoubleBE(0)),
        worker: body.readUInt16BE(8),
        serial: serialAt(body, 10),
        pending: body.readUInt8(18) === 1,
      };
    },
    set: (peer, name, value, why) => names.setPeer(peer, name, value, why === "ended" ? "ended" : "unknown"),
    namesOf: (peer) => names.peers.namesOf(peer),
  };
}
