/**
 * Link of a worker to the exchange. When it breaks it is made again: the worker says which groups its processes are in,
 * and sends what was published meanwhile, up to 1 MiB and for 1 s. No client notices.
 */
import { NONE, type PidPair } from "../../groups/hub/hub.js";
import type { HubAnswers, HubQuery } from "../../groups/hub/hub-queries.js";
import type { LocalAsks } from "../../groups/local/local-asks.js";
import type { LocalNames } from "../../groups/local/local-names.js";
import type { Introduction } from "../../groups/local/presence-view.js";
import { DROP_ABOVE, LET_GO_AT, type Uplink } from "../../groups/local/uplink.js";
import type { Message } from "../../groups/message.js";
import type { Pid } from "../../otp/process/pid.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import type { Socket, Transport } from "../../transport/transport.js";
import { LinkSocket } from "../link-socket.js";
import { writeHello, writeRows } from "../records/connect-records.js";
import { MalformedRecord } from "../records/malformed-record.js";
import { writeIntroduction } from "../records/presence-records.js";
import { writePublish } from "../records/publish-records.js";
import { KIND, type LinkRecord } from "../records/records.js";
import { type LinkSignal, writeRemote, writeSignal } from "../records/signal-records.js";
import { LinkNames } from "./link-names.js";
import { LinkQueries } from "./link-queries.js";
import { ReceivedRecords, type Receivers } from "./received-records.js";
import { UnsentMessages } from "./unsent-messages.js";

/** Milliseconds between two attempts to connect. */
const RETRY = 25;

export interface ExchangeLinkOptions extends Receivers {
  readonly path: string;
  readonly transport: Transport;
  readonly names: LocalNames;
  readonly asks: LocalAsks;
  /** Less waits than before. */
  onRelieved(): void;
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
  readonly #queries = new LinkQueries();
  readonly #received: ReceivedRecords;

  constructor(options: ExchangeLinkOptions) {
    this.#options = options;
    this.#names = new LinkNames(options.names, options.asks);
    this.#received = new ReceivedRecords(options, this.#names, this.#queries);
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
      await this.#queries.ask({ ask: "ready" }, ms);
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
      writeRemote(this.#link.writer, KIND.remote, node ?? "", [worker, serial], message);
      this.#link.flushSoon();
    }
  }

  async query<Q extends HubQuery>(query: Q): Promise<HubAnswers[Q["ask"]]> {
    return (await this.#queries.ask(query)) as HubAnswers[Q["ask"]];
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
    writeHello(writer, this.#options.worker, this.#options.names.highestToken);
    for (const group of this.#options.members.groups) {
      if (group.here) writer.add(KIND.here, group.name, 0);
      writeRows(
        writer,
        group.name,
        group.list.map(({ pid }) => pid.serial),
      );
      for (const [{ pid }, introduction] of group.presence?.members ?? [])
        writeIntroduction(writer, group.name, pid.serial, introduction);
    }
    this.#names.connected(link);
    writer.add(KIND.ready, "", 0);
    this.#names.goOn(link);
    for (const { group, message, except } of this.#unsent.take()) this.#publish(link, group, message, except);
    this.#queries.connected(link);
    link.flushSoon();
  }

  #lost(): void {
    this.#link = undefined;
    this.#up = false;
    this.#names.lost();
    this.#queries.lost();
    this.#options.onRelieved();
    this.#connectLater();
  }

  #record(link: LinkSocket, record: LinkRecord): void {
    try {
      this.#received.handle(link, record);
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      // Forged in another worker or server: one record must not end the link.
      groupCounters.malformed++;
    }
  }

  /** The delivery in this worker has less to do. */
  relieved(): void {
    if (this.#options.delivery.waiting <= LET_GO_AT) this.#link?.resume();
  }
}
