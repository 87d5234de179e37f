/** Port: the link to one worker, in the exchange. */
import type { AskCode } from "../groups/hub/ask-table.js";
import type { HubPort, PidPair } from "../groups/hub/hub.js";
import type { HubRequest, NameHubPort } from "../groups/hub/name-hub.js";
import type { ClaimResult } from "../groups/hub/name-row.js";
import type { PresenceChange } from "../groups/hub/presence-table.js";
import { DROP_ABOVE } from "../groups/local/uplink.js";
import type { Socket } from "../transport/transport.js";
import { LinkSocket } from "./link-socket.js";
import { writeAnswer, writeAsk, writeClaimed } from "./records/name-records.js";
import { writePresence } from "./records/presence-records.js";
import { writePublish } from "./records/publish-records.js";
import { RecordReader } from "./records/record-reader.js";
import { KIND, type LinkRecord } from "./records/records.js";
import { writeRemote } from "./records/signal-records.js";

/** The exchange, as its ports see it. */
export interface PortOwner {
  onRecord(port: Port, record: LinkRecord): void;
  onClosed(port: Port): void;
  /** A message was dropped, because more than 8 MiB wait for this worker. */
  onLinkFull(port: Port, group: string): void;
}

export class Port implements HubPort<Buffer>, NameHubPort<Buffer> {
  /** 0 until its `hello`. */
  worker = 0;
  /** Its rows are complete. */
  ready = false;
  readonly link: LinkSocket;
  readonly #owner: PortOwner;

  constructor(socket: Socket, owner: PortOwner) {
    this.#owner = owner;
    this.link = new LinkSocket(socket, {
      onRecord: (record) => owner.onRecord(this, record),
      onDrained: () => {},
      onClosed: () => owner.onClosed(this),
    });
  }

  /** @param message its bytes, copied here */
  deliver(group: string, message: Buffer, except: PidPair): void {
    if (this.full) return this.#owner.onLinkFull(this, group);
    writePublish(this.link.writer, group, message, except);
    this.link.flushSoon();
  }

  /** Passes records on as they are. @returns whether there was room */
  pass(records: Buffer): boolean {
    if (this.full) return false;
    this.link.writer.addRecords(records);
    this.link.flushSoon();
    return true;
  }

  /** A message of another server for a process of this worker. @returns whether there was room */
  remote(serial: number, message: Buffer): boolean {
    if (this.full) return false;
    writeRemote(this.link.writer, KIND.remote, "", [this.worker, serial], message);
    this.link.flushSoon();
    return true;
  }

  reply(id: number, answer: unknown): void {
    this.link.writer.addText(KIND.reply, id, JSON.stringify(answer));
    this.link.flushSoon();
  }

  presence(group: string, change: PresenceChange): boolean {
    if (this.full) return false;
    writePresence(this.link.writer, group, change);
    this.link.flushSoon();
    return true;
  }

  // -- names ----------------------------------------------------------------------------------------------

  claimed(id: number, result: ClaimResult): void {
    writeClaimed(this.link.writer, id, result);
    this.link.flushSoon();
  }

  replace(name: string, serial: number): void {
    this.link.writer.addSerial(KIND.replace, name, serial);
    this.link.flushSoon();
  }

  request(name: string, request: HubRequest<Buffer>): boolean {
    if (this.full) return false;
    writeAsk(this.link.writer, KIND.request, name, request, request.serial, request.body);
    this.link.flushSoon();
    return true;
  }

  answered(id: number, code: AskCode, body: Buffer | string): void {
    writeAnswer(this.link.writer, KIND.answered, id, code, body);
    this.link.flushSoon();
  }

  /** Messages of groups that wait for this worker, by group: at its end they are lost. */
  get unsentMessages(): ReadonlyMap<string, number> {
    const messages = new Map<string, number>();
    const reader = new RecordReader();
    reader.push(this.link.writer.written);
    for (let record = reader.next(); record; record = reader.next())
      if (record.kind === KIND.publish) messages.set(record.name, (messages.get(record.name) ?? 0) + 1);
    return messages;
  }

  /** The worker does not read: it is stopped, or its handlers take too long. */
  get full(): boolean {
    return this.link.waiting > DROP_ABOVE;
  }
}
