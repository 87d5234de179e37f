/**
 * Link of a worker to the exchange. When it breaks it is made again: the worker says which groups its processes are in,
 * and sends what was published meanwhile, up to 1 MiB and for 1 s. No client notices.
 */
import { NONE, type PidPair } from "../../groups/hub/hub.js";
import type { HubAnswers, HubQuery } from "../../groups/hub/hub-queries.js";
import type { Delivery } from "../../groups/local/delivery.js";
import type { LocalAsks } from "../../groups/local/local-asks.js";
import type { LocalMembers } from "../../groups/local/local-members.js";
import type { LocalNames } from "../../groups/local/local-names.js";
import type { Introduction } from "../../groups/local/presence-view.js";
import { DROP_ABOVE, HOLD_ABOVE, LET_GO_AT, type Uplink } from "../../groups/local/uplink.js";
import { Message } from "../../groups/message.js";
import type { Pid } from "../../otp/process/pid.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import type { Socket, Transport } from "../../transport/transport.js";
import { LinkSocket } from "../link-socket.js";
import { readPresence, writeIntroduction } from "../records/presence-records.js";
import { exceptAt, isPublish, PUBLISH_HEAD, writePublish } from "../records/publish-records.js";
import { KIND, type LinkRecord } from "../records/records.js";
import {
  type LinkSignal,
  readRemote,
  readSignal,
  writeRemote,
  writeSignal,
} from "../records/signal-records.js";
import { LinkNames } from "./link-names.js";
import { UnsentMessages } from "./unsent-messages.js";

/** Milliseconds between two attempts to connect. */
const RETRY = 25;
/** Milliseconds in which a query is answered, or fails. */
const QUERY_TIMEOUT = 5_000;
/** Serials in one row record. */
const ROW = 4_096;

export interface ExchangeLinkOptions {
  readonly path: string;
  readonly transport: Transport;
  readonly worker: number;
  readonly members: LocalMembers;
  readonly names: LocalNames;
  readonly asks: LocalAsks;
  readonly delivery: Delivery;
  /** A message for a process of this worker. */
  onSignal(signal: LinkSignal): void;
  /** A message of another server for a process of this worker. */
  onRemote?(serial: number, message: unknown): void;
  /** Less waits than before. */
  onRelieved(): void;
}

interface Query {
  readonly text: string;
  readonly resolve: (answer: unknown) => void;
}

