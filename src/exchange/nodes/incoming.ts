/** What other servers send: each batch is read, record by record, and what it says goes into the tables. */
import type { Hub } from "../../groups/hub/hub.js";
import type { NameHub } from "../../groups/hub/name-hub.js";
import { idOf, MalformedRecord } from "../records/malformed-record.js";
import { readAnswer, readAsk } from "../records/name-records.js";
import { isPublish, markForeign, PUBLISH_HEAD } from "../records/publish-records.js";
import { RecordReader } from "../records/record-reader.js";
import type { LinkRecord } from "../records/records.js";
import { readRemote } from "../records/signal-records.js";
import type { MemberQueries } from "./member-queries.js";
import type { Peer } from "./peer/peer.js";
import {
  FIRST_ROW_KIND,
  type Hello,
  PEER_KIND,
  type PeerHeader,
  readHeader,
  readHello,
} from "./peer/peer-records.js";

/** What the rest of `nodes/` does with it. */
export interface IncomingOwner {
  readonly incarnation: string;
  readonly hub: Hub<Buffer>;
  readonly names: NameHub<Buffer>;
  readonly queries: MemberQueries;
  /** The server with this inbox, when it is known. */
  find(incarnation: string): Peer | undefined;
  /** A server says what it is. @returns it, unless it is not accepted */
  met(node: string, incarnation: string, hello: Hello): Peer | undefined;
  heard(peer: Peer, header: PeerHeader): void;
  /** All rows are needed. */
  needRows(peer: Peer): void;
  rowsComplete(peer: Peer): void;
  /** It wants all rows. */
  wanted(peer: Peer, id: number): void;
  left(peer: Peer): void;
  /** It has newer claims of so many names that processes here hold, and has granted them. */
  conflicted(peer: Peer, names: number): void;
  refused(node: string, hello: Hello): void;
  onMessages(group: string, records: Buffer, messages: number): void;
  onSignal(worker: number, serial: number, message: Buffer): void;
  replyMembers(peer: Peer, id: number, group: string): void;
}

export class Incoming {
  readonly #owner: IncomingOwner;
  readonly #reader = new RecordReader();
  /** Records, and bytes, that were not understood. */
  malformed = 0;
  /** Records of kinds that are not known: of a newer version. */
  unknown = 0;
  /** Messages that were lost on the way. */
  lost = 0;

  constructor(owner: IncomingOwner) {
    this.#owner = owner;
  }

  receive(bytes: Buffer): void {
    try {
      const { header, records } = readHeader(bytes);
      if (header.incarnation !== this.#owner.incarnation) this.#batch(header, records);
    } catch (error) {
      this.#passOver(error);
    }
  }

  /** Of another version, or forged. @throws what is no fault of the sender */
  #passOver(error: unknown): void {
    if (!(error instanceof MalformedRecord)) throw error;
    this.malformed++;
  }

  #batch(header: PeerHeader, bytes: Buffer): void {
    const reader = this.#reader;
    reader.restart(bytes);
    let peer = this.#owner.find(header.incarnation);
    const batch: Batch = { header, last: false, version: header.tableVersion };
    const { names } = this.#owner.names;
    const { conflicts } = names;
    if (peer) this.#begin(peer, batch);
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      try {
        // Each heartbeat has one.
        if (record.kind === PEER_KIND.hello && peer) continue;
        if (record.kind === PEER_KIND.hello || record.kind === PEER_KIND.refuse) {
          const met = this.#introduced(header, record);
          if (met && met !== peer) this.#begin(met, batch);
          peer = met ?? peer;
        } else if (peer) this.#record(peer, batch, record);
      } catch (error) {
        this.#passOver(error);
      }
    }
    if (!peer) return;
    if (batch.last) {
      peer.rows.commit();
      this.#owner.rowsComplete(peer);
    }
    if (names.conflicts > conflicts) this.#owner.conflicted(peer, names.conflicts - conflicts);
  }

  #introduced({ incarnation }: PeerHeader, { kind, name, body }: LinkRecord): Peer | undefined {
    const hello = readHello(name, body);
    if (kind === PEER_KIND.hello) return this.#owner.met(name, incarnation, hello);
    this.#owner.refused(name, hello);
    return undefined;
  }

  #begin(peer: Peer, { header }: Batch): void {
    this.#owner.heard(peer, header);
    // To all servers: in no order with what comes to this one.
    if (header.sequence === 0) return;
    this.lost += Math.max(0, header.sequence - peer.expected);
    peer.expected = Math.max(peer.expected, header.sequence);
    if (!peer.rows.begin(header.tableVersion)) this.#owner.needRows(peer);
  }

  /** Messages of one group that follow each other, as they are. */
  #messages(peer: Peer, record: LinkRecord): void {
    if (!isPublish(record)) {
      peer.expected++;
      throw new MalformedRecord("a message that is cut");
    }
    const { bytes, count } = this.#reader.run(record, PUBLISH_HEAD + 1);
    peer.expected += count;
    if (this.#owner.hub.isHere(record.name)) return;
    markForeign(bytes);
    this.#owner.onMessages(record.name, bytes, count);
  }

  #signal(record: LinkRecord): void {
    const { worker, serial, message } = readRemote(record);
    this.#owner.onSignal(worker, serial, message);
  }

  #record(peer: Peer, batch: Batch, record: LinkRecord): void {
    if (record.kind === PEER_KIND.publish) return this.#messages(peer, record);
    const { kind, name, body } = record;
    const { names, queries } = this.#owner;
    switch (kind) {
      case PEER_KIND.signal:
        peer.expected++;
        return this.#signal(record);
      case PEER_KIND.ask: {
        const { id, within, from, body: message } = readAsk(body);
        return names.askHere(peer, id, name, { within, from: [from[0], from[1], peer.node], body: message });
      }
      case PEER_KIND.answer: {
        const { id, code, body: content } = readAnswer(body);
        return names.answer(peer, id, code, code === "answer" ? content : content.toString());
      }
      case PEER_KIND.query:
        return this.#owner.replyMembers(peer, idOf(body), name);
      case PEER_KIND.reply:
        return queries.replied(peer, body);
      case PEER_KIND.want:
        return this.#owner.wanted(peer, idOf(body));
      case PEER_KIND.part:
        batch.last = peer.rows.part(body, batch.version) === "last";
        return;
      case PEER_KIND.beat:
        return peer.roundTrip.received(body);
      case PEER_KIND.bye:
        return this.#owner.left(peer);
      default:
        if (kind < FIRST_ROW_KIND || batch.header.sequence === 0 || !peer.rows.row(kind, name, body))
          this.unknown++;
    }
  }
}

interface Batch {
  readonly header: PeerHeader;
  readonly version: number;
  /** The last part of all rows is in it. */
  last: boolean;
}
