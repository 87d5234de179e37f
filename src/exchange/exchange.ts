/**
 * Exchange: the OS process through which all workers of a server send to groups and to each other's processes. It holds
 * the tables of the hub, has one link to each worker, and runs no user code.
 *
 *   worker 1 ──┐
 *   worker 2 ──┼── UNIX socket, one each ── hub: one order for all members of a group
 *   worker n ──┘
 */
import { rmSync } from "node:fs";
import { Hub } from "../groups/hub/hub.js";
import { answerQuery, type HubQuery } from "../groups/hub/hub-queries.js";
import { NameHub } from "../groups/hub/name-hub.js";
import type { Contest } from "../groups/hub/name-row.js";
import type { PresenceRow } from "../groups/hub/presence-table.js";
import { TokenClock } from "../groups/hub/token-clock.js";
import { clock } from "../otp/time/clock.js";
import type { Listening, Transport } from "../transport/transport.js";
import { readAnswer, readAsk } from "./name-records.js";
import type { Nodes } from "./nodes/nodes.js";
import { type NodesNumbers, nodesNumbers } from "./nodes/numbers.js";
import { PEER_KIND } from "./nodes/peer/peer-records.js";
import { presenceName } from "./nodes/rows/presence-rows.js";
import { Port, type PortOwner } from "./port.js";
import { readIntroduction } from "./presence-records.js";
import { isPublish, messagesIn, PUBLISH_HEAD } from "./publish-records.js";
import { KIND, type LinkRecord } from "./records.js";
import { readRemote, signalTarget } from "./signals.js";

/** Workers that connect at the same moment. */
const BACKLOG = 511;

const copyOf = (message: Buffer): Buffer => Buffer.from(message);

/** Milliseconds that messages wait after a start for the rows of workers that were running before. */
const GATHER = 1_000;

/** The tables and ways that other servers need. */
export interface ExchangeParts {
  readonly hub: Hub<Buffer>;
  readonly names: NameHub<Buffer>;
  readonly tokens: TokenClock;
  onSignal(worker: number, serial: number, message: Buffer): void;
}

export interface ExchangeOptions {
  /** Path of the UNIX socket; its folder belongs to this user alone. */
  readonly path: string;
  readonly transport: Transport;
  /** Workers that are running already: what is sent waits until all of them have connected. */
  readonly workers: number;
  /** Milliseconds that a claim waits for the holder. */
  readonly takeOver?: number;
  /** Name of this server, and what makes its nodes: where there are other servers. */
  readonly node?: string;
  nodes?(parts: ExchangeParts): Nodes;
  /** Two processes of this server replace each other in a name. */
  onContested?(contest: Contest): void;
  /** Other servers can never be reached. */
  onFailed?(why: string): void;
  /** Called when a link has closed. @param left number of links */
  onLinkClosed?(left: number): void;
}

/** What the exchange counts, and has now. */
export interface ExchangeNumbers {
  readonly links: number;
  readonly groups: number;
  readonly memberships: number;
  readonly names: number;
  /** Holders that were told to let a name go. */
  readonly replaced: number;
  /** Of those: holders of a name that another server had granted as well. */
  readonly conflicts: number;
  /** Claims that waited because two clients replace each other. */
  readonly contested: number;
  /** Bytes that wait for each worker. */
  readonly waiting: readonly (readonly [worker: number, bytes: number])[];
  readonly published: number;
  /** Deliveries that were dropped because a worker does not read. */
  readonly linkFull: number;
  /** Messages to processes of workers that are gone or do not read. */
  readonly signalsDropped: number;
  /** Records that were not understood. */
  readonly malformed: number;
  /** Of the other servers, where there may be some. */
  readonly nodes?: NodesNumbers | undefined;
}