export class ExchangeLink implements Uplink {
  readonly #options: ExchangeLinkOptions;
  #link: LinkSocket | undefined = undefined;
  /** The rows have been sent: the exchange knows the members of this worker. */
  #up = false;
  #closed = false;
  /** The next attempt to connect. */
  #retry: TimerRef = undefined;
  readonly #unsent = new UnsentMessages((count) => {
    groupCounters.dropped.unreachable += count;
  });
  readonly #names: LinkNames;
  readonly #queries = new Map<number, Query>();
  #lastQuery = 0;

  constructor(options: ExchangeLinkOptions) {
    this.#options = options;
    this.#names = new LinkNames(options.names, options.asks);
    this.#connect();
  }

  get up(): boolean {
    return this.#up;
  }

  get waiting(): number {
    return this.#link?.waiting ?? 0;
  }

  get linkBytes(): number {
    return this.waiting;
  }

  /** Resolves when the exchange knows this worker, or after so many milliseconds. */
  async ready(ms: number): Promise<void> {
    try {
      await this.#query({ ask: "ready" }, ms);
    } catch {
      // The worker serves without it: the link comes up later.
    }
  }

  /** For good. */
  close(): void {
    this.#closed = true;
    clock.clearTimeout(this.#retry);
    this.#link?.close();
  }

  // -- what a worker sends --------------------------------------------------------------------------------

  keptHere(group: string): void {
    if (!this.#link || !this.#up) return;
    this.#link.writer.add(KIND.here, group, 0);
    this.#link.flushSoon();
  }

  joined(group: string, serial: number): void {
    this.#serial(KIND.join, group, serial);
  }

  introduced(group: string, serial: number, introduction: Introduction): void {
    if (!this.#link || !this.#up) return;
    writeIntroduction(this.#link.writer, group, serial, introduction);
    this.#link.flushSoon();
  }

  left(group: string, serial: number): void {
    this.#serial(KIND.leave, group, serial);
  }

  #serial(kind: number, group: string, serial: number): void {
    // While the link is down nothing is sent: all rows are, when it is up again.
    if (!this.#link || !this.#up) return;
    this.#link.writer.addSerial(kind, group, serial);
    this.#link.flushSoon();
  }

  publish(group: string, message: Message, except: Pid | undefined): void {
    if (!this.#link || !this.#up) this.#unsent.add({ group, message, except });
    else if (this.waiting > DROP_ABOVE) groupCounters.dropped.link_full++;
    else this.#publish(this.#link, group, message, except);
  }

  #publish(link: LinkSocket, group: string, message: Message, except: Pid | undefined): void {
    writePublish(link.writer, group, message, except ? [except.worker, except.serial] : NONE);
    link.flushSoon();
  }

  claim(id: number, name: string, serial: number, refuse: boolean): void {
    this.#names.claim({ id, name, serial, refuse });
  }

  release(name: string, serial: number): void {
    this.#serial(KIND.release, name, serial);
  }

  ask(id: number, name: string, body: Message, within: number, from: PidPair): void {
    this.#names.ask({ id, name, body, within, from }, this.waiting > DROP_ABOVE);
  }

  /** Sends a message to a process of another worker. @returns false when there is no room, or no link */
  signal(signal: LinkSignal): boolean {
    if (!this.#link || !this.#up || this.waiting > DROP_ABOVE) return false;
    writeSignal(this.#link.writer, signal);
    this.#link.flushSoon();
    return true;
  }

  /** Sends a message to a process of another server; dropped and counted when there is no link, or no room. */
  sendToServer({ node, worker, serial }: Pid, message: Message): void {
    if (!this.#link || !this.#up || this.waiting > DROP_ABOVE) groupCounters.dropped.unreachable++;
    else {
      writeRemote(this.#link.writer, node ?? "", [worker, serial], message);
      this.#link.flushSoon();
    }
  }

  async query<Q extends HubQuery>(query: Q): Promise<HubAnswers[Q["ask"]]> {
    return (await this.#query(query)) as HubAnswers[Q["ask"]];
  }

  #query(query: object, timeout = QUERY_TIMEOUT): Promise<unknown> {
    const id = ++this.#lastQuery;
    const text = JSON.stringify(query);
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        this.#queries.delete(id);
        reject(new Error(`the exchange has not answered within ${timeout / 1_000} s`));
      }, timeout);
      const done = (answer: unknown) => {
        clock.clearTimeout(timer);
        resolve(answer);
      };
      this.#queries.set(id, { text, resolve: done });
      if (this.#up) this.#sendQuery(id, text);
    });
  }

  #sendQuery(id: number, text: string): void {
    this.#link?.writer.addText(KIND.query, id, text);
    this.#link?.flushSoon();
  }

  // -- the link -------------------------------------------------------------------------------------------

  #connect(): void {
    const { path, transport } = this.#options;
    transport.connect({ path }).then(
      (socket) => this.#linked(socket),
      () => this.#connectLater(),
    );
  }

  #linked(socket: Socket): void {
    if (this.#closed) return socket.destroy();
    const link: LinkSocket = new LinkSocket(socket, {
      onRecord: (record) => this.#record(link, record),
      onDrained: () => this.#options.onRelieved(),
      onClosed: () => this.#lost(),
    });
    this.#connected(link);
  }

  #connectLater(): void {
    if (!this.#closed) this.#retry = clock.setTimeout(() => this.#connect(), RETRY, true);
  }

  #connected(link: LinkSocket): void {
    this.#link = link;
    this.#up = true;
    const { writer } = link;
    const at = writer.add(KIND.hello, "", 10);
    writer.buffer.writeUInt16BE(this.#options.worker, at);
    writer.buffer.writeDoubleBE(this.#options.names.highestToken, at + 2);
    for (const group of this.#options.members.groups) {
      if (group.here) writer.add(KIND.here, group.name, 0);
      for (let at = 0; at < group.size; at += ROW)
        this.#row(link, group.name, group.list.slice(at, at + ROW));
      for (const [{ pid }, introduction] of group.presence?.members ?? [])
        writeIntroduction(writer, group.name, pid.serial, introduction);
    }
    this.#names.connected(link);
    writer.add(KIND.ready, "", 0);
    this.#names.goOn(link);
    for (const { group, message, except } of this.#unsent.take()) this.#publish(link, group, message, except);
    for (const [id, { text }] of this.#queries) this.#sendQuery(id, text);
    link.flushSoon();
  }

  #row({ writer }: LinkSocket, group: string, members: readonly { readonly pid: Pid }[]): void {
    const at = writer.add(KIND.row, group, 8 * members.length);
    members.forEach(({ pid }, index) => {
      writer.buffer.writeDoubleBE(pid.serial, at + 8 * index);
    });
  }

  #lost(): void {
    this.#link = undefined;
    this.#up = false;
    this.#names.lost();
    this.#options.onRelieved();
    this.#connectLater();
  }

  #record(link: LinkSocket, record: LinkRecord): void {
    try {
      this.#received(link, record);
    } catch {
      // Of a newer version, or forged in another worker or server: passed over, as one record must not end the link.
    }
  }

  #received(link: LinkSocket, record: LinkRecord): void {
    // Most records are of this kind.
    if (record.kind === KIND.publish && isPublish(record)) return this.#deliver(link, record);
    const { kind, name, body } = record;
    if (kind === KIND.presence) {
      this.#options.members.get(name)?.presence?.apply(readPresence(body));
    } else if (kind === KIND.signal) {
      const signal = readSignal(record);
      if (signal) this.#options.onSignal(signal);
    } else if (kind === KIND.remote) {
      const { serial, message } = readRemote(record);
      const received = Message.read(message);
      if (received.readable) this.#options.onRemote?.(serial, received.value);
    } else if (kind === KIND.reply && body.length > 4) this.#replied(body);
    else this.#names.received(link, record);
  }

  #deliver(link: LinkSocket, record: LinkRecord): void {
    const { delivery, worker } = this.#options;
    const { name, bytes, start, end } = record;
    delivery.add(name, Message.read(bytes, start + PUBLISH_HEAD, end), exceptAt(record, worker));
    // The members take less than comes: the exchange holds it, and drops beyond 8 MiB.
    if (delivery.waiting > HOLD_ABOVE) link.pause();
  }

  #replied(body: Buffer): void {
    const id = body.readUInt32BE(0);
    const query = this.#queries.get(id);
    this.#queries.delete(id);
    query?.resolve(JSON.parse(body.toString("utf8", 4)));
  }

  /** The delivery in this worker has less to do. */
  relieved(): void {
    if (this.#options.delivery.waiting <= LET_GO_AT) this.#link?.resume();
  }
}
