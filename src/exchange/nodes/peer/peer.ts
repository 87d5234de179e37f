/** Another server of the cluster, as this one sees it: its state, its rows, and what goes to it. */
import type { AskCode } from "../../../groups/hub/ask-table.js";
import { NONE, type PidPair } from "../../../groups/hub/hub.js";
import type { HubRequest } from "../../../groups/hub/name-hub.js";
import { clock } from "../../../otp/time/clock.js";
import { ANSWER_HEAD, ASK_HEAD, writeAnswer, writeAsk } from "../../records/name-records.js";
import { PUBLISH_HEAD, writePublish } from "../../records/publish-records.js";
import { REMOTE_HEAD, writeRemote } from "../../records/signal-records.js";
import type { RowPeer, RowTable } from "../rows/row-table.js";
import { RowsReceiver } from "../rows/rows-receiver.js";
import type { RowsSender } from "../rows/rows-sender.js";
import { type Hello, PEER_KIND } from "./peer-records.js";
import { PeerStream, type StreamOwner } from "./peer-stream.js";
import { RoundTrip } from "./round-trip.js";

/** `joining`: heard of, but its rows are not complete. `down`: silent, or its OS process is gone. */
export type PeerState = "joining" | "up" | "down";

export class Peer implements RowPeer {
  readonly node: string;
  incarnation: string;
  hello: Hello;
  state: PeerState = "joining";
  /** When the state began. */
  since = clock.now();
  heardAt = clock.now();
  /** When its inbox had no listener for the first time since it was heard; `undefined`: it has one. */
  unansweredAt: number | undefined = undefined;
  stream: PeerStream;
  roundTrip = new RoundTrip();
  readonly rows: RowsReceiver;
  /** Its rows are on their way to it. */
  sender: RowsSender | undefined = undefined;
  /** Sequence of the next message that comes from it. */
  expected = 1;
  /** Parts that had arrived at the last look, and when: see `RowsReceiver.progress`. */
  wantedAt = -Infinity;
  progress = 0;
  /** Its rows are those of its incarnation before. */
  hasOldRows = false;
  /** Milliseconds by which its wall clock is ahead of ours, as last heard: what it took to come makes it less. */
  clockAhead = 0;
  /** A clock that is wrong has been reported. */
  clockReported = false;
  readonly #owner: StreamOwner;

  constructor(
    node: string,
    incarnation: string,
    hello: Hello,
    tables: ReadonlyMap<number, RowTable>,
    owner: StreamOwner,
  ) {
    this.node = node;
    this.incarnation = incarnation;
    this.hello = hello;
    this.#owner = owner;
    this.stream = new PeerStream(incarnation, owner);
    this.rows = new RowsReceiver(this, tables);
  }

  become(state: PeerState): void {
    if (this.state === state) return;
    this.state = state;
    this.since = clock.now();
  }

  /** Its exchange was started anew, and knows nothing of us. */
  renew(incarnation: string, hello: Hello): void {
    this.stream.clear();
    this.incarnation = incarnation;
    this.hello = hello;
    this.stream = new PeerStream(incarnation, this.#owner);
    this.roundTrip = new RoundTrip();
    this.sender = undefined;
    this.expected = 1;
    this.unansweredAt = undefined;
    this.clockReported = false;
    this.rows.reset();
    this.hasOldRows = true;
  }

  // -- what goes to it ------------------------------------------------------------------------------------

  publish(group: string, message: Buffer): void {
    if (!this.stream.room(Buffer.byteLength(group), PUBLISH_HEAD + message.length, true)) return;
    writePublish(this.stream.writer, group, message, NONE);
  }

  pass(records: Buffer, messages: number): void {
    this.stream.pass(records, messages);
  }

  /** A message for a process of it. */
  signal(worker: number, serial: number, message: Buffer): void {
    if (!this.stream.room(0, REMOTE_HEAD + message.length, true)) return;
    writeRemote(this.stream.writer, PEER_KIND.signal, "", [worker, serial], message);
  }

  request(name: string, { id, within, from, body }: HubRequest<Buffer>): boolean {
    const { stream } = this;
    if (stream.full || !stream.room(Buffer.byteLength(name), ASK_HEAD + body.length)) return false;
    writeAsk(stream.writer, PEER_KIND.ask, name, { id, within, from }, undefined, body);
    return true;
  }

  answered(id: number, code: AskCode, body: Buffer | string): void {
    if (this.stream.room(0, ANSWER_HEAD + Buffer.byteLength(body)))
      return writeAnswer(this.stream.writer, PEER_KIND.answer, id, code, body);
    const why = "the answer is larger than the carrier takes";
    if (this.stream.room(0, ANSWER_HEAD + why.length))
      writeAnswer(this.stream.writer, PEER_KIND.answer, id, "refused", why);
  }

  /** Which members a group has there. */
  query(id: number, group: string): void {
    if (!this.stream.room(Buffer.byteLength(group), 4)) return;
    const at = this.stream.writer.add(PEER_KIND.query, group, 4);
    this.stream.writer.buffer.writeUInt32BE(id, at);
  }

  /** Answers its query, in as many records as the carrier needs. */
  reply(id: number, members: readonly PidPair[], maxBytes: number): void {
    const most = Math.max(1, Math.floor((Math.min(maxBytes, 64 * 1024) - 100) / 10));
    for (let from = 0; from === 0 || from < members.length; from += most) {
      const some = members.slice(from, from + most);
      if (!this.stream.room(0, 5 + 10 * some.length)) return;
      const { writer } = this.stream;
      const at = writer.add(PEER_KIND.reply, "", 5 + 10 * some.length);
      writer.buffer.writeUInt32BE(id, at);
      writer.buffer[at + 4] = from + most >= members.length ? 1 : 0;
      some.forEach(([worker, serial], index) => {
        writer.buffer.writeUInt16BE(worker, at + 5 + 10 * index);
        writer.buffer.writeDoubleBE(serial, at + 7 + 10 * index);
      });
    }
  }

  /** A row of this server; `undefined`: there is none any more. */
  row(kind: number, name: string, body: Buffer | undefined): void {
    const length = body?.length ?? 0;
    if (!this.stream.room(Buffer.byteLength(name), length)) return;
    const at = this.stream.writer.add(kind, name, length);
    if (body) this.stream.writer.buffer.set(body, at);
  }

  /** Asks for all its rows. */
  want(): void {
    this.wantedAt = clock.now();
    this.progress = 0;
    const id = this.rows.want();
    if (!this.stream.room(0, 4)) return;
    const { writer } = this.stream;
    const at = writer.add(PEER_KIND.want, "", 4);
    writer.buffer.writeUInt32BE(id, at);
  }
}