export class Exchange implements PortOwner {
  readonly hub: Hub<Buffer, Port>;
  readonly names: NameHub<Buffer>;
  readonly nodes: Nodes | undefined;
  readonly #options: ExchangeOptions;
  #listening: Listening | undefined = undefined;
  readonly #ports = new Set<Port>();
  /** By worker: its newest link. */
  readonly #workers = new Map<number, Port>();
  /** Messages wait for the rows of other workers. */
  #gathering: boolean;
  #published = 0;
  #linkFull = 0;
  #signalsDropped = 0;
  #malformed = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { takeOver, node } = options;
    const tokens = new TokenClock();
    const changed = (kind: number) => options.nodes && ((name: string) => this.nodes?.changed(kind, name));
    const present = (group: string, row: PresenceRow) => {
      if (!this.hub.isHere(group)) this.nodes?.changed(PEER_KIND.presence, presenceName(group, row));
    };
    this.hub = new Hub(changed(PEER_KIND.group), options.nodes && present);
    const onContested = (contest: Contest) => options.onContested?.(contest);
    const named = { tokens, takeOver, node, onChanged: changed(PEER_KIND.name), onContested };
    this.names = new NameHub(named, copyOf);
    const onSignal = (worker: number, serial: number, message: Buffer) => {
      if (this.#workers.get(worker)?.remote(serial, message) !== true) this.#signalsDropped++;
    };
    this.nodes = options.nodes?.({ hub: this.hub, names: this.names, tokens, onSignal });
    this.#gathering = options.workers > 0;
    if (this.#gathering) this.hub.presence.hold();
  }

  /** @throws NodeJS.ErrnoException when the socket cannot be bound */
  async listen(): Promise<void> {
    const { path, transport } = this.#options;
    // Of an exchange that was killed.
    rmSync(path, { force: true });
    this.#listening = await transport.listen(
      { path },
      {
        backlog: BACKLOG,
        onSocket: (socket) => void this.#ports.add(new Port(socket, this)),
        onError: ({ message }) => this.#options.onFailed?.(message),
      },
    );
    if (this.#gathering) clock.setTimeout(() => this.#gathered(), GATHER, true);
    else this.#openNodes();
  }

  /** Other servers are told of this one when its rows are complete: what they know of it before stays until then. */
  #openNodes(): void {
    this.nodes?.open().catch((error: Error) => this.#options.onFailed?.(error.message));
  }

  /** Tells other servers that this one ends. */
  async leave(): Promise<void> {
    await this.nodes?.close();
  }

  close(): void {
    void this.leave();
    this.#listening?.close();
    for (const port of this.#ports) port.link.close();
  }

  get links(): number {
    return this.#ports.size;
  }

  get numbers(): ExchangeNumbers {
    return {
      links: this.#workers.size,
      groups: this.hub.groupCount,
      memberships: this.hub.memberships,
      names: this.names.names.size,
      replaced: this.names.names.replaced,
      conflicts: this.names.names.conflicts,
      contested: this.names.names.contested,
      waiting: [...this.#workers].map(([worker, { link }]) => [worker, link.waiting]),
      published: this.#published,
      linkFull: this.#linkFull,
      signalsDropped: this.#signalsDropped,
      malformed: this.#malformed,
      nodes: this.nodes && nodesNumbers(this.nodes),
    };
  }

  // -- links ----------------------------------------------------------------------------------------------

  onRecord(port: Port, record: LinkRecord): void {
    try {
      if (record.kind === KIND.hello) this.#hello(port, record);
      else if (port.worker === 0) port.link.close();
      else this.#handle(port, record);
    } catch {
      // A body that is too short: a protocol has forged it.
      this.#malformed++;
    }
  }

  onClosed(port: Port): void {
    this.#ports.delete(port);
    this.hub.detach(port);
    this.names.detach(port);
    if (this.#workers.get(port.worker) === port) this.#workers.delete(port.worker);
    this.#options.onLinkClosed?.(this.#ports.size);
  }

  onLinkFull(port: Port, group: string): void {
    this.#linkFull += this.hub.countAt(port, group);
  }

  #hello(port: Port, { body }: LinkRecord): void {
    if (port.worker !== 0) return;
    port.worker = body.readUInt16BE(0);
    const before = this.#workers.get(port.worker);
    this.#workers.set(port.worker, port);
    this.hub.attach(port);
    // The worker has connected anew before the end of its last link was seen.
    before?.link.close();
  }

  #ready(port: Port): void {
    port.ready = true;
    if (!this.#gathering) return;
    const ready = [...this.#workers.values()].filter((one) => one.ready).length;
    if (ready >= this.#options.workers) this.#gathered();
    else port.link.pause();
  }

  #gathered(): void {
    if (!this.#gathering) return;
    this.#gathering = false;
    this.#openNodes();
    this.hub.presence.release();
    for (const port of this.#ports) port.link.resume();
  }

  #handle(port: Port, record: LinkRecord): void {
    // Most records are of this kind.
    if (record.kind === KIND.publish) return this.#publish(port, record);
    const { kind, name, body } = record;
    switch (kind) {
      case KIND.row:
        for (let at = 0; at + 8 <= body.length; at += 8) this.hub.join(port, name, body.readDoubleBE(at));
        return;
      case KIND.here:
        return this.hub.keepHere(name);
      case KIND.ready:
        return this.#ready(port);
      case KIND.join:
        return this.hub.join(port, name, body.readDoubleBE(0));
      case KIND.introduce: {
        const { serial, key, info } = readIntroduction(body);
        return this.hub.introduce(port, name, serial, key, info);
      }
      case KIND.leave:
        return this.hub.leave(port, name, body.readDoubleBE(0));
      case KIND.signal:
        if (this.#workers.get(signalTarget(record))?.pass(record.whole) !== true) this.#signalsDropped++;
        return;
      case KIND.remote: {
        const { worker, serial, message } = readRemote(record);
        const peer = this.nodes?.peer(name);
        if (peer) peer.signal(worker, serial, message);
        else this.#signalsDropped++;
        return;
      }
      case KIND.query:
        return this.#answer(port, body.readUInt32BE(0), JSON.parse(body.toString("utf8", 4)));
      case KIND.claim:
        return this.names.names.claim(
          port,
          body.readUInt32BE(0),
          name,
          body.readDoubleBE(4),
          body.readUInt8(12) === 1,
        );
      case KIND.release:
        return this.names.names.release(port, name, body.readDoubleBE(0));
      case KIND.held:
        return this.names.names.restore(port, name, body.readDoubleBE(0), body.readDoubleBE(8));
      case KIND.ask: {
        const { id, ...request } = readAsk(body);
        return this.names.ask(port, id, name, request);
      }
      case KIND.answer: {
        const { id, code, body: content } = readAnswer(body);
        return this.names.answer(port, id, code, code === "answer" ? content : content.toString());
      }
      default:
        this.#malformed++;
    }
  }

  /** Messages of one group that follow each other are looked at once, and go to each worker in one copy. */
  #publish({ link }: Port, record: LinkRecord): void {
    if (!isPublish(record)) throw new RangeError("a message that is cut");
    const { name } = record;
    const { bytes, count } = link.run(record, PUBLISH_HEAD + 1);
    this.#published += count;
    for (const port of this.hub.portsOf(name))
      if (!port.pass(bytes)) this.#linkFull += count * this.hub.countAt(port, name);
    for (const peer of this.hub.peersOf(name))
      for (const message of messagesIn(bytes)) peer.publish(name, message);
  }

  #answer(port: Port, id: number, query: HubQuery): void {
    if (query.ask !== "members" || !this.nodes)
      return port.reply(id, answerQuery(this.hub, this.names, query));
    void this.nodes.members(query.group).then((members) => port.reply(id, members));
  }
}
