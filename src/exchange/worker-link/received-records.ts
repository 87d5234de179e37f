/** What the exchange's records ask of a worker: messages for its members and processes, and answers to what it has asked. */
import type { Delivery } from "../../groups/local/delivery.js";
import type { LocalMembers } from "../../groups/local/local-members.js";
import { HOLD_ABOVE } from "../../groups/local/uplink.js";
import { Message } from "../../groups/message.js";
import type { LinkSocket } from "../link-socket.js";
import { MalformedRecord } from "../records/malformed-record.js";
import { readPresence } from "../records/presence-records.js";
import { exceptAt, isPublish, PUBLISH_HEAD } from "../records/publish-records.js";
import { KIND, type LinkRecord } from "../records/records.js";
import { type LinkSignal, readRemote, readSignal } from "../records/signal-records.js";
import type { LinkNames } from "./link-names.js";
import type { LinkQueries } from "./link-queries.js";

/** What a worker has that records are for. */
export interface Receivers {
  readonly worker: number;
  readonly members: LocalMembers;
  readonly delivery: Delivery;
  /** A message for a process of this worker. */
  onSignal(signal: LinkSignal): void;
  /** A message of another server for a process of this worker. */
  onRemote?(serial: number, message: unknown): void;
}

export class ReceivedRecords {
  readonly #receivers: Receivers;
  readonly #names: LinkNames;
  readonly #queries: LinkQueries;

  constructor(receivers: Receivers, names: LinkNames, queries: LinkQueries) {
    this.#receivers = receivers;
    this.#names = names;
    this.#queries = queries;
  }

  /** @throws MalformedRecord when it cannot be read, or is of no kind that a worker gets */
  handle(link: LinkSocket, record: LinkRecord): void {
    // Most records are of this kind.
    if (record.kind === KIND.publish) return this.#deliver(link, record);
    const { kind, name, body } = record;
    switch (kind) {
      case KIND.presence: {
        const change = readPresence(body);
        return this.#receivers.members.get(name)?.presence?.apply(change);
      }
      case KIND.signal:
        return this.#receivers.onSignal(readSignal(record));
      case KIND.remote:
        return this.#remote(record);
      case KIND.reply:
        return this.#queries.replied(body);
      default:
        this.#names.received(link, record);
    }
  }

  #remote(record: LinkRecord): void {
    const { serial, message } = readRemote(record);
    const received = Message.tryRead(message);
    if (!received?.readable) throw new MalformedRecord("a message that cannot be read");
    this.#receivers.onRemote?.(serial, received.value);
  }

  #deliver(link: LinkSocket, record: LinkRecord): void {
    const { delivery, worker } = this.#receivers;
    const { name, bytes, start, end } = record;
    const message = isPublish(record) ? Message.tryRead(bytes, start + PUBLISH_HEAD, end) : undefined;
    if (!message) throw new MalformedRecord("a message that cannot be read");
    delivery.add(name, message, exceptAt(record, worker));
    // The members take less than comes: the exchange holds it, and drops beyond 8 MiB.
    if (delivery.waiting > HOLD_ABOVE) link.pause();
  }
}
